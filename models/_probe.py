"""Finds out what an OpenAI-compatible endpoint can do, one request for each capability."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ..datasets import ConfigurationError, FirstContactError
from ._connection import Reach
from ._http_errors import quoted
from ._probe_http import Answer, Caller, parse_address
from ._probe_result import Capability, Probe
from ._probe_senses import Senses, find_audio, find_images
from ._probe_text import (
    failed,
    find_cap,
    find_logprobs,
    find_sampling,
    find_schema,
    find_streaming,
    find_system,
    find_text,
    find_usage,
)
from ._transport import proxy_for, tls_context

_MOST_NAMED = 12


class _Meta(msgspec.Struct):
    n_ctx: int | None = None
    n_ctx_train: int | None = None


class _Model(msgspec.Struct):
    id: str
    owned_by: str | None = None
    max_model_len: int | None = None
    context_length: int | None = None
    context_window: int | None = None
    max_context_length: int | None = None
    meta: _Meta | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


_models = msgspec.json.Decoder(_Models, strict=False)


@dataclass(frozen=True, slots=True)
class _Listing:
    """What `/models` says; `answer` is what came back last."""

    models: tuple[_Model, ...]
    answer: Answer

    def named(self, name: str) -> _Model | None:
        return next((model for model in self.models if model.id == name), None)


async def probe_endpoint(
    base_url: str,
    *,
    model: str = "",
    api_key: str | None = None,
    timeout: float = 60.0,
    connect_timeout: float = 10.0,
    ca_file: str | None = None,
    verify_tls: bool = True,
    proxy: str | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Probe:
    """Try what the endpoint at `base_url` can do: about 30 short requests, one at a time.

    An address that answers nothing as it stands is tried with `/v1`.

    Args:
        base_url: An OpenAI-compatible address.
        model: Which model to ask; the only one that the server lists if empty.
        api_key: Sent as a bearer token, None for servers without keys.
        timeout: Seconds for one request.
        connect_timeout: Seconds for the connection, within `timeout`.
        ca_file: PEM file of certificates that are trusted beside the usual ones.
        verify_tls: Whether the server's certificate is checked.
        proxy: Address of an HTTP proxy; None takes the environment's for public
            addresses.
        on_step: Told the name of each capability before it is tried.

    Raises:
        FirstContactError: Nothing answers at the address.
        ConfigurationError: It is no address, the model has to be named, or the proxy
            or the file of certificates cannot be used.
    """
    base = parse_address(base_url)
    tls = tls_context(ca_file, verify=verify_tls)
    reach = Reach(timeout, connect_timeout, tls, proxy_for(base, proxy))
    caller = Caller(base, model, api_key=api_key, reach=reach)
    try:
        return await _probe(caller, on_step or _silent)
    finally:
        await caller.aclose()


async def _probe(caller: Caller, step: Callable[[str], None]) -> Probe:
    started, given = time.perf_counter(), caller.where
    step("models")
    listing = await _listed(caller)
    caller.model = caller.model or _only(listing, caller)
    found = [_about_models(listing, caller), _context(listing, caller)]
    step("text")
    text, baseline = await find_text(caller)
    if baseline.status is None:
        raise FirstContactError(f"{caller.where}: {baseline.problem}")
    found.append(text)
    pictures = sounds = Senses(())
    if baseline.completion is not None:
        is_vllm = any(known.owned_by == "vllm" for known in listing.models)
        pictures, sounds = await _try_all(caller, baseline, found, step=step, is_vllm=is_vllm)
    return Probe(
        given,
        caller.where,
        caller.model,
        tuple(known.id for known in listing.models),
        tuple(found),
        context_tokens=_context_tokens(listing.named(caller.model)),
        most_images=pictures.most,
        largest_image=pictures.largest,
        image_formats=pictures.formats,
        audio_formats=sounds.formats,
        calls=caller.calls,
        prompt_tokens=caller.prompt_tokens,
        completion_tokens=caller.completion_tokens,
        seconds=time.perf_counter() - started,
    )


async def _try_all(
    caller: Caller,
    baseline: Answer,
    found: list[Capability],
    *,
    step: Callable[[str], None],
    is_vllm: bool,
) -> tuple[Senses, Senses]:
    """Try all that needs a working chat completion, and add it to `found`."""
    step("max_tokens")
    found += await find_cap(caller)
    step("system")
    found.append(await find_system(caller, baseline))
    step("json_schema")
    found.append(await find_schema(caller))
    step("images")
    pictures = await find_images(caller, baseline)
    found += pictures.capabilities
    step("audio")
    sounds = await find_audio(caller, baseline)
    found += sounds.capabilities
    step("seed")
    found += await find_sampling(caller)
    step("logprobs")
    found.append(await find_logprobs(caller))
    step("usage")
    found += await find_usage(caller, baseline, is_vllm=is_vllm)
    step("streaming")
    found.append(await find_streaming(caller))
    return pictures, sounds


def _silent(_: str) -> None:
    pass


async def _listed(caller: Caller) -> _Listing:
    """Ask which models there are, with `/v1` where the address alone lists none."""
    answer = await caller.get("models")
    if answer.status is None:
        raise FirstContactError(f"{caller.where}: nothing answers: {answer.problem}")
    if (models := _decoded(answer)) is not None:
        return _Listing(models, answer)
    if re.search(r"/v\d", caller.base.path):
        return _Listing((), answer)
    given, caller.base = caller.base, caller.base / "v1"
    second = await caller.get("models")
    if (models := _decoded(second)) is not None:
        return _Listing(models, second)
    if second.status not in (401, 403):
        caller.base = given
    return _Listing((), answer)


def _decoded(answer: Answer) -> tuple[_Model, ...] | None:
    if answer.status != 200:
        return None
    try:
        return tuple(_models.decode(answer.body).data)
    except msgspec.DecodeError:
        return None


def _only(listing: _Listing, caller: Caller) -> str:
    names = [model.id for model in listing.models]
    if len(names) == 1:
        return names[0]
    if not names:
        said = f"the server lists no models ({listing.answer.problem or 'an empty list'})"
        raise ConfigurationError(f"{caller.where}: {said}; name one with --model")
    shown = ", ".join(map(quoted, names[:_MOST_NAMED]))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    raise ConfigurationError(
        f"{caller.where}: the server lists {len(names)} models; name one with --model:"
        f" {shown}{more}"
    )


def _about_models(listing: _Listing, caller: Caller) -> Capability:
    if not listing.models:
        said = f"none are listed ({listing.answer.problem})" if listing.answer.problem else "none"
        listed = failed("models", listing.answer, said)
        return listed if listing.answer.refused else Capability("models", "no", said)
    names = [quoted(model.id) for model in listing.models[:_MOST_NAMED]]
    rest = len(listing.models) - len(names)
    said = ", ".join([*names, f"{rest} more"] if rest else names)
    if listing.named(caller.model) is None:
        said = f"{quoted(caller.model)} is not among {said}"
        return Capability("models", "partly", said, listing.answer.request, said)
    owner = listing.named(caller.model)
    owned = f"; owned by {quoted(owner.owned_by)}" if owner and owner.owned_by else ""
    return Capability("models", "yes", said + owned)


def _context(listing: _Listing, caller: Caller) -> Capability:
    tokens = _context_tokens(listing.named(caller.model))
    if tokens is None:
        return Capability("context_length", "unknown", "the list of models does not say")
    return Capability("context_length", "yes", f"{tokens:,} tokens, prompt and reply together")


def _context_tokens(model: _Model | None) -> int | None:
    if model is None:
        return None
    meta = model.meta or _Meta()
    return (
        model.max_model_len
        or model.context_length
        or model.context_window
        or model.max_context_length
        or meta.n_ctx
        or meta.n_ctx_train
    )
