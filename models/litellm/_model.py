"""Calls any provider that LiteLLM supports, by `provider/model` name."""

import asyncio
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import msgspec

from ...common import BadReplyError, ConfigurationError, TransportError
from ..chat import ChatRequest, Completion, Modality, Price, Usage, redactor, region_parameter
from ..endpoint import (
    DROPPABLE,
    FILTERED_REPLY,
    Dialect,
    decode_reply,
    encode_request,
    load_media,
    sent_request,
)
from ._errors import (
    credentials_in_environment,
    error_reply_of,
    model_error,
    status_of,
    unset_key,
)

_LONGER_PROMPTS = re.compile(r"_above_\d+k_tokens")
_NO_NETWORK = "LITELLM_LOCAL_MODEL_COST_MAP"
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
_OF_EACH_CALL: dict[str, object] = {
    "max_retries": 0,
    "num_retries": 0,
    "drop_params": False,  # we drop them, and say so
    "no-log": True,
}
_OPEN = set["LiteLLMModel"]()


class _Reply(Protocol):
    def model_dump_json(self, *, warnings: bool) -> str: ...


class _Cache(Protocol):
    def flush_cache(self) -> None: ...


class _LiteLLM(Protocol):
    """The part of LiteLLM used here."""

    telemetry: bool
    suppress_debug_info: bool
    model_cost: Mapping[str, Mapping[str, object]]
    in_memory_llm_clients_cache: _Cache

    def acompletion(self, **request: object) -> Awaitable[_Reply]: ...
    def completion_cost(self, *, completion_response: _Reply, model: str) -> float: ...
    def get_supported_openai_params(self, *, model: str) -> Sequence[str] | None: ...
    def validate_environment(self, model: str) -> Mapping[str, Sequence[str]]: ...
    def close_litellm_async_clients(self) -> Awaitable[None]: ...


class LiteLLMModel:
    """A chat model of any provider that LiteLLM supports.

    LiteLLM is imported at the first call, in a thread of its own: that takes seconds. In
    a program that uses LiteLLM itself, all of its settings stay as they are; its callbacks
    do not get replies, which may be harmful.
    One attempt a call; retries, limits and budgets are wrapped around it. A model with
    an OpenAI-compatible address is served with far less work by `EndpointModel`.

    Args:
        model: `provider/model`, such as `anthropic/claude-sonnet-4-5`.
        api_key: The provider's key; None takes it from the environment variable that
            LiteLLM reads for the provider.
        api_base: Another address than the provider's own.
        api_version: Version of the provider's API.
        region: Where the provider runs the model.
        headers: Further HTTP headers.
        modalities: What the model takes in.
        timeout: Seconds for a whole call.

    Raises:
        ConfigurationError: `model` does not name a provider, or one without regions.

    Example:
        >>> LiteLLMModel("anthropic/claude-sonnet-4-5").name
        'anthropic/claude-sonnet-4-5'
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        api_base: str | None = None,
        api_version: str | None = None,
        region: str | None = None,
        headers: Mapping[str, str] | None = None,
        modalities: frozenset[Modality] = frozenset({"text", "image"}),
        timeout: float = 120.0,
    ) -> None:
        if not all(model.partition("/")):
            raise ConfigurationError(
                f"model {model!r} names no provider; write provider/model, or give a base_url"
            )
        self._model = model
        self._api_key = (api_key or "").strip() or None
        self._api_base = api_base
        self._region = region
        self._way: dict[str, object] = {"api_key": self._api_key, "api_base": api_base}
        if api_version is not None:
            self._way["api_version"] = api_version
        if region is not None:
            self._way[region_parameter(model)] = region
        if headers:
            self._way["extra_headers"] = dict(headers)
        self._modalities = modalities
        self._timeout = timeout
        self._dialect = Dialect()
        redactor.register(self._api_key)

    @property
    def name(self) -> str:
        """The `provider/model` name, with the address if it is not the provider's own."""
        where = redactor.redact(self._api_base) if self._api_base else self._region
        return f"{self._model}@{where}" if where else self._model

    @property
    def modalities(self) -> frozenset[Modality]:
        """The modalities that the model accepts."""
        return self._modalities

    @property
    def takes_tools(self) -> bool:
        """Whether requests may offer tools; a provider that takes none says so itself."""
        return True

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply to `request`.

        What the provider does not take is left out or asked for otherwise, with a note
        for each; what is kept as sent is the request as LiteLLM was given it.

        Raises:
            TransportError: No connection, a time-out, 408, 409 or 5xx; permanent where
                nothing listens at the address.
            RateLimitError: 429.
            RequestError: Another 4xx; permanent for a missing or wrong key, an unknown
                provider or model.
            BadReplyError: A reply that is not a chat completion.
        """
        litellm = await _litellm()
        _OPEN.add(self)
        started = time.perf_counter()
        shown = await load_media(request)
        dialect = self._adapted(litellm)
        while True:
            try:
                completion = await self._call(litellm, self._body(request, dialect), request)
                break
            except Exception as error:  # noqa: BLE001  (it raises what any provider's client does)
                status = status_of(error)
                better = status and dialect.learn(request, error_reply_of(error), status)
                if not better:
                    completion = self._rejected(litellm, error)
                    break
                dialect = better
        del shown  # until here it is shared
        self._dialect = self._dialect.merged(dialect)
        return replace(
            completion,
            latency_s=time.perf_counter() - started,
            notes=(*completion.notes, *dialect.notes(request)),
            sent=sent_request(self._model, request, dialect) if request.keep_sent else None,
        )

    async def aclose(self) -> None:
        """Close LiteLLM's connections, unless another model still uses them."""
        if self not in _OPEN:
            return
        _OPEN.discard(self)
        if not _OPEN and _is_ours():
            litellm = await _litellm()
            await litellm.close_litellm_async_clients()
            litellm.in_memory_llm_clients_cache.flush_cache()  # else it hands out closed ones

    def _adapted(self, litellm: _LiteLLM) -> Dialect:
        """Return the learned dialect, combined with what LiteLLM knows of the provider."""
        taken = litellm.get_supported_openai_params(model=self._model)
        if taken is None:
            return self._dialect
        renamed = "max_tokens" not in taken and "max_completion_tokens" in taken
        missing = {name for name in DROPPABLE if name not in taken}
        if "max_tokens" not in taken and not renamed:
            missing.add("max_tokens")
        known = Dialect("response_format" not in taken, renamed, dropped=frozenset(missing))
        return self._dialect.merged(known)

    def _body(self, request: ChatRequest, dialect: Dialect) -> dict[str, object]:
        # As keywords of its own, what the provider takes could be taken for LiteLLM's.
        options = request.options
        bare = options and replace(options, extra_body="{}")
        plain = replace(request, options=bare, on_text=None)  # it comes in one piece
        encoded = encode_request(self._model, plain, dialect)
        body = msgspec.json.decode(encoded, type=dict[str, object])
        if options is not None and options.extra_body != "{}":
            body["extra_body"] = msgspec.json.decode(options.extra_body)
        return body

    async def _call(
        self, litellm: _LiteLLM, body: dict[str, object], request: ChatRequest
    ) -> Completion:
        async with asyncio.timeout(self._timeout):
            reply = await litellm.acompletion(
                **body,
                **self._way,
                **_OF_EACH_CALL,
                timeout=self._timeout,
            )
        said = reply.model_dump_json(warnings=False).encode()
        completion = decode_reply(said, tools=bool(request.tools))
        if not completion.usage.total_tokens:  # it writes 0 if the provider was silent
            return replace(completion, usage=Usage())
        return replace(completion, cost_usd=self._cost(litellm, reply))

    def _cost(self, litellm: _LiteLLM, reply: _Reply) -> float | None:
        if _price(litellm, self._model) is None:
            return None  # LiteLLM counts a price that it does not know as 0
        try:
            return litellm.completion_cost(completion_response=reply, model=self._model)
        except Exception:  # noqa: BLE001  (a paid reply is not lost for its price)
            return None

    def _rejected(self, litellm: _LiteLLM, error: Exception) -> Completion:
        complaint = error_reply_of(error)
        if complaint.filtered:
            return FILTERED_REPLY
        if isinstance(error, BadReplyError):
            raise BadReplyError(f"{self.name}: {error}") from error
        if isinstance(error, TimeoutError):
            what = f"no reply within {self._timeout:g} s; raise the timeout or ask less at once"
            raise TransportError(f"{self.name}: {what}") from error
        missing = litellm.validate_environment(self._model).get("missing_keys", ())
        keyed = self._api_key is not None
        raise model_error(self.name, error, complaint, keyed=keyed, missing=missing) from error


async def known_price(model: str) -> Price | None:
    """Return the list price of a `provider/model`, None if LiteLLM has none.

    Where it depends on the length of the prompt, it is that of the dearest length.

    Raises:
        ConfigurationError: LiteLLM cannot be imported.
    """
    return _price(await _litellm(), model)


async def unset_variables(model: str) -> str:
    """Return the environment variables of a provider's key if none is set, else none.

    Raises:
        ConfigurationError: LiteLLM cannot be imported.
    """
    litellm = await _litellm()
    return unset_key(litellm.validate_environment(model).get("missing_keys", ()))


def _price(litellm: _LiteLLM, model: str) -> Price | None:
    listed = _listed(litellm, model)
    prompt = _dearest(listed, "input_cost_per_token")
    reply = _dearest(listed, "output_cost_per_token")
    if prompt is None or reply is None:
        return None
    reply = max(reply, _dearest(listed, "output_cost_per_reasoning_token") or 0.0)
    if not (prompt and reply):
        return None  # the list has 0 if the price is missing
    return Price(prompt, reply, _dearest(listed, "cache_read_input_token_cost"))


def _dearest(listed: Mapping[str, object], what: str) -> float | None:
    """Return the highest price per million tokens over all prompt lengths, None if unlisted."""
    prices = [
        price * 1e6
        for name, price in listed.items()
        if isinstance(price, int | float)
        and (name == what or _LONGER_PROMPTS.fullmatch(name.removeprefix(what)))
    ]
    return max(prices) if what in listed and prices else None


def _listed(litellm: _LiteLLM, model: str) -> Mapping[str, object]:
    """Return LiteLLM's price list entry of `model`, empty if it has none."""
    provider, _, name = model.partition("/")
    if (listed := litellm.model_cost.get(model)) is not None:
        return listed
    # Some are listed without their provider: another one's of that name say nothing.
    listed = litellm.model_cost.get(name, {})
    owner = str(listed.get("litellm_provider"))
    return listed if re.fullmatch(rf"{re.escape(provider)}([-_].*)?", owner) else {}


async def _litellm() -> _LiteLLM:
    return await asyncio.shield(asyncio.wrap_future(_loading()))


@cache
def _loading() -> "Future[_LiteLLM]":
    pool = ThreadPoolExecutor(1, thread_name_prefix="import-litellm")
    loading = pool.submit(_load)
    pool.shutdown(wait=False)
    return loading


@cache
def _is_ours() -> bool:
    """Return whether we import LiteLLM first, so that the host has configured nothing."""
    return "litellm" not in sys.modules


def _load() -> _LiteLLM:
    ours = _is_ours()
    # Without it the import fetches a price list from the network.
    before = os.environ.get(_NO_NETWORK)
    os.environ[_NO_NETWORK] = before or "True"
    try:
        litellm = cast("_LiteLLM", import_module("litellm"))
    except ImportError as error:
        raise ConfigurationError(
            f"LiteLLM cannot be imported ({error}); run `pip install litellm`, or give a base_url"
        ) from error
    finally:
        if before is None:
            del os.environ[_NO_NETWORK]
    if ours:
        _keep_quiet(litellm)
    for value in credentials_in_environment():
        redactor.register(value)
    return litellm


def _keep_quiet(litellm: _LiteLLM) -> None:
    """Silence LiteLLM's output, which may quote prompts and replies."""
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # Its models of replies disagree with what providers send; the warning quotes them.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
