"""A lean client for any OpenAI-compatible server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from yarl import URL

from ...common import BadReplyError, ModelError, RequestError
from ..chat import ChatRequest, Completion, Modality, SentRequest, redactor
from ._dialect import Dialect
from ._event_stream import TextListener, whole_reply
from ._http_errors import parse_retry_after, quoted, status_error
from ._transport import endpoint_headers, parse_base, proxy_for, tls_context
from ._wire_reply import FILTERED_REPLY, CallFacts, Rejection, read_reply
from ._wire_request import RequestBody, encode_body, load_media, sent_request
from .http import Connection, ConnectionOptions, HttpReply, is_events, proxy_login_advice

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class _Place:
    """A chat completions URL, with a note about it."""

    url: URL
    notes: tuple[str, ...] = ()


class EndpointModel:
    """A chat model behind any OpenAI-compatible URL.

    It bounds nothing but time and size: retries, limits and budgets are wrapped around
    it. What the server rejects is left out or asked for otherwise, at once and from then
    on, with a note in each completion that it changes; an address without `/v1` is
    tried with it.

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
        ca_file: PEM file of certificates that are trusted beside the usual ones.
        verify_tls: Whether the server's certificate is checked.
        proxy: Address of an HTTP proxy; None takes the environment's for public
            addresses. A user and password in it are shown nowhere.
        max_reply_bytes: Longest body that is read.
        headers: Further request headers.
        session: A session of the caller's, which then closes it; None makes one
            at the first call.

    Raises:
        ConfigurationError: `base_url` or `proxy` is not an HTTP address, `ca_file`
            cannot be used, or a key or header cannot be sent.

    Example:
        >>> model = EndpointModel(base_url="http://127.0.0.1:8000/v1", model="qwen")
        >>> model.name
        'qwen@http://127.0.0.1:8000/v1'
    """

    path = ("chat", "completions")
    """Of its calls below the API's address."""
    takes_tools = True
    """Whether requests may offer tools; a server that takes none says so itself."""

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
        ca_file: str | None = None,
        verify_tls: bool = True,
        proxy: str | None = None,
        max_reply_bytes: int = 8 * 2**20,
        headers: Mapping[str, str] | None = None,
        session: "aiohttp.ClientSession | None" = None,
    ) -> None:
        base = parse_base(base_url)
        self._model = model
        self._modalities = modalities
        self._name = f"{model}@{_shown(base)}"
        self._place, self._spare = _Place(_url(base, self.path)), _with_version(base, self.path)
        sent = endpoint_headers(base, api_key, headers)
        self._keyed = "Authorization" in sent
        self._dialect = Dialect(schema_in_words=json_schema == "never")
        tls = tls_context(ca_file, verify=verify_tls)
        reach = ConnectionOptions(timeout, connect_timeout, tls, proxy_for(base, proxy))
        self._connection = Connection(
            self.name, sent, reach, max_reply_bytes=max_reply_bytes, session=session
        )

    @property
    def name(self) -> str:
        """Model and address as given, without user, password or query."""
        return self._name

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model accepts."""
        return self._modalities

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply to `request`.

        Raises:
            TransportError: No connection, a time-out, a body cut short, 408, 409 or
                5xx; permanent where nothing listens at the address or its certificate
                is not trusted.
            RateLimitError: 429.
            RequestError: Another 4xx; permanent for a wrong key, path or model.
            BadReplyError: A 200 that is not a chat completion; permanent where it is
                not JSON.
        """
        started = time.perf_counter()
        place, spare = self._place, self._spare  # another call may settle it meanwhile
        try:
            completion = await self._converse(request, place, started)
        except ModelError as error:
            if spare is None or not _misplaced(error):
                raise
            place = spare
            completion = await self._try_elsewhere(request, place, started, error)
        self._place, self._spare = place, None
        return completion

    async def aclose(self) -> None:
        """Close the connections, unless the session is the caller's."""
        await self._connection.aclose()

    async def _try_elsewhere(
        self, request: ChatRequest, place: _Place, started: float, first: ModelError
    ) -> Completion:
        try:
            return await self._converse(request, place, started)
        except ModelError as second:
            if _misplaced(second):
                raise first from second
            raise

    async def _converse(self, request: ChatRequest, place: _Place, started: float) -> Completion:
        """Send the request, adapting it after each rejection, until the server accepts it."""
        dialect = self._dialect
        shown = await load_media(request)
        while True:
            body = self._encoded(request, dialect)
            listener = None if request.on_text is None else TextListener(request.on_text).feed
            reply = await self._connection.post(place.url, body, on_event_data=listener)
            call = CallFacts(
                (*dialect.notes(request), *place.notes),
                self._evidence(request, dialect, body) if request.keep_sent else None,
                time.perf_counter() - started,
            )
            said = self._read(reply, call, tools=bool(request.tools))
            if isinstance(said, Completion):
                break
            better = dialect.learn(request, said.complaint, said.status)
            if better is None:
                said = self._rejected(said, call, parse_retry_after(reply.headers))
                break
            dialect = better
        del shown  # until here it is shared
        if dialect is not self._dialect:
            self._dialect = self._dialect.merged(dialect)
        return said

    def _read(self, reply: HttpReply, call: CallFacts, *, tools: bool) -> Completion | Rejection:
        try:
            return self._decoded(reply, call, tools=tools)
        except BadReplyError as error:
            quote = quoted(reply.body[: 64 * 1024].decode("utf-8", "replace"))
            raise BadReplyError(
                f"{self.name}: {error} (it begins {quote})",
                status=reply.status,
                permanent=error.permanent,
            ) from error

    def _encoded(self, request: ChatRequest, dialect: Dialect) -> RequestBody:
        return encode_body(self._model, request, dialect)

    def _evidence(self, request: ChatRequest, dialect: Dialect, body: RequestBody) -> SentRequest:
        return sent_request(self._model, request, dialect, body)

    def _decoded(self, reply: HttpReply, call: CallFacts, *, tools: bool) -> Completion | Rejection:
        streamed = is_events(reply.status, reply.headers)
        body = whole_reply(reply.body) if streamed else reply.body
        return read_reply(reply.status, body, tools=tools, call=call)

    def _rejected(self, said: Rejection, call: CallFacts, retry_after: float | None) -> Completion:
        """Return a completion for a filter's rejection; raise any other rejection."""
        if said.complaint.filtered and 400 <= said.status < 500:
            notes = (*FILTERED_REPLY.notes, *call.notes)
            return replace(FILTERED_REPLY, **call._replace(notes=notes)._asdict())
        if said.status == 407:
            what = proxy_login_advice("the proxy")
            raise RequestError(f"{self.name}: {what}", status=407, permanent=True)
        raise status_error(
            self.name,
            said.status,
            said.complaint,
            retry_after=retry_after,
            keyed=self._keyed,
        )


def _url(base: URL, path: tuple[str, ...]) -> URL:
    return base.with_user(None).joinpath(*path).with_query(base.query)


def _shown(base: URL) -> str:
    return redactor.redact(str(base.with_user(None).with_query(None)).rstrip("/"))


def _with_version(base: URL, path: tuple[str, ...]) -> _Place | None:
    """Return the place with `/v1` added, None if the address already has it."""
    if base.name == "v1":
        return None
    versioned = (base / "v1").with_query(base.query)
    return _Place(_url(versioned, path), (f"base_url was used with /v1: {_shown(versioned)}",))


def _misplaced(error: ModelError) -> bool:
    """Return whether the API seems to be at another address."""
    return error.status in (404, 405) or (isinstance(error, BadReplyError) and error.permanent)
