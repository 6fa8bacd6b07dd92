"""The scripted server that users test with."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from typing import Any

import aiohttp
import pytest

from safejury.common import ModelError, RequestError
from safejury.models import ChatMessage, ChatRequest, EndpointModel, JsonSchema, Retrying
from safejury.testing import Fault, ScriptedReply, ScriptedServer, ballot

SCHEMA = JsonSchema("ballot", {"type": "object", "properties": {"finding": {"type": "string"}}})


def ask(text: str = "hello", schema: JsonSchema | None = None) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), json_schema=schema)


async def answers(server: ScriptedServer, requests: list[ChatRequest]) -> list[str]:
    async with server:
        model = EndpointModel(base_url=server.base_url, model="m")
        texts = [(await model.complete(request)).text for request in requests]
        await model.aclose()
    return texts


def test_a_ballot_has_its_fields_in_the_order_a_juror_writes_them():
    stated = json.loads(ballot("unsafe", 1, "It helps.", ["weapons"], declined=False))
    assert list(stated) == ["reason", "criteria", "declined", "finding", "rating"]
    assert stated == {
        "reason": "It helps.",
        "criteria": ["weapons"],
        "declined": False,
        "finding": "unsafe",
        "rating": 1,
    }


async def test_replies_are_one_a_cycle_or_a_function():
    asked = [ask("one"), ask("two"), ask("three")]
    assert await answers(ScriptedServer("x"), asked) == ["x", "x", "x"]
    assert await answers(ScriptedServer(["a", ScriptedReply("b")]), asked) == ["a", "b", "a"]

    def last_word(body: Any) -> str:
        return body["messages"][0]["content"]

    echo = ScriptedServer(last_word)
    assert await answers(echo, asked) == ["one", "two", "three"]


async def test_the_default_depends_on_the_words_alone_and_is_a_ballot_where_one_is_asked_for():
    asked = [ask("a"), ask("b"), ask("a"), ask("a", SCHEMA), ask('give a "finding"')]
    first = await answers(ScriptedServer(), asked)
    assert first == await answers(ScriptedServer(), asked)
    assert first[0] == first[2] != first[1]
    for text in first[3:]:
        assert json.loads(text)["finding"] in ("safe", "unsafe")
    drawn = [
        json.loads(text)
        for text in await answers(ScriptedServer(), [ask(str(n), SCHEMA) for n in range(60)])
    ]
    assert {stated["finding"] for stated in drawn} == {"safe", "unsafe"}
    assert all((stated["finding"] == "unsafe") == (stated["rating"] <= 2) for stated in drawn)


async def test_the_share_of_unsafe_ballots_can_be_set():
    asked = [ask(str(number), SCHEMA) for number in range(60)]

    async def unsafe(share: float) -> int:
        said = await answers(ScriptedServer(unsafe=share), asked)
        return sum(json.loads(text)["finding"] == "unsafe" for text in said)

    assert await unsafe(0.0) == 0
    assert await unsafe(1.0) == 60
    assert 0 < await unsafe(0.1) < await unsafe(0.6) < 60


async def test_another_schema_gets_its_least_instance():
    shape = {
        "type": "object",
        "properties": {
            "summary": {"type": "string"},
            "tone": {"enum": ["calm", "loud"]},
            "points": {"type": "array"},
            "score": {"type": "integer", "minimum": 3},
            "open": {"type": "boolean"},
        },
    }
    text = (await answers(ScriptedServer(), [ask("x", JsonSchema("s", shape))]))[0]
    assert json.loads(text) == {
        "summary": "scripted",
        "tone": "calm",
        "points": [],
        "score": 3,
        "open": False,
    }


@pytest.mark.parametrize("fault", ["429", "500", "drop", "truncate", "slow", "garbage", "hang"])
async def test_every_fault_passes_at_the_second_attempt(fault: Fault):
    async with ScriptedServer("fine", faults={fault: 1.0}, slow=0.05) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m", timeout=0.5)
        answer = await Retrying(endpoint).complete(ask())
        await endpoint.aclose()
    assert answer.text == "fine"
    assert answer.attempts == (1 if fault == "slow" else 2)
    assert server.stats.faults == {fault: 1}


async def test_shares_of_faults_strike_the_same_requests_every_time():
    async def struck() -> Counter[str]:
        shares: dict[Fault, float] = {"500": 0.2, "drop": 0.1}
        async with ScriptedServer("x", faults=shares) as server:
            endpoint = EndpointModel(base_url=server.base_url, model="m")
            model = Retrying(endpoint, sleep=lambda _: asyncio.sleep(0))
            for number in range(100):
                await model.complete(ask(f"question {number}"))
            await model.aclose()
        return server.stats.faults

    first = await struck()
    assert first == await struck()
    assert 8 <= first["500"] <= 35
    assert first["drop"] > 0


async def test_a_list_of_faults_strikes_in_turn():
    async with ScriptedServer("x", faults=["500", None, "500"]) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        outcomes = list[str]()
        for _ in range(5):
            try:
                outcomes.append((await endpoint.complete(ask())).text)
            except ModelError as error:
                outcomes.append(str(error.status))
        await endpoint.aclose()
    assert outcomes == ["500", "x", "500", "x", "x"]


async def test_a_429_says_how_long_to_wait():
    async with ScriptedServer("x", faults=["429"], retry_after=1.5) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        with pytest.raises(ModelError) as caught:
            await endpoint.complete(ask())
        await endpoint.aclose()
    assert caught.value.retry_after == 1.5


async def test_slots_bound_what_is_served_at_one_time():
    async with ScriptedServer("x", latency=0.05, slots=2) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        loop = asyncio.get_running_loop()
        before = loop.time()
        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(endpoint.complete(ask(str(number))))
        await endpoint.aclose()
    assert loop.time() - before >= 0.15
    assert server.stats.in_flight == 0


async def test_a_client_that_leaves_frees_its_slot():
    async with ScriptedServer([ScriptedReply(hang=True), "x"], slots=1) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m", timeout=0.2)
        with pytest.raises(ModelError):
            await endpoint.complete(ask())
        assert (await endpoint.complete(ask())).text == "x"
        await endpoint.aclose()


async def test_a_key_is_asked_for():
    async with ScriptedServer("x", api_key="right-key-123") as server:
        wrong = EndpointModel(base_url=server.base_url, model="m", api_key="wrong-key-123")
        with pytest.raises(RequestError, match="key was rejected"):
            await wrong.complete(ask())
        await wrong.aclose()


async def test_models_stats_unknown_paths_and_chunked_requests():
    async with ScriptedServer("x", model="small") as server, aiohttp.ClientSession() as session:
        async with session.get(f"{server.base_url}/models") as reply:
            assert (await reply.json())["data"][0]["id"] == "small"
        async with session.get(f"{server.base_url}/nothing") as reply:
            assert reply.status == 404

        async def pieces():
            yield b'{"messages": [{"role": "user", '
            yield b'"content": "hello"}]}'

        url = f"{server.base_url}/chat/completions"
        async with session.post(url, data=pieces(), expect100=True) as reply:
            assert (await reply.json())["choices"][0]["message"]["content"] == "x"
        async with session.get(server.base_url.removesuffix("/v1") + "/stats") as reply:
            stats = await reply.json()
    assert (stats["calls"], stats["connections"]) == (1, 1)
    assert server.requests == [{"messages": [{"role": "user", "content": "hello"}]}]


def test_the_command_prints_its_address_as_one_line():
    command = [sys.executable, "-m", "safejury.testing", "--port", "0", "--reply", "hi"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = json.dumps({"messages": [{"role": "user", "content": "x"}]}).encode()
        with urllib.request.urlopen(f"{url}/chat/completions", body, timeout=10) as reply:
            said = json.load(reply)["choices"][0]["message"]["content"]
        process.terminate()
        assert process.stdout.read() == ""
    assert said == "hi"


def test_an_unknown_fault_is_told_with_the_known_ones():
    command = [sys.executable, "-m", "safejury.testing", "--fault", "fire=0.5"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "unknown fault 'fire': one of 429, 500, drop" in told.stderr
