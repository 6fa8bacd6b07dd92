"""Any chat model as the client that AutoGen's agents expect.

AutoGen's own message types stop at this module. Its image type keeps decoded pixels
and encodes them anew: evidence for jurors travels as `Media` and never through here.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from autogen_core import CancellationToken, FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelCapabilities,  # pyright: ignore[reportDeprecated]  (its base class still wants it)
    ModelFamily,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ...common import ConfigurationError
from ...datasets import Media
from ...models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    FinishReason,
    ImagePart,
    JsonSchema,
    Part,
    Sampling,
    TextPart,
)

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_IMAGE = 1600
_FINISH: dict[FinishReason, Literal["stop", "length", "content_filter", "unknown"]] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "other": "unknown",
}


class AgentChatClient(ChatCompletionClient):
    """Presents any `ChatModel` as AutoGen's `ChatCompletionClient`.

    Text, images and structured output work; tool calls do not. A provider's refusal
    comes back as the reply's text.

    Args:
        model: What answers; `close` closes it.
        sampling: How words are drawn.
        seed: Seed for providers that take one.
        max_tokens: Cap on the tokens of each reply.
        context_tokens: Tokens that prompt and reply share, for `remaining_tokens`.

    Example:
        >>> from autogen_agentchat.agents import AssistantAgent
        >>> client = AgentChatClient(EndpointModel(base_url="http://127.0.0.1:8000/v1", model="m"))
        >>> agent = AssistantAgent("critic", client)
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        sampling: Sampling | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        context_tokens: int = 32_768,
    ) -> None:
        self._model = model
        self._sampling = sampling or Sampling()
        self._seed = seed
        self._max_tokens = max_tokens
        self._context_tokens = context_tokens
        self._actual = RequestUsage(0, 0)
        self._total = RequestUsage(0, 0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Return the model's reply to `messages`.

        Args:
            messages: The conversation so far.
            tools: Must be empty.
            tool_choice: Without effect.
            json_output: A Pydantic model for a reply of its shape, True for any JSON
                object.
            extra_create_args: Must be empty.
            cancellation_token: Its cancellation ends the call.

        Raises:
            ConfigurationError: Tools or extra arguments were given.
            ModelError: The call failed.
        """
        _refuse(tools, extra_create_args)
        with ExitStack() as files:
            request = ChatRequest(
                messages=await _converted(messages, files),
                json_schema=_schema(json_output),
                sampling=self._sampling,
                seed=self._seed,
                max_tokens=self._max_tokens,
            )
            completion = await self._complete(request, cancellation_token)
        return self._result(completion)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yield the reply's text in one piece, then what `create` returns."""
        result = await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        if isinstance(result.content, str) and result.content:
            yield result.content
        yield result

    async def close(self) -> None:
        """Close the model."""
        await self._model.aclose()

    def actual_usage(self) -> RequestUsage:
        """Return the tokens of all calls that were not reused ones."""
        return self._actual

    def total_usage(self) -> RequestUsage:
        """Return the tokens of all calls; unknown ones count as 0."""
        return self._total

    def count_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return an estimate: 4 characters a token, 1,600 tokens an image."""
        return sum(_TOKENS_PER_MESSAGE + _estimate(message) for message in messages)

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return what `context_tokens` leaves beside `messages`, by `count_tokens`."""
        return self._context_tokens - self.count_tokens(messages)

    @property
    def capabilities(self) -> ModelCapabilities:  # pyright: ignore[reportDeprecated]
        """What the model can do, in AutoGen's older form."""
        return {"vision": self._sees, "function_calling": False, "json_output": True}

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do."""
        return ModelInfo(
            vision=self._sees,
            function_calling=False,
            json_output=True,
            structured_output=True,
            family=ModelFamily.UNKNOWN,
            multiple_system_messages=True,
        )

    @property
    def _sees(self) -> bool:
        return "image" in self._model.modalities

    async def _complete(self, request: ChatRequest, token: CancellationToken | None) -> Completion:
        if token is None:
            return await self._model.complete(request)
        # A task, for the token to cancel; whoever cancels us while we wait cancels it too.
        call = asyncio.ensure_future(self._model.complete(request))
        return await token.link_future(call)

    def _result(self, completion: Completion) -> CreateResult:
        usage = RequestUsage(
            completion.usage.prompt_tokens or 0, completion.usage.completion_tokens or 0
        )
        self._total = _sum(self._total, usage)
        if not completion.reused:
            self._actual = _sum(self._actual, usage)
        return CreateResult(
            finish_reason=_FINISH[completion.finish_reason],
            content=completion.text or completion.refusal or "",
            usage=usage,
            cached=completion.reused,
        )


def _refuse(tools: Sequence[object], extra: Mapping[str, object] | None) -> None:
    if tools:
        raise ConfigurationError(
            f"AgentChatClient was given {len(tools)} tools, and tool calls are not supported;"
            " give this agent one of AutoGen's own clients"
        )
    if extra:
        raise ConfigurationError(
            f"AgentChatClient does not take {', '.join(sorted(extra))} for one call;"
            " set sampling, seed and max_tokens when you make it"
        )


def _schema(json_output: bool | type[BaseModel] | None) -> JsonSchema | None:
    if not json_output:
        return None
    if json_output is True:
        return JsonSchema("object", {"type": "object"})
    return JsonSchema(json_output.__name__, json_output.model_json_schema())


async def _converted(messages: Sequence[LLMMessage], files: ExitStack) -> tuple[ChatMessage, ...]:
    """Return `messages` as ours; `files` keeps their images until the call is over."""
    if not any(_images(message) for message in messages):
        return tuple(_message(message, None) for message in messages)
    folder = files.enter_context(tempfile.TemporaryDirectory(prefix="safejury-"))
    return await asyncio.to_thread(
        lambda: tuple(_message(message, Path(folder)) for message in messages)
    )


def _message(message: LLMMessage, folder: Path | None) -> ChatMessage:
    match message:
        case SystemMessage(content=text):
            return ChatMessage.of("system", text)
        case UserMessage(content=str(text)):
            return ChatMessage.of("user", text)
        case UserMessage(content=pieces):
            return ChatMessage("user", tuple(_part(piece, folder) for piece in pieces))
        case AssistantMessage(content=str(text)):
            return ChatMessage.of("assistant", text)
        case AssistantMessage(content=calls):
            return ChatMessage.of("assistant", "\n".join(map(_called, calls)))
        case FunctionExecutionResultMessage(content=results):
            said = "\n".join(f"{result.name} returned: {result.content}" for result in results)
            return ChatMessage.of("user", said)


def _called(call: FunctionCall | str) -> str:
    return call if isinstance(call, str) else f"I call {call.name} with {call.arguments}"


def _images(message: LLMMessage) -> int:
    if not isinstance(message, UserMessage) or isinstance(message.content, str):
        return 0
    return sum(isinstance(piece, Image) for piece in message.content)


def _part(piece: str | Image, folder: Path | None) -> Part:
    if isinstance(piece, str) or folder is None:
        return TextPart(str(piece))
    path = folder / "new.png"
    piece.image.save(path, format="PNG")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return ImagePart(Media(digest, "image/png", len(data), str(path.rename(folder / digest))))


def _estimate(message: LLMMessage) -> int:
    words = "".join(
        part.text for part in _message(message, None).parts if isinstance(part, TextPart)
    )
    return len(words) // _CHARACTERS_PER_TOKEN + _TOKENS_PER_IMAGE * _images(message)


def _sum(one: RequestUsage, other: RequestUsage) -> RequestUsage:
    return RequestUsage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
    )
