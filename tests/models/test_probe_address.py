"""A probe finds the address that works, and the model, or says in one line why not."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web

from safejury.common import ConfigurationError, FirstContactError
from safejury.models import Capability, Probe, probe_endpoint
from safejury.testing import ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")


def found(probe: Probe, name: str) -> Capability:
    return next(one for one in probe.capabilities if one.name == name)


@asynccontextmanager
async def strict_server(*models: dict[str, object]) -> AsyncGenerator[str]:
    """Serve under `/v1` alone, without counting tokens; yield the address without `/v1`."""

    async def complete(request: web.Request) -> web.Response:
        reply = ScriptedReply("red", usage=None)
        return web.Response(body=reply.body(await request.json(), "served"))

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": list(models)})

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/v1/chat/completions", complete)
    application.router.add_get("/v1/models", listed)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = cast("Sequence[Any]", runner.addresses[0])[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_an_address_without_v1_is_mended_and_said():
    async with strict_server({"id": "one"}) as address:
        seen = await probe_endpoint(address)
    assert (seen.given_url, seen.base_url) == (address, f"{address}/v1")
    assert seen.works


async def test_the_list_of_models_tells_the_context_and_the_server():
    listed: dict[str, object] = {"id": "one", "max_model_len": 2048, "owned_by": "vllm"}
    async with strict_server(listed) as address:
        seen = await probe_endpoint(address)
    assert seen.context_tokens == 2048
    assert found(seen, "context_length").detail.startswith("2,048 tokens")
    assert found(seen, "models").detail == "'one'; owned by 'vllm'"
    assert "--enable-prompt-tokens-details" in found(seen, "cached_tokens").detail


async def test_of_several_models_one_has_to_be_named():
    async with strict_server({"id": "one"}, {"id": "two"}) as address:
        with pytest.raises(ConfigurationError, match=r"lists 2 models.*--model: 'one', 'two'"):
            await probe_endpoint(address)
        seen = await probe_endpoint(address, model="two")
    assert (seen.model, seen.models) == ("two", ("one", "two"))


async def test_where_no_model_is_listed_one_has_to_be_named():
    async with strict_server() as address:
        with pytest.raises(ConfigurationError, match=r"lists no models.*--model"):
            await probe_endpoint(address)


async def test_nothing_at_the_address_is_a_clear_line():
    with pytest.raises(FirstContactError, match="no answer: cannot connect") as caught:
        await probe_endpoint("http://127.0.0.1:9/v1", model="m")
    assert "\n" not in str(caught.value)


async def test_what_speaks_another_protocol_is_told():
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-other\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FirstContactError, match="does not speak HTTP"):
            await probe_endpoint(f"http://127.0.0.1:{port}", model="m")


@pytest.mark.parametrize("text", ["ftp://127.0.0.1/v1", "http://", "not an address"])
async def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="is not an address"):
        await probe_endpoint(text)


async def test_user_password_and_query_are_not_shown():
    async with ScriptedServer("red") as server:
        url = server.base_url.replace("http://", "http://me:hunter2hunter2@") + "?token=abcdefgh"
        seen = await probe_endpoint(url)
    assert seen.works
    assert "hunter2" not in repr(seen)
    assert "abcdefgh" not in repr(seen)


async def test_a_secret_of_the_query_that_the_server_repeats_is_hidden():
    said = ScriptedReply("the token quitesecret9 is of no use", status=403)
    async with ScriptedServer(said) as server:
        seen = await probe_endpoint(f"{server.base_url}?token=quitesecret9")
    assert not seen.works
    assert "quitesecret9" not in repr(seen)


async def test_a_key_that_is_part_of_the_address_is_hidden():
    async with ScriptedServer("red") as server:
        key = "pathkey-of-some-length"
        seen = await probe_endpoint(f"{server.base_url}/{key}", model="m", api_key=key)
    assert not seen.works
    assert "/v1/[redacted]/chat/completions" in found(seen, "text").request
    assert key not in repr(seen)
