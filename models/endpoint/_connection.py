"""Sends HTTP requests to an endpoint, and explains connection errors."""

import errno
import os
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from ...common import BadReplyError, ModelError, RequestError, TransportError
from ._http_errors import quoted
from ._transport import Proxy

_LONGEST_WRITE = 2**18  # bytes: more at a time would hold the event loop up
_IDLE_S = 4.0  # uvicorn, and so vLLM, closes idle connections after 5 s
_OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS}
_OBJECT = re.compile(r" ssl:<[^<>]*+>")  # how aiohttp shows certificates of ours
_EXPIRED, _OTHER_HOST = {9, 10}, {62, 64}  # codes of OpenSSL


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A server's HTTP reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach a server.

    Attributes:
        timeout: Seconds for a whole exchange.
        connect_timeout: Seconds for the connection, within `timeout`.
        tls: How certificates are checked.
        proxy: The proxy on the way, None for the direct way.
    """

    timeout: float
    connect_timeout: float
    tls: ssl.SSLContext | bool
    proxy: Proxy | None


class Connection:
    """An HTTP connection to one server; its errors say what to change.

    Args:
        name: The model's name, for errors.
        headers: Sent with each request.
        reach: How the server is reached.
        max_reply_bytes: Longest body that is read.
        session: A session of the caller's, which then closes it; None makes one at
            the first post.
    """

    def __init__(
        self,
        name: str,
        headers: Mapping[str, str],
        reach: ConnectionOptions,
        *,
        max_reply_bytes: int,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._name, self._headers, self._reach = name, headers, reach
        self._most = max_reply_bytes
        self._session, self._own_session = session, session is None
        self._timeout = aiohttp.ClientTimeout(
            total=reach.timeout,
            # A session of the caller's may make calls wait for a free connection.
            connect=reach.connect_timeout if self._own_session else None,
            sock_connect=reach.connect_timeout,
        )

    async def post(
        self,
        url: URL,
        body: bytes | Sequence[bytes],
        *,
        on_event_data: Callable[[bytes], None] | None = None,
    ) -> HttpReply:
        """Post `body` and return the reply, whatever its status; redirects are not followed.

        Args:
            url: Where it goes.
            body: What is sent, in one piece or in several; long ones are not copied.
            on_event_data: Is given the bytes of a stream of events as they come.

        Raises:
            TransportError: Nothing came back, or not all; permanent where waiting
                won't help.
            RequestError: The proxy refuses us.
            BadReplyError: The reply is too long or not HTTP.
        """
        return await self._exchange("POST", url, _sendable(body), on_event_data)

    async def get(self, url: URL) -> HttpReply:
        """Get `url`; see `post`."""
        return await self._exchange("GET", url, None)

    async def _exchange(
        self,
        method: str,
        url: URL,
        data: "bytes | _Pieces | None",
        on_event_data: Callable[[bytes], None] | None = None,
    ) -> HttpReply:
        if self._session is None:
            self._session = open_session()
        proxy = self._reach.proxy
        login: Mapping[str, str] = proxy.login if proxy is not None else {}
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers=self._headers if url.scheme == "https" else {**self._headers, **login},
                timeout=self._timeout,
                allow_redirects=False,
                ssl=self._reach.tls,
                proxy=proxy.url if proxy is not None else None,
                proxy_headers=login if url.scheme == "https" else None,  # of the tunnel
            ) as response:
                on_data = on_event_data if is_events(response.status, response.headers) else None
                read = await self._body(response, on_data)
                return HttpReply(response.status, response.headers, read)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreached(error) from error

    async def aclose(self) -> None:
        """Close the connections, unless the session is the caller's."""
        if self._own_session and self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _body(
        self, response: aiohttp.ClientResponse, on_data: Callable[[bytes], None] | None
    ) -> bytes:
        content, chunks, size = response.content, list[bytes](), 0
        while chunk := await content.readany():
            size += len(chunk)
            if size > self._most:
                response.close()
                raise BadReplyError(
                    f"{self._name} sent more than {self._most:,} bytes; reading stopped there:"
                    " check that base_url is a model's, or lower max_tokens",
                    status=response.status,
                )
            chunks.append(chunk)
            if on_data is not None:
                on_data(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _unreached(self, error: Exception) -> ModelError:
        said = quoted(_OBJECT.sub("", str(error)) or type(error).__name__)
        match error:
            case aiohttp.ConnectionTimeoutError():
                return self._unsent(
                    f"no connection within {self._reach.connect_timeout:g} s; check that base_url"
                    " is right and reachable, or raise connect_timeout",
                )
            case TimeoutError():
                return self._lost(
                    f"no reply within {self._reach.timeout:g} s;"
                    " raise the timeout or ask less at once"
                )
            case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
                return self._stopped(error, said)
            case aiohttp.ClientConnectorCertificateError():
                return self._unsent(_certificate(error))
            case aiohttp.ClientConnectorSSLError():
                what = f"the server does not speak TLS ({said}); base_url should begin with http://"
                return self._unsent(what)
            case aiohttp.ClientConnectorError():
                why = _reason(error.os_error) or said
                what = f"cannot connect ({why}); is the server up, and is base_url right?"
                return self._unsent(what, permanent=error.os_error.errno not in _OURS)
            case aiohttp.InvalidURL():
                return self._unsent(f"cannot connect ({said}); check base_url")
            case aiohttp.ClientPayloadError():
                return self._lost(f"the reply was cut short ({said})")
            case aiohttp.ClientResponseError():
                what = f"the server does not speak HTTP ({said}); check base_url"
                return BadReplyError(f"{self._name}: {what}", permanent=True)
            case _:
                return self._lost(f"the connection broke ({said})")

    def _lost(self, what: str) -> TransportError:
        return TransportError(f"{self._name}: {what}")

    def _unsent(self, what: str, *, permanent: bool = True) -> TransportError:
        """Return the error for a request that no server received."""
        return TransportError(f"{self._name}: {what}", permanent=permanent, unsent=True)

    def _stopped(
        self, error: aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError, said: str
    ) -> ModelError:
        """Return the error for a proxy that is unreachable or refuses the connection."""
        proxy = self._reach.proxy
        address = "" if proxy is None else str(proxy.url).rstrip("/")
        place = "the proxy" if proxy is None else f"the proxy {address} that {proxy.source} names"
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            why = _reason(error.os_error) or said
            return self._unsent(f"cannot connect to {place} ({why})")
        if error.status == 407:
            return RequestError(f"{self._name}: {proxy_login_advice(place)}", permanent=True)
        if error.status < 500:
            what = f"{place} refuses the connection to base_url ({said})"
            return RequestError(f"{self._name}: {what}", permanent=True)
        return self._unsent(f"{place} cannot reach base_url ({said})")


def _sendable(body: bytes | Sequence[bytes]) -> "bytes | _Pieces":
    """Return a body as it is sent: a long one in pieces, between which others have their turn."""
    pieces = (body,) if isinstance(body, bytes) else body
    if sum(map(len, pieces)) > _LONGEST_WRITE:
        return _Pieces(pieces)
    return body if isinstance(body, bytes) else b"".join(body)


class _Pieces(aiohttp.Payload):
    """A body in several pieces, which are sent as they lie in memory."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        super().__init__(pieces, content_type="application/json")
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    async def write(self, writer: AbstractStreamWriter) -> None:
        for piece in self._pieces:
            for at in range(0, len(piece), _LONGEST_WRITE):
                view = memoryview(piece)[at : at + _LONGEST_WRITE]
                await writer.write(view if len(view) < len(piece) else piece)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._pieces).decode(encoding, errors)


def is_events(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether a reply is a stream of server-sent events."""
    return status == 200 and headers.get("Content-Type", "").startswith("text/event-stream")


def open_session() -> aiohttp.ClientSession:
    """Open an HTTP session without implicit headers, cookies or proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # it would send what is in ~/.netrc
    )


def _reason(error: OSError) -> str | None:
    """Return the operating system's message for an error, None if it has none."""
    if isinstance(error, socket.gaierror):
        return error.strerror
    return os.strerror(error.errno) if error.errno else None


def proxy_login_advice(place: str) -> str:
    """Return advice for a proxy that answers 407."""
    return (
        f"{place} needs a user and password; add them, as http://user:password@proxy.example:3128"
    )


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    code = getattr(cause, "verify_code", None)
    reason = getattr(cause, "verify_message", None) or str(cause)
    if code in _EXPIRED:
        mend = "renew it, or set verify_tls: false for a server of your own"
    elif code in _OTHER_HOST:
        mend = "base_url must use the host name in the certificate"
    else:
        mend = (
            "set ca_file to its certificate or that of its authority,"
            " or set verify_tls: false for a server of your own"
        )
    return f"the server's certificate is not trusted ({quoted(reason)}); {mend}"
