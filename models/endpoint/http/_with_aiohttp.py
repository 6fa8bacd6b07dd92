"""Sends requests with aiohttp: over TLS, through proxies, to anywhere."""

import re
from collections.abc import Callable, Mapping, Sequence

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from ....common import ModelError
from .._http_errors import quoted
from ._faults import IDLE_S, Faults
from ._reply import HttpReply, is_events

_LONGEST_WRITE = 2**18
"""Bytes that are written at a time: more would hold the event loop up."""
_OBJECT = re.compile(r" ssl:<[^<>]*+>")  # how aiohttp shows certificates of ours
_EXPIRED, _OTHER_HOST = {9, 10}, {62, 64}  # codes of OpenSSL


class AiohttpTransport:
    """Connections to any server, by way of a session of aiohttp.

    Args:
        headers: Sent with each request.
        faults: How errors are told.
        session: A session of the caller's, which then closes it; None makes one at
            the first exchange.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        faults: Faults,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._headers, self._faults = headers, faults
        self._session, self._own_session = session, session is None
        reach = faults.reach
        self._timeout = aiohttp.ClientTimeout(
            total=reach.timeout,
            # A session of the caller's may make calls wait for a free connection.
            connect=reach.connect_timeout if self._own_session else None,
            sock_connect=reach.connect_timeout,
        )

    async def exchange(
        self,
        method: str,
        url: URL,
        body: bytes | Sequence[bytes] | None,
        on_data: Callable[[bytes], None] | None,
    ) -> HttpReply:
        """Send a request and return the reply."""
        if self._session is None:
            self._session = _open_session()
        proxy = self._faults.reach.proxy
        login: Mapping[str, str] = proxy.login if proxy is not None else {}
        try:
            async with self._session.request(
                method,
                url,
                data=_sendable(body),
                headers=self._headers if url.scheme == "https" else {**self._headers, **login},
                timeout=self._timeout,
                allow_redirects=False,
                ssl=self._faults.reach.tls,
                proxy=proxy.url if proxy is not None else None,
                proxy_headers=login if url.scheme == "https" else None,  # of the tunnel
            ) as response:
                listener = on_data if is_events(response.status, response.headers) else None
                read = await self._body(response, listener)
                return HttpReply(response.status, response.headers, read)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._told(error, url) from error

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
            if size > self._faults.max_reply_bytes:
                response.close()
                raise self._faults.too_long(response.status)
            chunks.append(chunk)
            if on_data is not None:
                on_data(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _told(self, error: Exception, url: URL) -> ModelError:
        words = _OBJECT.sub("", str(error)) or type(error).__name__
        if query := url.raw_query_string:  # it may hold a key
            words = words.replace(f"?{query}", "")
        said = quoted(words)
        faults = self._faults
        match error:
            case aiohttp.ConnectionTimeoutError():
                return faults.late_connection()
            case TimeoutError():
                return faults.late_reply()
            case aiohttp.ClientHttpProxyError():
                return faults.refused_by_proxy(error.status, said)
            case aiohttp.ClientProxyConnectionError():
                return faults.no_proxy(error.os_error, said)
            case aiohttp.ClientConnectorCertificateError():
                return faults.unsent(_certificate(error))
            case aiohttp.ClientConnectorSSLError():
                what = f"the server does not speak TLS ({said}); base_url should begin with http://"
                return faults.unsent(what)
            case aiohttp.ClientConnectorError():
                return faults.unreachable(error.os_error, said)
            case aiohttp.InvalidURL():
                return faults.unsent(f"cannot connect ({said}); check base_url")
            case aiohttp.ClientPayloadError():
                return faults.cut_short(said)
            case aiohttp.ClientResponseError():
                return faults.not_http(said)
            case _:
                return faults.broke(said)


def _open_session() -> aiohttp.ClientSession:
    """Open an HTTP session without implicit headers, cookies or proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,  # it would send what is in ~/.netrc
    )


def _sendable(body: bytes | Sequence[bytes] | None) -> "bytes | _Pieces | None":
    """Return a body as it is sent: a long one in pieces, between which others have their turn."""
    if body is None:
        return None
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
