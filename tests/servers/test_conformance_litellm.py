"""The conformance suite through the LiteLLM proxy, whose backend is a scripted server."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from conformance import MOST_IMAGES, Check, Place, every_check, obedient

from safejury.models import probe_endpoint
from safejury.testing import ScriptedServer

KEY = "sk-the-key-of-this-proxy"
SLOWEST_START_S = 300

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(
    servers_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Place]:
    """The proxy in a process of its own, up once it says that it lives."""
    folder = tmp_path_factory.mktemp("litellm")
    async with ScriptedServer(obedient) as backend:
        config = folder / "config.yaml"
        config.write_text(json.dumps(_config(backend.base_url)))  # JSON is YAML
        port = _free_port()
        command = [servers_python.with_name("litellm"), "--config", config]
        where = ("--host", "127.0.0.1", "--port", str(port))
        async with _running(*command, *where, folder=folder) as process:
            await _alive(port, process, folder / "log")
            url = f"http://127.0.0.1:{port}/v1"
            # Without a database it says 400 to a key that it does not know.
            yield Place(
                url, "scripted", folder, KEY, images=MOST_IMAGES, exact=True, key_status=400
            )


@every_check
async def test_the_litellm_proxy_conforms(check: Check, proxy: Place):
    await check(proxy)


async def test_a_probe_of_the_litellm_proxy(proxy: Place):
    seen = await probe_endpoint(proxy.url.removesuffix("/v1"), api_key=KEY)
    assert seen.works
    assert seen.models == ("scripted",)
    for name in ("text", "max_tokens", "finish_reason", "json_schema", "images", "usage"):
        assert seen.state(name) == "yes", name
    assert seen.most_images == 2  # 2, 4 and 8 are tried
    assert seen.state("streaming") == "yes"


def _config(backend: str) -> dict[str, object]:
    behind = {"model": "openai/scripted", "api_base": backend, "api_key": "none"}
    return {
        "model_list": [{"model_name": "scripted", "litellm_params": behind}],
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": KEY},
    }


@asynccontextmanager
async def _running(
    *command: str | Path, folder: Path
) -> AsyncGenerator[asyncio.subprocess.Process]:
    environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONSAFEPATH": "1"}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _alive(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    """Return once the proxy answers.

    Raises:
        AssertionError: It ended first.
    """
    ended = asyncio.ensure_future(process.wait())
    async with aiohttp.ClientSession() as session, asyncio.timeout(SLOWEST_START_S):
        while not ended.done():
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/health/liveliness") as answer:
                    if answer.status == 200:
                        ended.cancel()
                        return
            await asyncio.wait([ended], timeout=0.5)
    raise AssertionError((await asyncio.to_thread(log.read_text))[-2000:])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
