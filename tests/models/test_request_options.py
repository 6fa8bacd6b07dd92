"""What a config adds to each request, on the wire and in the hash of the request."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from safejury.common import ConfigurationError
from safejury.models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    EndpointModel,
    JsonSchema,
    LiteLLMModel,
    ModelRegistry,
    ModelSpec,
    RequestOptions,
    Sampling,
)

OPTIONS = RequestOptions.of(
    {"stop": ["END"], "reasoning_effort": "low", "top_k": 20},
    {"chat_template_kwargs": {"enable_thinking": False}, "api_base": "http://elsewhere"},
    ["X-Team"],
)
ASK = ChatRequest(
    (ChatMessage.of("user", "hello"),), sampling=Sampling(temperature=0.0), options=OPTIONS
)
KEY = "sk-scripted-0123456789"


@dataclass
class Wire:
    """A server that answers everything and keeps what it was sent."""

    url: str = ""
    heads: list[str] = field(default_factory=list[str])
    bodies: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        self.heads.append(head)
        self.bodies.append(json.loads(await reader.readexactly(length)))
        said = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hi"},
        }
        body = json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [said]})
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body.encode())
        )
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def wire() -> AsyncGenerator[Wire, None]:
    kept = Wire()
    server = await asyncio.start_server(kept.answer, "127.0.0.1", 0)
    kept.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield kept


def by_endpoint(url: str) -> ChatModel:
    return EndpointModel(base_url=url, model="x", api_key=KEY, headers={"X-Team": "red-7"})


def by_litellm(url: str) -> ChatModel:
    return LiteLLMModel("openai/x", api_base=url, api_key=KEY, headers={"X-Team": "red-7"})


@pytest.mark.parametrize("way", [by_endpoint, by_litellm])
async def test_all_of_it_arrives_whichever_way_a_model_is_reached(
    way: Callable[[str], ChatModel],
):
    async with wire() as kept:
        model = way(kept.url)
        completion = await model.complete(replace(ASK, keep_sent=True))
        await model.aclose()
    (body,), (head,) = kept.bodies, kept.heads
    assert completion.text == "hi"
    assert (body["stop"], body["reasoning_effort"], body["top_k"]) == (["END"], "low", 20)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["api_base"] == "http://elsewhere"
    assert (body["temperature"], body["model"]) == (0.0, "x")
    assert "x-team: red-7" in head
    assert completion.sent is not None
    assert json.loads(completion.sent.body)["stop"] == ["END"]
    assert "red-7" not in completion.sent.body


async def test_what_is_added_changes_nothing_that_the_request_says_itself():
    options = RequestOptions.of({}, {"temperature": 2, "messages": [], "model": "y", "extra": 1})
    async with wire() as kept:
        model = by_endpoint(kept.url)
        await model.complete(replace(ASK, options=options))
        await model.aclose()
    (body,) = kept.bodies
    assert (body["temperature"], body["model"], body["extra"]) == (0.0, "x", 1)
    assert body["messages"]


def test_the_hash_of_a_request_has_its_options_and_is_the_old_one_without():
    plain = replace(ASK, options=None)
    # Made by the version that knew no options: what a record holds is found again.
    assert plain.key("m") == "56fd14d416cc2be1a9191f90aeede5d6eb359f34f89a7cde01483916e3ce2e83"
    others = [
        RequestOptions.of({"stop": ["END"]}, {}),
        RequestOptions.of({}, {"stop": ["END"]}),
        RequestOptions.of({}, {}, ["stop"]),
    ]
    keys = {replace(ASK, options=options).key("m") for options in [*others, OPTIONS]}
    assert len(keys | {plain.key("m")}) == 5


def test_the_hash_of_a_request_is_that_of_the_model_it_is_asked_for_and_no_part_of_it():
    request = replace(ASK, json_schema=JsonSchema("answer", {"type": "object"}))
    keys = [request.key("m"), request.key("n"), request.key("m")]
    assert keys[0] == keys[2] != keys[1]
    assert replace(request, seed=4711).key("m") not in keys
    again = replace(request)
    assert (request, repr(request)) == (again, repr(again))
    assert msgspec.json.encode(request.json_schema) == msgspec.json.encode(again.json_schema)
    assert request.json_schema is not None
    assert (
        msgspec.json.encode(request.json_schema) == b'{"name":"answer","schema":{"type":"object"}}'
    )


async def test_a_model_of_a_switchboard_adds_what_its_spec_says():
    async with wire() as kept:
        spec = ModelSpec(
            "x", base_url=kept.url, options=OPTIONS, headers=(("X-Team", "red-77-red"),)
        )
        async with ModelRegistry() as registry:
            await registry.open(spec).complete(replace(ASK, options=None))
    assert kept.bodies[0]["stop"] == ["END"]
    assert "x-team: red-77-red" in kept.heads[0]
    assert "red-77-red" not in repr(spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ModelSpec("azure/gpt-4o", base_url="http://127.0.0.1:9"), "give the address as api_base"),
        (ModelSpec("ollama/llama3", base_url="http://127.0.0.1:9"), "model: openai/ollama/llama3"),
        (ModelSpec("openai/gpt-4o", region="here"), "openai does not take"),
        (ModelSpec("azure/gpt-4o", api_base="gateway"), "write it with http://"),
    ],
)
def test_what_would_be_asked_in_another_dialect_is_refused(spec: ModelSpec, said: str):
    with pytest.raises(ConfigurationError, match=said):
        spec.check_place()


def test_names_of_hub_folders_are_names_at_an_address():
    for name in ("openai/gpt-oss-20b", "anthropic/claude-sonnet-4.5", "mistralai/Mixtral-8x7B"):
        ModelSpec(name, base_url="http://127.0.0.1:9").check_place()


def test_models_of_one_provider_at_two_addresses_share_no_limits():
    here = ModelSpec("azure/a", api_base="https://here.example")
    there = ModelSpec("azure/a", api_base="https://there.example")
    assert here.place == "azure at https://here.example"
    assert here.place != there.place
    assert ModelSpec("bedrock/a", region="eu-west-1").place == "bedrock in eu-west-1"


_HOST = f"""
import asyncio, os, warnings
import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from safejury.models import ChatMessage, ChatRequest, LiteLLMModel
from safejury.testing import ScriptedReply, ScriptedServer

told = []

class Mine(CustomLogger):
    def log_success_event(self, *a, **k): told.append("success")
    async def async_log_success_event(self, *a, **k): told.append("async success")
    async def async_log_failure_event(self, *a, **k): told.append("async failure")

mine, function = Mine(), lambda *a: told.append("function")
litellm.callbacks, litellm.success_callback = [mine], [function]
litellm.drop_params = True
litellm.suppress_debug_info = False
kinds = bool, str, int, list, type(None)
names = [name for name, value in vars(litellm).items() if isinstance(value, kinds)]

def settings():
    values = {{name: getattr(litellm, name) for name in names}}
    return {{n: list(v) if isinstance(v, list) else v for n, v in values.items()}}

async def main():
    async with ScriptedServer(reply=["hi", ScriptedReply("boom", status=500)]) as server:
        model = LiteLLMModel("openai/x", api_key="{KEY}", api_base=server.base_url)
        for _ in range(2):
            try:
                await model.complete(ChatRequest((ChatMessage.of("user", "a prompt"),)))
            except Exception:
                pass
        await GLOBAL_LOGGING_WORKER.flush()
        await model.aclose()

before, filters, environment = settings(), list(warnings.filters), dict(os.environ)
asyncio.run(main())
changed = {{n for n, v in settings().items() if v != before[n]}}
# LiteLLM itself enters `callbacks` into these lists at anybody's first call.
assert all(n.endswith("_callback") or n == "_async_client_cleanup_registered" for n in changed)
assert mine in litellm.callbacks and function in litellm.success_callback
assert warnings.filters == filters
assert dict(os.environ) == environment
assert told == [], told
"""


@pytest.mark.slow
def test_settings_of_a_program_that_uses_litellm_itself_stay_as_they_are():
    offline = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(
        [sys.executable, "-c", _HOST], capture_output=True, text=True, check=False, env=offline
    )
    assert done.returncode == 0, done.stderr


def test_options_of_one_request_stand_beside_those_of_the_model_which_decide() -> None:
    model = RequestOptions.of({"stop": ["x"]}, {"a": {"b": 1, "c": 2}}, ["X-One"])
    request = RequestOptions.of({"n": 1}, {"a": {"b": 3, "d": 4}, "e": 5})
    both = model.over(request)
    assert both.in_body() == {"a": {"b": 1, "c": 2, "d": 4}, "e": 5, "n": 1, "stop": ["x"]}
    assert both.headers == ("X-One",)
    assert model.over(None) is model
