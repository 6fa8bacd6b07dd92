"""The chat interface of every model: a request in, a completion out."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

import msgspec
from msgspec import UNSET, UnsetType

from ...datasets import Media, Role, ToolCall
from ._tools import OneTool, ToolChoice, ToolSpec
from ._usage import Usage
from ._work import AgentWork

Modality = Literal["text", "image", "audio"]
FinishReason = Literal["stop", "length", "content_filter", "other"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text in a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture in a message; its bytes are sent unchanged."""

    media: Media


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Audio in a message; its bytes are sent unchanged."""

    media: Media


Part = TextPart | ImagePart | AudioPart


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation.

    Attributes:
        role: Who speaks.
        parts: What is said and shown.
        tool_calls: The tools that an assistant called.
        tool_call_id: The call that a tool's message answers.
        name: The tool that answers, or which of several users speaks.
    """

    role: Role
    parts: tuple[Part, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @classmethod
    def of(cls, role: Role, text: str) -> "ChatMessage":
        """Create a message with text only."""
        return cls(role, (TextPart(text),))


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters; None leaves the provider's default.

    Attributes:
        temperature: At least 0; 0 is greedy.
        top_p: In (0, 1].
    """

    temperature: float | None = None
    top_p: float | None = None

    def or_greedy(self) -> "Sampling":
        """Return this sampling, or greedy sampling if it is empty."""
        return Sampling(temperature=0.0) if self == Sampling() else self


class _Remembering:
    """Base of plain data that remember what was computed of them, beside their fields."""

    __slots__ = ("_known",)

    _known: object


@dataclass(frozen=True, slots=True)
class JsonSchema(_Remembering):
    """The JSON schema of a reply.

    Attributes:
        name: Letters, digits and underscores.
        schema: JSON Schema as plain data.
    """

    name: str
    schema: Mapping[str, object]

    def written(self) -> bytes:
        """Return the schema as JSON, always in the same order; many requests have the same."""
        known = getattr(self, "_known", None)
        if not isinstance(known, bytes):
            known = msgspec.json.encode(self.schema, order="deterministic")
            object.__setattr__(self, "_known", known)
        return known


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Extra options of every request to one model.

    Attributes:
        parameters: JSON object of parameters of OpenAI's API and LiteLLM, such as `stop` and
            `reasoning_effort`.
        extra_body: JSON object of other fields that the provider accepts in the body.
        headers: Names of further HTTP headers; their values are not part of a request.
    """

    parameters: str = "{}"
    extra_body: str = "{}"
    headers: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        parameters: Mapping[str, object],
        extra_body: Mapping[str, object],
        headers: Iterable[str] = (),
    ) -> "RequestOptions":
        """Create options from plain data."""
        return cls(_written(parameters), _written(extra_body), tuple(sorted(headers)))

    def over(self, other: "RequestOptions | None") -> "RequestOptions":
        """Return these options with what another has beside them; these decide."""
        if other is None:
            return self
        parts = ((self.parameters, other.parameters), (self.extra_body, other.extra_body))
        parameters, body = (_merged(_read(theirs), _read(ours)) for ours, theirs in parts)
        return RequestOptions.of(parameters, body, {*self.headers, *other.headers})

    def in_body(self) -> dict[str, object]:
        """Return the fields to add to the body of a request."""
        parts = (self.extra_body, self.parameters)
        return {name: value for part in parts for name, value in _read(part).items()}


@dataclass(frozen=True, slots=True)
class ChatRequest(_Remembering):
    """A chat request: everything that decides the reply.

    Attributes:
        messages: The conversation so far, oldest first.
        json_schema: JSON schema of the reply, if it must have one.
        sampling: Sampling parameters.
        seed: Seed for providers that accept one.
        max_tokens: Maximum tokens of the reply.
        call_id: Names the call within a run (`case/round/seat/attempt`); not part
            of what is sent, nor of `key`.
        keep_sent: Whether the completion should carry what was sent, as evidence;
            not part of what is sent, nor of `key`.
        options: Extra options from the model's config, or of this request alone.
        top_logprobs: How many of the likeliest tokens to return for each token of the
            reply, 1 to 20; None asks for none.
        tools: The tools that the model may call.
        tool_choice: Whether it must call one; without effect where there are no tools.
        on_text: Is given the reply's text so far whenever more has come, by models that
            stream; a call that is tried again begins anew. Not part of `key`.
    """

    messages: tuple[ChatMessage, ...]
    json_schema: JsonSchema | None = None
    sampling: Sampling = Sampling()
    seed: int | None = None
    max_tokens: int | None = None
    call_id: str = ""
    keep_sent: bool = False
    options: RequestOptions | None = None
    top_logprobs: int | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    on_text: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    def key(self, model: str) -> str:
        """Return the SHA-256 hex digest of `model` and everything sent to it.

        Media enter by their content hash, never by their path. It is computed once.
        """
        known = cast("tuple[str, str] | None", getattr(self, "_known", None))
        if known is None or known[0] != model:
            known = model, self._hashed(model)
            object.__setattr__(self, "_known", known)
        return known[1]

    def _hashed(self, model: str) -> str:
        schema = self.json_schema
        sent = (
            model,
            [_turn(message) for message in self.messages],
            (schema.name, msgspec.Raw(schema.written())) if schema else None,
            (self.sampling.temperature, self.sampling.top_p),
            self.seed,
            self.max_tokens,
        )
        if self.options is not None:  # without options, the key of earlier versions stays
            asked = self.options
            sent = (*sent, (asked.parameters, asked.extra_body, asked.headers))
        if self.top_logprobs is not None:
            sent = (*sent, ("top_logprobs", self.top_logprobs))
        if self.tools:
            sent = (*sent, _offered(self.tools, self.tool_choice))
        return hashlib.sha256(msgspec.json.encode(sent, order="deterministic")).hexdigest()


def _written(part: Mapping[str, object]) -> str:
    return msgspec.json.encode(part, order="deterministic").decode()


def _read(part: str) -> dict[str, object]:
    return msgspec.json.decode(part, type=dict[str, object])


def _merged(one: Mapping[str, object], two: Mapping[str, object]) -> dict[str, object]:
    """Return two JSON objects as one; where both have a value, the second's counts."""
    both = {**one, **two}
    for name in one.keys() & two.keys():
        first, second = one[name], two[name]
        if isinstance(first, dict) and isinstance(second, dict):
            both[name] = _merged(
                cast("dict[str, object]", first), cast("dict[str, object]", second)
            )
    return both


def _turn(message: ChatMessage) -> tuple[object, ...]:
    turn = message.role, [_identity(part) for part in message.parts]
    calls = [(call.name, call.arguments, call.id) for call in message.tool_calls]
    # Without tools, the key of earlier versions stays.
    about = (calls, message.tool_call_id, message.name)
    return (*turn, *about) if any(about) else turn


def _offered(tools: Iterable[ToolSpec], choice: ToolChoice) -> dict[str, object]:
    known = [(tool.name, tool.description, tool.parameters, tool.strict) for tool in tools]
    return {"tools": known, "choice": [choice.name] if isinstance(choice, OneTool) else choice}


def _identity(part: Part) -> tuple[str, str]:
    match part:
        case TextPart(text):
            return "text", text
        case ImagePart(media):
            return "image", media.sha256
        case AudioPart(media):
            return "audio", media.sha256


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The request as it was sent, kept as evidence.

    Attributes:
        sha256: Hex digest of `body`, which stands for the request: media are in it
            by their hash.
        body: The request's JSON, with `sha256:<hex>;<media type>;<bytes>` in place
            of the base64 of each medium.
        media: The pictures and sounds, in their order.
        dropped: Parameters that were left out because the server rejects them.
    """

    sha256: str
    body: str
    media: tuple[Media, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """A token of a reply, and what else could have stood there.

    Attributes:
        token: Its text.
        top: The likeliest tokens in its place with the logarithms of their probabilities.
    """

    token: str
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply.

    Attributes:
        text: The reply's text, empty if there is none.
        finish_reason: Why it ended; `content_filter` means a provider's filter
            stopped it, whether it said so in a reply or in an error.
        refusal: The provider's own refusal field, None if it is not set.
        usage: Tokens spent.
        latency_s: Seconds from sending to the last byte, retries included.
        provider_model: The model's name as the provider reports it.
        cost_usd: US dollars; None if the price is unknown, never 0 for that.
        notes: What was done differently from what was asked, one sentence each
            (such as a schema that was asked for in words).
        reused: Whether it came from a cache or a journal and cost nothing now.
        attempts: Calls made for it, retries included.
        sent: What was sent, None unless the request asked to keep it.
        logprobs: The first tokens of the reply with their alternatives; unset unless the
            request asked for them and the provider returned them.
        work: What an agent did for it, unset where a model answered.
        called: The tools that it calls, unset where it calls none; see `tool_calls`.
    """

    text: str
    finish_reason: FinishReason
    refusal: str | None = None
    usage: Usage = field(default_factory=Usage)
    latency_s: float = 0.0
    provider_model: str | None = None
    cost_usd: float | None = None
    notes: tuple[str, ...] = ()
    reused: bool = False
    attempts: int = 1
    sent: SentRequest | None = None
    logprobs: tuple[TokenLogprobs, ...] | UnsetType = UNSET
    work: AgentWork | UnsetType = UNSET
    called: tuple[ToolCall, ...] | UnsetType = UNSET

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that it calls, of those offered; `text` is then what it says beside them."""
        return () if isinstance(self.called, UnsetType) else self.called

    @property
    def filtered(self) -> bool:
        """Whether a provider's filter stopped the reply."""
        return self.finish_reason == "content_filter"

    @property
    def is_empty(self) -> bool:
        """Whether the reply is empty, though neither a filter nor the token limit stopped it."""
        if self.filtered or self.finish_reason == "length":
            return False
        return not (self.text.strip() or (self.refusal or "").strip() or self.tool_calls)

    @property
    def written(self) -> str:
        """All that the model wrote: the text, and what it calls tools with."""
        if self.called is UNSET:
            return self.text
        calls = (f"{call.name}{call.arguments}" for call in self.tool_calls)
        return "".join((self.text, *calls))


class ChatModel(Protocol):
    """The interface of a chat model; see `takes_tools` for those that can call tools."""

    @property
    def name(self) -> str:
        """Identifies model and place, without secrets; part of cache keys."""
        ...

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that it accepts; `text` is always included."""
        ...

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply.

        A refusal or a filtered reply is a completion, not an error.

        Raises:
            ModelError: The call failed; the subclass says how.
            FirstContactError: The model never answered once and waiting won't help.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and processes; may be called twice."""
        ...


def takes_tools(model: ChatModel) -> bool:
    """Return whether a model can be offered tools: it says so by an attribute of this name.

    One without it would ignore them.
    """
    return getattr(model, "takes_tools", False)
