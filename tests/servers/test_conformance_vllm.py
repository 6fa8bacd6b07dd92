"""The conformance suite against vLLM with a vision-language model of random weights."""

from pathlib import Path
from typing import Any

import pytest
from conformance import Check, Place, every_check

from safejury.models import probe_endpoint


@pytest.fixture
def place(vllm_vision: Any, tmp_path: Path) -> Place:
    return Place(vllm_vision.url, vllm_vision.model, tmp_path, images=2, context=4096)


@every_check
async def test_vllm_conforms(check: Check, place: Place):
    await check(place)


async def test_a_probe_of_vllm(place: Place):
    seen = await probe_endpoint(place.url.removesuffix("/v1"))
    assert seen.works
    assert seen.base_url == place.url
    assert seen.models == (place.model,)
    assert seen.context_tokens == place.context
    assert seen.most_images == 2
    for name in ("text", "max_tokens", "finish_reason", "system", "images", "usage", "logprobs"):
        assert seen.state(name) == "yes", name
    assert seen.state("audio") == "no"
    assert seen.state("cached_tokens") == "yes"
    assert seen.state("streaming") == "yes"
