"""Any chat model as the client that AutoGen's agents expect."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Literal, Self

import msgspec
from autogen_core import CancellationToken, Component
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,  # pyright: ignore[reportDeprecated]  (its base class still wants it)
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ....common import ConfigurationError
from ....models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    ModelRegistry,
    ModelSpec,
    RequestOptions,
    Sampling,
    TextPart,
    spec_as_data,
    spec_from_data,
    takes_tools,
)
from .._messages import tokens_of
from ._config import AgentChatClientConfig
from ._messages import (
    Names,
    chosen,
    converted,
    images_in,
    offered,
    plain,
    result_of,
    schema_of,
    unfenced,
)

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_IMAGE = 1600
_SETTINGS = ("temperature", "top_p", "seed", "max_tokens", "max_completion_tokens")
_PARAMETERS = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "metadata",
        "min_p",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "repetition_penalty",
        "service_tier",
        "stop",
        "top_k",
        "user",
        "verbosity",
    }
)


class AgentChatClient(ChatCompletionClient, Component[AgentChatClientConfig]):
    """Presents any `ChatModel` as AutoGen's `ChatCompletionClient`.

    Text, pictures, tools, structured output and streaming work. A reply is streamed as it
    comes from an OpenAI-compatible address, and in one piece from LiteLLM, a cache or a
    journal. A provider's refusal comes back as the reply's text.

    Args:
        model: What answers, or how to reach it; `close` closes it. A client that is made of a
            `ModelSpec` (`sj.endpoint`) tries failed calls again, and can be dumped as a
            component.
        sampling: How words are drawn.
        seed: Seed for providers that take one.
        max_tokens: Cap on the tokens of each reply.
        context_tokens: Tokens that prompt and reply share, for `remaining_tokens`.
        add_name_prefixes: Whether messages of users and other agents begin with their speaker.
        include_name_in_message: Whether their speaker is sent as `name`, which some
            providers reject.

    Example:
        >>> from autogen_agentchat.agents import AssistantAgent
        >>> client = AgentChatClient(EndpointModel(base_url="http://127.0.0.1:8000/v1", model="m"))
        >>> agent = AssistantAgent("critic", client, tools=[search])
    """

    component_type = "model"
    component_config_schema = AgentChatClientConfig
    component_provider_override = "safejury.agents.AgentChatClient"

    def __init__(
        self,
        model: ChatModel | ModelSpec,
        *,
        sampling: Sampling | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
        context_tokens: int = 32_768,
        add_name_prefixes: bool = False,
        include_name_in_message: bool = False,
    ) -> None:
        self._spec = model if isinstance(model, ModelSpec) else None
        self._model = ModelRegistry().open(model) if isinstance(model, ModelSpec) else model
        self._sampling = sampling or Sampling()
        self._seed = seed
        self._max_tokens = max_tokens
        self._context_tokens = context_tokens
        self._names = Names(prefixed=add_name_prefixes, sent=include_name_in_message)
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
            tools: What the model may call.
            tool_choice: Whether it must call some tool, or which, or may not.
            json_output: A Pydantic model for a reply of its shape, True for any JSON
                object.
            extra_create_args: Settings of this call: `temperature`, `top_p`, `seed`,
                `max_tokens`, further parameters of OpenAI's API such as `stop`, and
                `extra_body`.
            cancellation_token: Its cancellation ends the call.

        Raises:
            ConfigurationError: The model takes no tools or pictures, or something given is
                not known.
            ModelError: The call failed.
        """
        with ExitStack() as files:
            request = await self._request(messages, files, extra_create_args)
            request = self._with_tools(request, tools, tool_choice, json_output)
            completion = await self._under(cancellation_token, request)
        return self._result(completion, request)

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
        """Yield the reply's text as it comes, then what `create` returns.

        Text of a call that failed on its way and is tried again is not yielded twice.
        """
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        with ExitStack() as files:
            request = await self._request(messages, files, extra_create_args)
            request = self._with_tools(request, tools, tool_choice, json_output)
            request = replace(request, on_text=heard.put_nowait)
            call = asyncio.ensure_future(self._under(cancellation_token, request))
            call.add_done_callback(lambda _: heard.put_nowait(None))
            said = ""
            try:
                while (text := await heard.get()) is not None:
                    if more := _more(said, text):
                        said = text
                        yield more
                result = self._result(await call, request)
            finally:
                call.cancel()
                await asyncio.wait({call})
        if isinstance(result.content, str) and (more := _more(said, result.content)):
            yield more
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
        images = sum(map(images_in, messages))
        characters = sum(len(words) for words in _words(plain(messages, self._names)))
        for tool in offered(tools):
            written = msgspec.json.encode((tool.name, tool.description, tool.parameters))
            characters += len(written)
        around = _TOKENS_PER_MESSAGE * len(messages) + _TOKENS_PER_IMAGE * images
        return around + characters // _CHARACTERS_PER_TOKEN

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return what `context_tokens` leaves beside messages and tools, by `count_tokens`."""
        return self._context_tokens - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelCapabilities:  # pyright: ignore[reportDeprecated]
        """What the model can do, in AutoGen's older form."""
        return {"vision": self._sees, "function_calling": self._calls, "json_output": True}

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do."""
        return ModelInfo(
            vision=self._sees,
            function_calling=self._calls,
            json_output=True,
            structured_output=True,
            family=ModelFamily.UNKNOWN,
            multiple_system_messages=True,
        )

    @property
    def _sees(self) -> bool:
        return "image" in self._model.modalities

    @property
    def _calls(self) -> bool:
        return takes_tools(self._model)

    async def _request(
        self, messages: Sequence[LLMMessage], files: ExitStack, extra: Mapping[str, Any] | None
    ) -> ChatRequest:
        if not self._sees and any(map(images_in, messages)):
            raise ConfigurationError(f"{self._model.name} takes no pictures, and was shown one")
        said = await converted(messages, files, self._names)
        settings = dict(extra or {})
        sampling = Sampling(
            settings.pop("temperature", self._sampling.temperature),
            settings.pop("top_p", self._sampling.top_p),
        )
        seed = settings.pop("seed", self._seed)
        cap = settings.pop("max_completion_tokens", self._max_tokens)
        cap = settings.pop("max_tokens", cap)
        return ChatRequest(
            said, sampling=sampling, seed=seed, max_tokens=cap, options=_options(settings)
        )

    def _with_tools(
        self,
        request: ChatRequest,
        tools: Sequence[Tool | ToolSchema],
        tool_choice: Tool | Literal["auto", "required", "none"],
        json_output: bool | type[BaseModel] | None,
    ) -> ChatRequest:
        if tools and not self._calls:
            raise ConfigurationError(
                f"{self._model.name} takes no tools, and was given {len(tools)}"
            )
        specs = offered(tools)
        return replace(
            request,
            json_schema=schema_of(json_output),
            tools=specs,
            tool_choice=chosen(tool_choice, specs),
        )

    async def _under(self, token: CancellationToken | None, request: ChatRequest) -> Completion:
        if token is None:
            return await self._model.complete(request)
        # A task, for the token to cancel; whoever cancels us while we wait cancels it too.
        call = asyncio.ensure_future(self._model.complete(request))
        return await token.link_future(call)

    def _result(self, completion: Completion, request: ChatRequest) -> CreateResult:
        usage = tokens_of(completion.usage)
        self._total = _sum(self._total, usage)
        if not completion.reused:
            self._actual = _sum(self._actual, usage)
        result = result_of(completion, usage)
        if request.json_schema is not None and isinstance(result.content, str):
            result.content = unfenced(result.content)
        return result

    def _to_config(self) -> AgentChatClientConfig:
        if self._spec is None:
            raise ConfigurationError(
                "the client cannot be dumped: it was made of a model that is open; make it of a"
                " ModelSpec, as `sj.endpoint` returns one"
            )
        return AgentChatClientConfig(
            model=spec_as_data(self._spec),
            temperature=self._sampling.temperature,
            top_p=self._sampling.top_p,
            seed=self._seed,
            max_tokens=self._max_tokens,
            context_tokens=self._context_tokens,
            add_name_prefixes=self._names.prefixed,
            include_name_in_message=self._names.sent,
        )

    @classmethod
    def _from_config(cls, config: AgentChatClientConfig) -> Self:
        return cls(
            spec_from_data(config.model),
            sampling=config.sampling,
            seed=config.seed,
            max_tokens=config.max_tokens,
            context_tokens=config.context_tokens,
            add_name_prefixes=config.add_name_prefixes,
            include_name_in_message=config.include_name_in_message,
        )


def _options(settings: dict[str, Any]) -> RequestOptions | None:
    """Return what one call sets beside our own settings."""
    body = settings.pop("extra_body", {})
    if unknown := sorted(settings.keys() - _PARAMETERS):
        raise ConfigurationError(
            f"AgentChatClient does not know {', '.join(unknown)} of extra_create_args; it takes"
            f" {', '.join((*_SETTINGS, *sorted(_PARAMETERS)))}, and extra_body for all else"
        )
    return RequestOptions.of(settings, body) if settings or body else None


def _more(said: str, text: str) -> str:
    """Return what a text has beyond its beginning that was said; nothing if it began anew."""
    return text[len(said) :] if text.startswith(said) else ""


def _words(messages: Iterable[ChatMessage]) -> Iterator[str]:
    for message in messages:
        yield from (part.text for part in message.parts if isinstance(part, TextPart))
        yield from (f"{call.name}{call.arguments}" for call in message.tool_calls)


def _sum(one: RequestUsage, other: RequestUsage) -> RequestUsage:
    return RequestUsage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
    )
