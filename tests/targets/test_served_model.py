"""Calls to a managed server that another process keeps up, such as the driver of a cluster."""

import asyncio

import pytest

from safejury.common import TransportError
from safejury.models import ChatMessage, ChatRequest, ModelSpec, TextPart
from safejury.targets import ServedModel, ServerAddress
from safejury.testing import ScriptedReply, ScriptedServer

REQUEST = ChatRequest((ChatMessage("user", (TextPart("Hello?"),)),), call_id="q1/own/0/target")


def served(server: ScriptedServer, patience: float) -> ServedModel:
    address = ServerAddress("own", server.base_url, "./tiny", "tiny", "tiny:1")
    return ServedModel(ModelSpec("own", server="own"), address, None, patience=patience)


async def test_a_call_that_the_end_of_its_server_cut_off_is_repeated_once_it_is_back() -> None:
    is_asked = asyncio.Event()

    def reply(_: object) -> ScriptedReply:
        is_first = not is_asked.is_set()
        is_asked.set()
        return ScriptedReply("Hello.", hang=is_first)

    async with ScriptedServer(reply) as server:
        model = served(server, 60.0)
        call = asyncio.create_task(model.complete(REQUEST))
        await is_asked.wait()
        await server.aclose()
        await asyncio.wait([call], timeout=0.3)
        assert not call.done()
        await server.start()
        assert (await call).text == "Hello."
        assert server.stats.calls == 2
        await model.aclose()


async def test_a_call_that_fails_on_a_server_that_is_well_is_not_repeated() -> None:
    async with ScriptedServer(ScriptedReply("out of order", status=503)) as server:
        model = served(server, 60.0)
        with pytest.raises(TransportError):
            await model.complete(REQUEST)
        assert server.stats.calls == 1
        await model.aclose()


async def test_a_server_that_stays_away_is_waited_for_no_longer_than_said() -> None:
    async with ScriptedServer() as server:
        model = served(server, 0.1)
        await server.aclose()
        with pytest.raises(TransportError):
            await model.complete(REQUEST)
        await model.aclose()
