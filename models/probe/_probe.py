"""Probes what an OpenAI-compatible endpoint can do, one request per capability."""

import time
from collections.abc import Callable

from ...common import FirstContactError
from ..endpoint import ConnectionOptions, proxy_for, tls_context
from ._http import Answer, ProbeClient, parse_address
from ._models import about_models, context_length, listed, model_to_ask
from ._result import Capability, Probe
from ._senses import Senses, find_audio, find_images
from ._text import (
    find_cap,
    find_logprobs,
    find_sampling,
    find_schema,
    find_streaming,
    find_system,
    find_text,
    find_usage,
)


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
    """Probe the endpoint at `base_url` with 15 to 30 short requests, one at a time.

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
        on_step: Called with the name of each capability before it is tested.

    Raises:
        FirstContactError: Nothing answers at the address.
        ConfigurationError: It is no address, the model has to be named, or the proxy
            or the file of certificates cannot be used.
    """
    base = parse_address(base_url)
    tls = tls_context(ca_file, verify=verify_tls)
    reach = ConnectionOptions(timeout, connect_timeout, tls, proxy_for(base, proxy))
    caller = ProbeClient(base, model, api_key=api_key, reach=reach)
    try:
        return await _probe(caller, on_step or _silent)
    finally:
        await caller.aclose()


async def _probe(caller: ProbeClient, step: Callable[[str], None]) -> Probe:
    started, given = time.perf_counter(), caller.where
    step("models")
    listing = await listed(caller)
    caller.model = caller.model or model_to_ask(listing, caller)
    asked = listing.find(caller.model)
    found = [about_models(listing, caller), context_length(asked)]
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
        context_tokens=None if asked is None else asked.context_tokens,
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
    caller: ProbeClient,
    baseline: Answer,
    found: list[Capability],
    *,
    step: Callable[[str], None],
    is_vllm: bool,
) -> tuple[Senses, Senses]:
    """Test everything that needs a working chat completion, and add it to `found`."""
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
