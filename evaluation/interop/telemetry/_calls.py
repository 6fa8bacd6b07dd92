"""Spans and metrics of calls to models, by the conventions for generative AI.

The names are those of the conventions' repository (semantic-conventions-genai, of 2026); the
package of constants that OpenTelemetry installs calls them deprecated since they moved there.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, Tracer

from ....common import ModelError
from ....models import ChatModel, ChatRequest, Completion, Middleware, ModelSpec, Usage
from ...trials import case_of
from ._content import Content, answered, asked

Value = str | bool | int | float | list[str]
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""The conventions' names of providers that LiteLLM calls otherwise."""
_FINISH = {"length": "length", "content_filter": "content_filter"}
_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_TOKENS = [1, *(4**power for power in range(1, 14))]


class Calls:
    """Records the calls of models.

    Args:
        tracer: Records spans.
        meter: Records metrics.
        content: Whether spans have the messages.
        parent: Returns the context of a case's span.
        asked: Is told of the span of each call of a target.
    """

    def __init__(
        self,
        tracer: Tracer,
        meter: Meter,
        content: Content,
        parent: Callable[[str], Context | None],
        asked: Callable[[str, SpanContext], None],
    ) -> None:
        self.tracer, self.content = tracer, content
        self.parent, self.asked = parent, asked
        self.seconds = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )

    def model(self, model: ChatModel, spec: ModelSpec | None) -> ChatModel:
        """Return a model whose calls are recorded.

        Args:
            model: The model.
            spec: What it is; None for an agent.
        """
        return _Traced(model, self, _Place.of(model, spec))


@dataclass(frozen=True, slots=True)
class _Place:
    """What all spans and metrics of a model have."""

    name: str
    kind: SpanKind
    about: Mapping[str, Value]

    @classmethod
    def of(cls, model: ChatModel, spec: ModelSpec | None) -> "_Place":
        if spec is None:
            about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": model.name}
            return cls(f"invoke_agent {model.name}", SpanKind.INTERNAL, about)
        provider, slash, name = spec.model.partition("/")
        if spec.base_url is not None or not slash or spec.is_managed:
            provider, name = "vllm" if spec.server else "openai", spec.model
        if spec.is_embedded:
            provider = "embedded"
        found: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
            "gen_ai.request.model": name,
        }
        return cls(f"chat {name}", SpanKind.CLIENT, {**found, **_server(spec)})


class _Traced(Middleware):
    """A model whose calls are spans."""

    def __init__(self, model: ChatModel, calls: Calls, place: _Place) -> None:
        super().__init__(model)
        self._calls, self._place = calls, place

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply; see `ChatModel`."""
        case_id, began = case_of(request.call_id), time.perf_counter()
        span = self._calls.tracer.start_span(
            self._place.name,
            self._calls.parent(case_id),
            self._place.kind,
            {**self._place.about, **_of_request(request, self._calls.content)},
        )
        if request.call_id.endswith("/target"):
            self._calls.asked(case_id, span.get_span_context())
        try:
            completion = await self._model.complete(request)
            self._answered(span, completion)
        except BaseException as error:
            self._failed(span, error, time.perf_counter() - began)
            raise
        finally:
            span.end()
        return completion

    def _answered(self, span: Span, completion: Completion) -> None:
        about, reason = self._place.about, _FINISH.get(completion.finish_reason, "stop")
        named = completion.provider_model
        model = {} if named is None else {"gen_ai.response.model": named}
        span.set_attributes(
            {
                **model,
                **of_usage(completion.usage),
                "gen_ai.response.finish_reasons": [reason],
                "safejury.attempts": completion.attempts,
            }
        )
        if self._calls.content.spans:
            span.set_attribute("gen_ai.output.messages", answered(completion, reason))
        if completion.cost_usd is not None:
            span.set_attribute("safejury.cost_usd", completion.cost_usd)
        self._calls.seconds.record(completion.latency_s, {**about, **model})
        usage = completion.usage
        for kind, tokens in (("input", usage.prompt_tokens), ("output", usage.completion_tokens)):
            if tokens is not None:
                self._calls.tokens.record(tokens, {**about, **model, "gen_ai.token.type": kind})

    def _failed(self, span: Span, error: BaseException, seconds: float) -> None:
        # Not its message, which may quote what was asked.
        status = error.status if isinstance(error, ModelError) else None
        kind = str(status or type(error).__name__)
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, kind))
        self._calls.seconds.record(seconds, {**self._place.about, "error.type": kind})


def _server(spec: ModelSpec) -> dict[str, Value]:
    address = spec.base_url or spec.api_base
    if address is None:
        return {}
    parts = urlsplit(address)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    known = {"server.address": parts.hostname or "", "server.port": port}
    return {key: value for key, value in known.items() if value}


def _of_request(request: ChatRequest, content: Content) -> dict[str, Value]:
    *_, where, seat, _ = ("", "", "", *request.call_id.split("/"))
    found: dict[str, Value | None] = {
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.sampling.temperature,
        "gen_ai.request.top_p": request.sampling.top_p,
        "gen_ai.request.seed": request.seed,
        "gen_ai.output.type": "json" if request.json_schema is not None else None,
        "gen_ai.input.messages": asked(request.messages) if content.spans else None,
    }
    if not request.call_id.endswith("/target"):
        number = where[1:] if where.startswith("r") and where[1:].isdecimal() else ""
        found |= {
            "safejury.seat": seat or None,
            "safejury.round": int(number) if number else None,
            "safejury.step": None if number else where or None,  # such as `summary`
        }
    return {key: value for key, value in found.items() if value is not None}


def of_usage(usage: Usage) -> dict[str, int]:
    """Return the known tokens by the names of the conventions."""
    found = {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
    }
    return {key: value for key, value in found.items() if value is not None}
