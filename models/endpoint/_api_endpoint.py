"""Calls OpenAI-compatible APIs other than chat, such as image generation."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
from yarl import URL

from ...common import FirstContactError, ModelError
from ..chat import redactor
from ..middleware import Limiter, Retries, RetryPolicy, is_hopeless
from ._error_reply import ErrorReply, decode_error
from ._http_errors import parse_retry_after, quoted, status_error
from ._transport import endpoint_headers, parse_base, proxy_for
from .http import Connection, ConnectionOptions, HttpReply

_REJECTED = (400, 422)


@dataclass(frozen=True, slots=True)
class Filtered:
    """The result of a call that a provider's filter stopped.

    Attributes:
        detail: What the provider said, a line.
    """

    detail: str


class ApiEndpoint:
    """Calls one API endpoint with the same retries and limits as a chat model.

    Fields that the server rejects are left out from then on, where they are optional.

    Args:
        path: Of the call below the API's address, such as `images/generations`.
        base_url: The API's address, such as `http://127.0.0.1:8000/v1`. A user and
            password in it are sent as basic authentication and shown nowhere.
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token, None for servers without keys.
        concurrency: Most calls at a time.
        policy: How often failed calls are tried again.
        accept: MIME type that replies should have.
        timeout: Seconds for a whole call.
        max_reply_bytes: Longest body that is read.

    Raises:
        ConfigurationError: `base_url` is not an HTTP address, or a key cannot be sent.
    """

    def __init__(
        self,
        path: str,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        concurrency: int = 8,
        policy: RetryPolicy | None = None,
        accept: str = "application/json",
        timeout: float = 300.0,
        max_reply_bytes: int = 64 * 2**20,
    ) -> None:
        base = parse_base(base_url)
        self.name = f"{model}@{redactor.redact(str(base.with_user(None).with_query(None)))}"
        """Model and address, without user, password or query."""
        self._model = model
        self._url: URL = (base.with_user(None) / path).with_query(base.query)
        headers = endpoint_headers(base, api_key, {"Accept": accept})
        self._keyed = "Authorization" in headers
        reach = ConnectionOptions(timeout, min(10.0, timeout), True, proxy_for(base, None))
        self._connection = Connection(self.name, headers, reach, max_reply_bytes=max_reply_bytes)
        self._limiter = Limiter(concurrency)
        self._retries = Retries(policy)
        self._left_out = frozenset[str]()
        self._answered = False

    async def post(
        self, fields: Mapping[str, object], *, optional: Collection[str] = ()
    ) -> HttpReply | Filtered:
        """Post `fields` with the model's name, and return the reply of status 200.

        Args:
            fields: What is asked.
            optional: Names of those that may be left out.

        Raises:
            FirstContactError: It never answered once and waiting won't help.
            ModelError: The call failed; see `EndpointModel.complete`.
        """
        try:
            tried = await self._retries.run(partial(self._once, fields, frozenset(optional)))
        except ModelError as error:
            if self._answered or not is_hopeless(error):
                raise
            raise FirstContactError(str(error)) from error
        self._answered = True
        return tried.value

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._connection.aclose()

    async def _once(
        self, fields: Mapping[str, object], optional: frozenset[str]
    ) -> HttpReply | Filtered:
        async with self._limiter.slot():
            while True:
                left_out = self._left_out & optional
                sent = {key: value for key, value in fields.items() if key not in left_out}
                body = msgspec.json.encode({"model": self._model, **sent})
                reply = await self._connection.post(self._url, body)
                if reply.status == 200:
                    return reply
                complaint = decode_error(reply.body)
                if complaint.filtered and 400 <= reply.status < 500:
                    return Filtered(quoted(complaint.text))
                rejected = _rejected(complaint, reply.status, optional & sent.keys())
                if not rejected:
                    raise self._error(reply, complaint)
                self._left_out |= rejected

    def _error(self, reply: HttpReply, complaint: ErrorReply) -> ModelError:
        return status_error(
            self.name,
            reply.status,
            complaint,
            retry_after=parse_retry_after(reply.headers),
            keyed=self._keyed,
        )


def _rejected(complaint: ErrorReply, status: int, names: Collection[str]) -> frozenset[str]:
    """Return the sent fields that a rejection names."""
    if status not in _REJECTED:
        return frozenset()
    if complaint.param in names:
        return frozenset({complaint.param})
    return frozenset(name for name in names if re.search(rf"\b{name}\b", complaint.text))
