import asyncio
import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest

from safejury.common import (
    ConfigurationError,
    ModelError,
    RateLimitError,
    RequestError,
    TransportError,
)
from safejury.datasets import Media
from safejury.models import (
    ChatMessage,
    ChatRequest,
    Completion,
    ImagePart,
    JsonSchema,
    LiteLLMModel,
    Price,
    Sampling,
    TextPart,
    known_price,
)
from safejury.testing import ScriptedReply, ScriptedServer

pytestmark = pytest.mark.slow


_KEY = "sk-scripted-0123456789"
_SCHEMA = JsonSchema("answer", {"type": "object", "properties": {"finding": {"type": "string"}}})
_HELLO = ChatRequest((ChatMessage.of("user", "Hello"),))


async def _ask(
    server: ScriptedServer,
    request: ChatRequest = _HELLO,
    *,
    model: str = "openai/x",
    timeout: float = 30.0,
) -> Completion:
    client = LiteLLMModel(model, api_key=_KEY, api_base=server.base_url, timeout=timeout)
    try:
        return await client.complete(request)
    finally:
        await client.aclose()


async def test_the_whole_request_arrives_and_the_reply_comes_back(tmp_path: Path) -> None:
    data = b"\x89PNG not really a picture, sent as it is"
    path = tmp_path / "a.png"
    path.write_bytes(data)
    media = Media(hashlib.sha256(data).hexdigest(), "image/png", len(data), str(path))
    request = ChatRequest(
        (
            ChatMessage.of("system", "Be brief."),
            ChatMessage("user", (TextPart("What is this?"), ImagePart(media))),
        ),
        json_schema=_SCHEMA,
        sampling=Sampling(temperature=0.0, top_p=0.9),
        seed=7,
        max_tokens=50,
    )
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "prompt_tokens_details": {"cached_tokens": 60},
    }
    async with ScriptedServer(reply=ScriptedReply("A picture.", usage=usage)) as server:
        completion = await _ask(server, request)
        (body,) = server.requests
    assert completion.text == "A picture."
    assert completion.finish_reason == "stop"
    assert completion.usage.prompt_tokens == 100
    assert completion.usage.cached_tokens == 60
    assert completion.usage.completion_tokens == 10
    assert completion.provider_model == "scripted"
    assert completion.latency_s > 0
    assert completion.notes == ()
    assert body["model"] == "x"
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.0, 0.9, 7)
    assert body["max_tokens"] == 50
    sent = json.dumps(body)
    assert "Be brief." in sent
    assert base64.b64encode(data).decode() in sent
    assert '"finding"' in sent


async def test_an_unknown_price_is_none_and_a_known_one_is_computed() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    async with ScriptedServer(reply=ScriptedReply("hi", usage=usage)) as server:
        unknown = await _ask(server)
        known = await _ask(server, model="openai/gpt-4o")
    assert unknown.cost_usd is None
    price = await known_price("openai/gpt-4o")
    assert price is not None
    assert known.cost_usd == pytest.approx(price.of(known.usage))
    assert await known_price("openai/x") is None


@pytest.mark.parametrize(
    "model",
    [
        "codestral/codestral-latest",  # listed at 0
        "azure/model-router",  # its replies are
        "volcengine/kimi-k2-thinking-251104",  # the same, without its provider
        "someprovider/gpt-4o",  # listed for another provider
    ],
)
async def test_a_gap_in_the_list_and_the_price_of_another_provider_are_unknown(model: str) -> None:
    assert await known_price(model) is None


@pytest.mark.parametrize("model", ["bedrock/amazon.nova-lite-v1:0", "openai/gpt-4o"])
async def test_a_price_that_is_listed_without_its_provider_is_found(model: str) -> None:
    assert await known_price(model) is not None


async def test_a_price_that_grows_with_the_prompt_is_the_dearest_of_the_list() -> None:
    """Nothing says beforehand how many tokens a provider counts for a prompt."""
    listed = import_module("litellm").model_cost["gemini/gemini-2.5-pro"]
    kinds = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    longest = [listed[f"{kind}_above_200k_tokens"] * 1e6 for kind in kinds]
    assert all(price > listed[kind] * 1e6 for kind, price in zip(kinds, longest, strict=True))
    assert await known_price("gemini/gemini-2.5-pro") == Price(*longest)


async def test_a_provider_that_does_not_count_has_unknown_usage_and_cost() -> None:
    async with ScriptedServer(reply=ScriptedReply("hi", usage=None)) as server:
        completion = await _ask(server, model="openai/gpt-4o")
    assert completion.usage.total_tokens is None
    assert completion.cost_usd is None


async def test_refusals_and_filters_are_completions() -> None:
    refusal = ScriptedReply(refusal="I won't.", no_content=True)
    cut = ScriptedReply("Well", finish_reason="content_filter")
    rejected = ScriptedReply("flagged", status=400, code="content_filter")
    async with ScriptedServer(reply=[refusal, cut, rejected]) as server:
        assert (await _ask(server)).refusal == "I won't."
        assert (await _ask(server)).filtered
        assert (await _ask(server)).filtered


@pytest.mark.parametrize(
    ("reply", "kind", "permanent"),
    [
        (ScriptedReply("no", status=401), RequestError, True),
        (ScriptedReply("no", status=403), RequestError, True),
        (ScriptedReply("no such model", status=404), RequestError, True),
        (
            ScriptedReply("too long", status=400, code="context_length_exceeded"),
            RequestError,
            False,
        ),
        (ScriptedReply("odd", status=422), RequestError, False),
        (ScriptedReply("boom", status=500), TransportError, False),
        (ScriptedReply("busy", status=503), TransportError, False),
        (ScriptedReply(drop=True), TransportError, False),
        (ScriptedReply("hello", truncate=True), TransportError, False),
    ],
)
async def test_each_failure_is_one_of_ours_after_one_call(
    reply: ScriptedReply, kind: type[ModelError], permanent: bool
) -> None:
    async with ScriptedServer(reply=reply) as server:
        with pytest.raises(kind) as caught:
            await _ask(server)
        assert server.stats.calls == 1
    assert type(caught.value) is kind
    assert caught.value.permanent is permanent
    assert "openai/x" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _KEY not in str(caught.value)


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    reply = ScriptedReply("slow down", status=429, headers={"Retry-After": "7"})
    async with ScriptedServer(reply=reply) as server:
        with pytest.raises(RateLimitError) as caught:
            await _ask(server)
    assert caught.value.retry_after == 7


async def test_a_hang_ends_at_the_time_out_and_frees_the_server() -> None:
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        with pytest.raises(TransportError, match="timeout"):
            await _ask(server, timeout=0.5)
        async with asyncio.timeout(20):
            while server.stats.in_flight:  # noqa: ASYNC110  (the server has no event to wait for)
                await asyncio.sleep(0.01)


async def test_an_address_where_nothing_listens_is_permanent() -> None:
    client = LiteLLMModel("openai/x", api_key=_KEY, api_base="http://127.0.0.1:9/v1")
    with pytest.raises(TransportError, match="is the server up") as caught:
        await client.complete(_HELLO)
    await client.aclose()
    assert caught.value.permanent


async def test_a_server_without_schemas_is_asked_in_words() -> None:
    async with ScriptedServer(reply='{"finding": "safe"}', json_schema=False) as server:
        completion = await _ask(server, ChatRequest(_HELLO.messages, json_schema=_SCHEMA))
        assert "response_format" not in server.requests[-1]
    assert json.loads(completion.text) == {"finding": "safe"}
    assert any("in words" in note for note in completion.notes)


async def test_what_a_provider_does_not_take_is_left_out_and_noted() -> None:
    request = ChatRequest(_HELLO.messages, seed=7, sampling=Sampling(temperature=0.5))
    async with ScriptedServer(reply="hi") as server:
        completion = await _ask(server, request, model="openai/o1")
        assert "temperature" not in server.requests[-1]
        assert server.requests[-1]["seed"] == 7
    assert completion.notes == ("the provider does not take temperature; it was left out",)


async def test_what_a_provider_rejects_is_left_out_from_then_on() -> None:
    request = ChatRequest(_HELLO.messages, seed=7, sampling=Sampling(temperature=0.5))

    def picky(body: Mapping[str, object]) -> str | ScriptedReply:
        return ScriptedReply("seed is not supported", status=400) if "seed" in body else "hi"

    async with ScriptedServer(reply=picky) as server:
        client = LiteLLMModel("openai/x", api_key=_KEY, api_base=server.base_url)
        for calls in (2, 3):
            completion = await client.complete(request)
            assert completion.notes == ("the provider does not take seed; it was left out",)
            assert server.stats.calls == calls
        await client.aclose()


async def test_a_temperature_that_a_provider_rejects_is_left_out_and_noted() -> None:
    greedy = ChatRequest(_HELLO.messages, sampling=Sampling(temperature=0.0))
    async with ScriptedServer(reply="hi", quirks=["no_temperature"]) as server:
        completion = await _ask(server, greedy)
        assert ["temperature" in body for body in server.requests] == [True, False]
    assert completion.notes == ("the provider does not take temperature; it was left out",)


@pytest.mark.parametrize(
    ("model", "variable"),
    [("openai/x", "OPENAI_API_KEY"), ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY")],
)
async def test_a_missing_key_is_named(
    model: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    client = LiteLLMModel(model)
    with pytest.raises(RequestError, match=f"set the environment variable {variable}") as caught:
        await client.complete(_HELLO)
    await client.aclose()
    assert caught.value.permanent


async def test_an_unknown_provider_is_named() -> None:
    client = LiteLLMModel("nosuch/x", api_key=_KEY)
    with pytest.raises(RequestError, match="provider/model") as caught:
        await client.complete(_HELLO)
    await client.aclose()
    assert caught.value.permanent


async def test_closing_one_model_leaves_another_working() -> None:
    async with ScriptedServer(reply="hi") as server:
        first, second = (
            LiteLLMModel("openai/x", api_key=_KEY, api_base=server.base_url) for _ in range(2)
        )
        await first.complete(_HELLO)
        await second.complete(_HELLO)
        await first.aclose()
        await first.aclose()
        assert (await second.complete(_HELLO)).text == "hi"
        await second.aclose()


def test_a_name_without_a_provider_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="provider/model"):
        LiteLLMModel("gpt-4o")


def test_litellm_is_not_imported_before_the_first_call_and_says_nothing() -> None:
    code = """
import asyncio, sys
from safejury.models import ChatMessage, ChatRequest, LiteLLMModel
from safejury.testing import ScriptedReply, ScriptedServer

async def main():
    words = ScriptedReply("boom", status=500)
    async with ScriptedServer(reply=[words, "hi"]) as server:
        model = LiteLLMModel("openai/x", api_key="sk-scripted-0123456789", api_base=server.base_url)
        assert "litellm" not in sys.modules
        request = ChatRequest((ChatMessage.of("user", "a secret prompt"),))
        try:
            await model.complete(request)
        except Exception:
            pass
        await model.complete(request)
        await model.aclose()
        assert "litellm" in sys.modules

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "a secret prompt" not in done.stderr
    assert "boom" not in done.stderr


async def test_a_key_in_a_reply_is_hidden() -> None:
    async with ScriptedServer(f"You sent {_KEY}.") as server:
        completion = await _ask(server)
    assert completion.text == "You sent [redacted]."
