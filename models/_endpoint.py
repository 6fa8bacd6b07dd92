"""A lean client of any OpenAI-compatible server."""

import base64
import errno
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import aiohttp
from yarl import URL

from ..datasets import BadReplyError, ConfigurationError, ModelError, TransportError
from ._chat import ChatRequest, Completion, Modality
from ._http_errors import parse_retry_after, quoted, status_error
from ._redaction import redactor
from ._wire import (
    FILTER_NOTE,
    SCHEMA_NOTE,
    Dialect,
    InlineError,
    decode_error,
    decode_reply,
    encode_request,
)

_BYTES_LIMIT = 2**20  # above it aiohttp warns that bytes are sent in one piece
_IDLE_S = 4.0  # uvicorn, and so vLLM, closes idle connections after 5 s
_OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class EndpointModel:
    """A chat model behind any OpenAI-compatible URL.

    It makes one attempt a call and bounds nothing but time and size: retries,
    limits and budgets are wrapped around it.

    Args:
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`. A user and
            password in it are sent as basic authentication and shown nowhere.
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token, None for servers without keys.
        modalities: What the model takes in.
        timeout: Seconds for a whole call.
        connect_timeout: Seconds for the connection, within `timeout`.
        json_schema: `auto` sends schemas as `response_format`, and asks in words
            once the server has rejected that; `never` always asks in words.
        max_reply_bytes: Longest body that is read.
        headers: Further request headers.
        session: A session of the caller's, which then closes it; None makes one
            at the first call.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address.

    Example:
        >>> model = EndpointModel(base_url="http://127.0.0.1:8000/v1", model="qwen")
        >>> model.name
        'qwen@http://127.0.0.1:8000/v1'
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        modalities: frozenset[Modality] = frozenset({"text", "image"}),
        timeout: float = 120.0,
        connect_timeout: float = 10.0,
        json_schema: Literal["auto", "never"] = "auto",
        max_reply_bytes: int = 8 * 2**20,
        headers: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        base = _base(base_url)
        clean = base.with_user(None)
        self._model = model
        self._modalities = modalities
        self._url = (clean / "chat" / "completions").with_query(base.query)
        self._where = redactor.redact(str(clean.with_query(None)))
        self._headers = _headers(base, api_key, headers)
        self._keyed = "Authorization" in self._headers
        self._seconds = timeout
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout)
        self._most = max_reply_bytes
        self._dialect = Dialect(schema_in_words=json_schema == "never")
        self._session = session
        self._own_session = session is None

    @property
    def name(self) -> str:
        """Model and address, without user, password or query."""
        return f"{self._model}@{self._where}"

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the model takes in."""
        return self._modalities

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply to `request`.

        Raises:
            TransportError: No connection, a time-out, a body cut short, 408, 409 or
                5xx; permanent where nothing listens at the address.
            RateLimitError: 429.
            RequestError: Another 4xx; permanent for a wrong key, path or model.
            BadReplyError: A 200 that is not a chat completion; permanent where it is
                not JSON.
        """
        started = time.perf_counter()
        dialect = self._dialect
        answer = await self._post(encode_request(self._model, request, dialect))
        while (better := _after(answer, request, dialect)) is not None:
            dialect = better
            answer = await self._post(encode_request(self._model, request, dialect))
        completion = self._read(answer)
        if dialect is not self._dialect:
            self._dialect = self._dialect.merged(dialect)
        notes = completion.notes
        if request.json_schema is not None and dialect.schema_in_words:
            notes = (*notes, SCHEMA_NOTE)
        return replace(completion, latency_s=time.perf_counter() - started, notes=notes)

    async def aclose(self) -> None:
        """Close the connections, unless the session is the caller's."""
        if self._own_session and self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _post(self, body: bytes) -> _Answer:
        session = self._session or self._open()
        data = body if len(body) < _BYTES_LIMIT else io.BytesIO(body)
        try:
            async with session.post(
                self._url,
                data=data,
                headers=self._headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _Answer(response.status, response.headers, await self._body(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreached(error) from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        content, chunks, size = response.content, list[bytes](), 0
        while chunk := await content.readany():
            size += len(chunk)
            if size > self._most:
                response.close()
                raise BadReplyError(
                    f"{self.name} sent more than {self._most:,} bytes; reading stopped there:"
                    " check that base_url is a model's, or lower max_tokens",
                    status=response.status,
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self._session

    def _read(self, answer: _Answer) -> Completion:
        if answer.status != 200:
            return self._rejected(answer.status, answer)
        try:
            return decode_reply(answer.body)
        except InlineError as inline:
            code = decode_error(inline.body).code
            status = int(code) if code.isdecimal() and 400 <= int(code) < 600 else 502
            return self._rejected(status, answer)
        except BadReplyError as error:
            quote = quoted(answer.body[: 64 * 1024].decode("utf-8", "replace"))
            raise BadReplyError(
                f"{self.name}: {error} (it begins {quote})",
                status=answer.status,
                permanent=error.permanent,
            ) from error

    def _rejected(self, status: int, answer: _Answer) -> Completion:
        complaint = decode_error(answer.body)
        if complaint.filtered and 400 <= status < 500:
            return Completion("", "content_filter", notes=(FILTER_NOTE,))
        raise status_error(
            self.name,
            status,
            complaint,
            retry_after=parse_retry_after(answer.headers),
            keyed=self._keyed,
        )

    def _unreached(self, error: Exception) -> ModelError:
        said = quoted(str(error) or type(error).__name__)
        match error:
            case aiohttp.ConnectionTimeoutError():
                what = "no connection in time; check that base_url is right and reachable"
                return TransportError(f"{self.name}: {what}", permanent=True)
            case TimeoutError():
                what = f"no reply within {self._seconds:g} s; raise the timeout or ask less at once"
                return TransportError(f"{self.name}: {what}")
            case aiohttp.ClientConnectorError():
                what = f"cannot connect ({said}); is the server up, and is base_url right?"
                return TransportError(
                    f"{self.name}: {what}", permanent=error.os_error.errno not in _OURS
                )
            case aiohttp.ClientConnectorCertificateError() | aiohttp.InvalidURL():
                what = f"cannot connect ({said}); check base_url"
                return TransportError(f"{self.name}: {what}", permanent=True)
            case aiohttp.ClientPayloadError():
                return TransportError(f"{self.name}: the reply was cut short ({said})")
            case aiohttp.ClientResponseError():
                what = f"what answers does not speak HTTP ({said}); check base_url"
                return BadReplyError(f"{self.name}: {what}", permanent=True)
            case _:
                return TransportError(f"{self.name}: the connection broke ({said})")


def _base(text: str) -> URL:
    try:
        base = URL(text.strip())
        usable = base.scheme in ("http", "https") and bool(base.host)
    except ValueError:
        base, usable = URL(), False
    if not usable:
        raise ConfigurationError(
            f"base_url {redactor.redact(text)!r} is not an address such as"
            " http://127.0.0.1:8000/v1; write it with http:// or https://"
        )
    path = base.path.rstrip("/").removesuffix("/chat/completions")
    return base.with_path(path or "/", keep_query=True).with_fragment(None)


def _headers(base: URL, api_key: str | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers["User-Agent"] = "safejury"
    if base.user or base.password:
        user, password = base.user or "", base.password or ""
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
        redactor.register(password)
        redactor.register(basic)
    if key := (api_key or "").strip():
        headers["Authorization"] = f"Bearer {key}"
        redactor.register(key)
    for name, value in (extra or {}).items():
        if any(word in name.lower() for word in ("key", "auth", "token", "secret")):
            redactor.register(value)
            redactor.register(value.partition(" ")[2])
        headers[name] = value
    return headers


def _after(answer: _Answer, request: ChatRequest, dialect: Dialect) -> Dialect | None:
    """Return how to ask again after a rejection, None where that won't help."""
    if answer.status not in (400, 422, 501):
        return None
    complaint = decode_error(answer.body)
    return None if complaint.filtered else dialect.learn(request, complaint.text)
