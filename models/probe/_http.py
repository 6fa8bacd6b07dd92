"""Sends the requests of a probe, counts them, and describes failures."""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from yarl import URL

from ...common import BadReplyError, ModelError
from ..chat import Completion, redactor
from ..endpoint import (
    Connection,
    ConnectionOptions,
    InlineError,
    decode_error,
    decode_reply,
    endpoint_headers,
    parse_base,
    parse_retry_after,
    quoted,
)

MOST_CALLS = 36
_MOST_TIMEOUTS = 3
_MOST_BYTES = 8 * 2**20
_LONGEST_WAIT_S = 20.0
_LONGEST_TEXT = 60
_LONGEST_REQUEST = 600
_NAME = "it"  # begins the errors of a connection
_KEPT = "api-version"  # of a query's keys, the one that is no secret
_PASSING = {408, 409, 429, 502, 503, 504}

Fields = dict[str, object]
Message = Mapping[str, object]


class _RawChoice(msgspec.Struct):
    finish_reason: str | None = None
    logprobs: msgspec.Raw = msgspec.Raw(b"null")


class _Raw(msgspec.Struct):
    choices: list[_RawChoice] = []


_raw = msgspec.json.Decoder(_Raw)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one request.

    Attributes:
        request: The request as it is shown.
        status: HTTP status, None if no reply came.
        body: The bytes of the reply.
        completion: What was said, None if it is no chat completion.
        finish_reason: As the server says it.
        has_logprobs: Whether the reply carries them.
        complaint: The server's own words where it refused.
        problem: Status and complaint in quotes, empty where all is well.
        seconds: Time until the last byte.
    """

    request: str
    status: int | None = None
    body: bytes = b""
    completion: Completion | None = None
    finish_reason: str | None = None
    has_logprobs: bool = False
    complaint: str = ""
    problem: str = ""
    seconds: float = 0.0

    @property
    def refused(self) -> bool:
        """Whether the server rejected the request, rather than failed or was busy."""
        return self.status is not None and self.status >= 400 and self.status not in _PASSING

    @property
    def misplaced(self) -> bool:
        """Whether the address looks wrong."""
        return self.status in (404, 405) or (self.status == 200 and self.completion is None)

    @property
    def prompt_tokens(self) -> int | None:
        """Prompt tokens of the request, None if the server does not report them."""
        return None if self.completion is None else self.completion.usage.prompt_tokens


class ProbeClient:
    """Sends a probe's requests one at a time, and counts what they cost.

    Args:
        base: The address to ask; a user and password in it are sent.
        model: The model's name, empty until it is known.
        api_key: Sent as a bearer token, None for none.
        reach: How the server is reached.

    Attributes:
        base: The address in use.
        model: The model that is asked.
        cap_name: What the cap on a reply's tokens is called, None to send none.
        least_cap: Tokens that a reply needs before words come.
        calls: Requests sent so far.
        prompt_tokens: Tokens of all requests.
        completion_tokens: Tokens of all replies.
        gone: Why nothing more is sent, empty while all is well.
    """

    def __init__(
        self, base: URL, model: str, *, api_key: str | None, reach: ConnectionOptions
    ) -> None:
        for name, value in base.query.items():
            if name != _KEPT:
                redactor.register(value)
        self.base = base.with_user(None)
        headers = endpoint_headers(base, api_key, None)
        self._connection = Connection(_NAME, headers, reach, max_reply_bytes=_MOST_BYTES)
        self._timeouts = 0
        self._wait = 1.0
        self.model = model
        self.cap_name: str | None = "max_tokens"
        self.least_cap = 0
        self.calls = self.prompt_tokens = self.completion_tokens = 0
        self.gone = ""

    @property
    def where(self) -> str:
        """The address in use, as shown and written to a config."""
        kept = {key: value for key, value in self.base.query.items() if key == _KEPT}
        return redactor.redact(str(self.base.with_query(kept)).rstrip("/"))

    @property
    def has_version(self) -> bool:
        """Whether the address includes an API version, such as `/v1`."""
        return re.search(r"/v\d", self.base.path) is not None

    async def get(self, path: str) -> Answer:
        """Get a path below the address."""
        return await self._send("GET", path, None)

    async def ask(
        self,
        messages: Sequence[Message] | str,
        *,
        cap: int = 16,
        exact: bool = False,
        **fields: object,
    ) -> Answer:
        """Request a chat completion.

        Args:
            messages: The conversation, or the words of one user's message.
            cap: Tokens that the reply may have.
            exact: Whether `cap` holds even where a reply needs more for its words.
            fields: Further keys of the request's body.
        """
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        body: Fields = {"model": self.model, "messages": messages, **fields}
        if self.cap_name is not None:
            body[self.cap_name] = cap if exact else max(cap, self.least_cap)
        return await self._send("POST", "chat/completions", body)

    async def _send(self, method: str, path: str, body: Fields | None) -> Answer:
        answer = await self._once(method, path, body)
        if answer.status in (429, 503):
            await asyncio.sleep(min(self._wait, _LONGEST_WAIT_S))
            answer = await self._once(method, path, body)
        return answer

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    async def _once(self, method: str, path: str, body: Fields | None) -> Answer:
        if self.calls >= MOST_CALLS and not self.gone:
            self.gone = f"{MOST_CALLS} requests were sent already"
        url = self.base.joinpath(*path.split("/")).with_query(self.base.query)
        shown = _shown(method, url, body)
        if self.gone:
            return Answer(shown, problem=f"not asked: {self.gone}")
        self.calls += 1
        started = time.perf_counter()
        try:
            if body is None:
                got = await self._connection.get(url)
            else:
                got = await self._connection.post(url, msgspec.json.encode(body))
        except ModelError as error:
            return Answer(shown, problem=self._unreached(error))
        self._wait = parse_retry_after(got.headers) or 1.0
        return self._judge(shown, got.status, got.body, time.perf_counter() - started)

    def _judge(self, shown: str, status: int, raw: bytes, seconds: float) -> Answer:
        if not 200 <= status < 300:
            return _refusal(shown, status, raw, seconds)
        try:
            completion = decode_reply(raw)
            choice = _raw.decode(raw).choices[0]
        except InlineError:
            return _refusal(shown, 400, raw, seconds)
        except (BadReplyError, msgspec.DecodeError, LookupError) as error:
            begins = quoted(raw[:1000].decode("utf-8", "replace"))
            problem = f"{error} (it begins {begins})" if raw.strip() else "an empty reply"
            return Answer(shown, status, raw, problem=problem, seconds=seconds)
        self.prompt_tokens += completion.usage.prompt_tokens or 0
        self.completion_tokens += completion.usage.completion_tokens or 0
        return Answer(
            shown,
            status,
            raw,
            completion,
            finish_reason=choice.finish_reason,
            has_logprobs=bytes(choice.logprobs) not in (b"null", b"", b"{}", b"[]"),
            seconds=seconds,
        )

    def _unreached(self, error: ModelError) -> str:
        if error.permanent:
            self.gone = "the server cannot be reached"
        if isinstance(error.__cause__, TimeoutError):
            self._timeouts += 1
            if self._timeouts >= _MOST_TIMEOUTS:
                self.gone = f"{_MOST_TIMEOUTS} requests had no reply in time"
        return str(error).removeprefix(f"{_NAME}: ")


def parse_address(text: str) -> URL:
    """Parse the API's address from `text`, which may include one of its paths.

    Raises:
        ConfigurationError: It is not an HTTP address.
    """
    base = parse_base(text)
    return base.with_path(base.path.removesuffix("/models") or "/", keep_query=True)


def _refusal(shown: str, status: int, raw: bytes, seconds: float) -> Answer:
    complaint = decode_error(raw).text
    problem = f"{status}: {quoted(complaint)}" if complaint.strip() else f"{status}, no message"
    return Answer(shown, status, raw, complaint=complaint, problem=problem, seconds=seconds)


def _shown(method: str, url: URL, body: Fields | None) -> str:
    """Format a request for display: short, without media and secrets."""
    line = f"{method} {url.with_query(None)}"
    if body is not None:
        line += f" {msgspec.json.encode(_short(body)).decode()}"
    line = redactor.redact(line)
    return line if len(line) <= _LONGEST_REQUEST else f"{line[: _LONGEST_REQUEST - 1]}…"


def _short(value: object) -> object:
    match value:
        case {"data": str(data), "format": str(kind)}:
            return {"data": _stand_in(base64.b64decode(data), f"audio/{kind}"), "format": kind}
        case dict():
            return {key: _short(inner) for key, inner in cast("Fields", value).items()}
        case list():
            return [_short(inner) for inner in cast("list[object]", value)]
        case str() if value.startswith("data:"):
            kind, _, data = value.removeprefix("data:").partition(";base64,")
            return _stand_in(base64.b64decode(data), kind)
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[:_LONGEST_TEXT]}… ({len(value):,} characters)"
        case _:
            return value


def _stand_in(data: bytes, kind: str) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()[:12]}…;{kind};{len(data)}"
