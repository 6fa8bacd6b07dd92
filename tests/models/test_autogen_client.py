import asyncio
import base64
import json
from pathlib import Path
from typing import cast

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import MultiModalMessage, TextMessage
from autogen_core import CancellationToken, FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    SystemMessage,
    UserMessage,
    validate_model_info,
)
from PIL import Image as Pixels
from pydantic import BaseModel

from safejury.agents import AgentChatClient
from safejury.common import ConfigurationError, RateLimitError
from safejury.models import (
    Cached,
    EndpointModel,
    Modality,
    ModelSpec,
    ResponseCache,
    Sampling,
)
from safejury.testing import ScriptedReply, ScriptedServer

_HELLO = [UserMessage(content="Hello", source="user")]
_TEXT: frozenset[Modality] = frozenset({"text"})


class Opinion(BaseModel):
    finding: str
    rating: int


def _client(server: ScriptedServer) -> AgentChatClient:
    return AgentChatClient(EndpointModel(base_url=server.base_url, model="any"))


async def test_an_assistant_agent_answers_with_its_system_message() -> None:
    async with ScriptedServer(reply="Good day.") as server:
        client = _client(server)
        agent = AssistantAgent("critic", client, system_message="You are a critic.")
        result = await agent.run(task="Hello")
        await client.close()
        (body,) = server.requests
    assert isinstance(result.messages[-1], TextMessage)
    assert result.messages[-1].content == "Good day."
    assert body["messages"] == [
        {"role": "system", "content": "You are a critic."},
        {"role": "user", "content": "Hello"},
    ]


async def test_an_assistant_agent_streams_its_answer() -> None:
    async with ScriptedServer(reply="Good day.") as server:
        client = _client(server)
        agent = AssistantAgent("critic", client, model_client_stream=True)
        result = await agent.run(task="Hello")
        await client.close()
    assert isinstance(result.messages[-1], TextMessage)
    assert result.messages[-1].content == "Good day."


@pytest.mark.parametrize("fence", ["", "```\n", "```json\n"])
async def test_an_assistant_agent_gets_structured_output(fence: str) -> None:
    """Also in a code fence, as models write JSON that no server held them to."""
    reply = f'{fence}{{"finding": "safe", "rating": 5}}' + ("\n```" if fence else "")
    async with ScriptedServer(reply=reply) as server:
        client = _client(server)
        agent = AssistantAgent("critic", client, output_content_type=Opinion)
        result = await agent.run(task="Judge this.")
        await client.close()
        (body,) = server.requests
    assert result.messages[-1].model_dump()["content"] == {"finding": "safe", "rating": 5}
    assert '"Opinion"' in json.dumps(body["response_format"])


async def test_an_assistant_agent_shows_an_image() -> None:
    image = Image(Pixels.new("RGB", (2, 3), "red"))
    async with ScriptedServer(reply="Red.") as server:
        client = _client(server)
        agent = AssistantAgent("critic", client)
        task = MultiModalMessage(content=["What is this?", image], source="user")
        await agent.run(task=task)
        await client.close()
        (body,) = server.requests
    sent = json.dumps(body)
    assert "What is this?" in sent
    assert f"data:image/png;base64,{image.to_base64()}" in sent
    assert base64.b64decode(image.to_base64()).startswith(b"\x89PNG")


async def test_a_model_without_eyes_says_so() -> None:
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="any", modalities=_TEXT)
    client = AgentChatClient(model)
    assert client.model_info["vision"] is False
    assert client.model_info["family"] == "unknown"
    assert client.capabilities["vision"] is False
    validate_model_info(client.model_info)
    shown = UserMessage(content=[Image(Pixels.new("RGB", (2, 3)))], source="user")
    with pytest.raises(ConfigurationError, match="takes no pictures"):
        await client.create([shown])


async def test_every_kind_of_message_and_setting_arrives() -> None:
    messages = [
        SystemMessage(content="Be brief."),
        *_HELLO,
        AssistantMessage(content="Hi.", source="critic"),
        AssistantMessage(
            content=[FunctionCall(id="1", name="search", arguments='{"q": "x"}')], source="critic"
        ),
        FunctionExecutionResultMessage(
            content=[FunctionExecutionResult(content="found", name="search", call_id="1")]
        ),
    ]
    async with ScriptedServer(reply="ok") as server:
        model = EndpointModel(base_url=server.base_url, model="any")
        client = AgentChatClient(model, sampling=Sampling(temperature=0), seed=7, max_tokens=9)
        await client.create(messages, json_output=True)
        await client.close()
        (body,) = server.requests
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0, 7, 9)
    assert "response_format" in body
    sent = json.dumps(body["messages"])
    for words in ("Be brief.", "Hello", "Hi."):
        assert words in sent
    *_, called, returned = cast("list[object]", body["messages"])
    assert called == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "search", "arguments": '{"q": "x"}'},
            }
        ],
    }
    assert returned == {"role": "tool", "content": "found", "tool_call_id": "1", "name": "search"}


async def test_usage_adds_up() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    reply = ScriptedReply("ok", finish_reason="length", usage=usage)
    async with ScriptedServer(reply=reply) as server:
        client = _client(server)
        results = [await client.create(_HELLO) for _ in range(2)]
        await client.close()
    assert results[0].finish_reason == "length"
    assert results[0].usage.prompt_tokens == 10
    assert client.total_usage().prompt_tokens == 20
    assert client.actual_usage().completion_tokens == 6


async def test_a_stream_is_the_text_and_then_the_result() -> None:
    async with ScriptedServer(reply=["Good day.", ScriptedReply(refusal="I won't.")]) as server:
        client = _client(server)
        *text, result = [piece async for piece in client.create_stream(_HELLO)]
        refused = [piece async for piece in client.create_stream(_HELLO)]
        await client.close()
    assert text == ["Good ", "day."]
    assert isinstance(result, CreateResult)
    assert result.content == "Good day."
    assert result.usage.prompt_tokens == client.total_usage().prompt_tokens // 2 > 0
    assert refused[0] == "I won't."


async def test_a_stream_that_broke_and_was_tried_again_says_nothing_twice() -> None:
    async with ScriptedServer(reply="One two three four.", faults=["truncate"]) as server:
        client = AgentChatClient(ModelSpec("m", base_url=server.base_url))
        *text, result = [piece async for piece in client.create_stream(_HELLO)]
        await client.close()
    assert len(server.requests) == 2
    assert "".join(map(str, text)) == "One two three four."
    assert isinstance(result, CreateResult)


async def test_a_model_that_does_not_stream_speaks_in_one_piece(tmp_path: Path) -> None:
    async with ScriptedServer(reply="Good day.") as server:
        store = ResponseCache(tmp_path / "cache")
        model = EndpointModel(base_url=server.base_url, model="any")
        client = AgentChatClient(Cached(model, store))
        first = [piece async for piece in client.create_stream(_HELLO)]
        second = [piece async for piece in client.create_stream(_HELLO)]
        await client.close()
        store.close()
    assert first[:-1] == ["Good ", "day."]
    text, result = second
    assert text == "Good day."
    assert isinstance(result, CreateResult)
    assert result.cached
    assert client.actual_usage() == client.total_usage()


@pytest.mark.parametrize(
    ("reply", "said", "thought"),
    [
        ("<think>It is a fruit.</think>\n\nSour.", "Sour.", "It is a fruit."),
        ("It is a fruit.\n</think>\nSour.", "Sour.", "It is a fruit."),
        ("Sour.", "Sour.", None),
        ("<think>It is", "<think>It is", None),
        ("Write <think>.", "Write <think>.", None),
    ],
)
async def test_what_a_model_thought_is_told_from_what_it_said(
    reply: str, said: str, thought: str | None
) -> None:
    async with ScriptedServer(reply=reply) as server:
        client = _client(server)
        result = await client.create(_HELLO)
        *_, streamed = [piece async for piece in client.create_stream(_HELLO)]
        await client.close()
    assert (result.content, result.thought) == (said, thought)
    assert streamed == result


async def test_leaving_a_stream_ends_the_request() -> None:
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        client = _client(server)
        stream = client.create_stream(_HELLO)
        waiting = asyncio.ensure_future(anext(stream))
        await _until(server, in_flight=1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await _until(server, in_flight=0)
        await client.close()


async def test_canceling_the_token_ends_the_request() -> None:
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        client, token = _client(server), CancellationToken()
        call = asyncio.ensure_future(client.create(_HELLO, cancellation_token=token))
        await _until(server, in_flight=1)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, 20)
        await _until(server, in_flight=0)
        await client.close()


async def test_canceling_the_caller_ends_the_request() -> None:
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        client = _client(server)
        call = asyncio.ensure_future(client.create(_HELLO, cancellation_token=CancellationToken()))
        await _until(server, in_flight=1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, 20)
        await _until(server, in_flight=0)
        await client.close()


async def test_failures_stay_what_they_are() -> None:
    async with ScriptedServer(faults=["429"]) as server:
        client = _client(server)
        with pytest.raises(RateLimitError):
            await client.create(_HELLO, cancellation_token=CancellationToken())
        await client.close()


async def test_what_is_not_supported_is_said() -> None:
    client = AgentChatClient(EndpointModel(base_url="http://127.0.0.1:9/v1", model="any"))
    with pytest.raises(ConfigurationError, match="does not know best_of, n of extra_create_args"):
        await client.create(_HELLO, extra_create_args={"n": 2, "best_of": 3, "stop": "x"})


async def test_settings_of_one_call_come_before_the_clients() -> None:
    async with ScriptedServer(reply="ok") as server:
        model = EndpointModel(base_url=server.base_url, model="any")
        client = AgentChatClient(model, sampling=Sampling(0.5, 0.9), seed=7, max_tokens=9)
        given = {"temperature": 1, "max_tokens": 5, "stop": ["x"], "extra_body": {"guard": True}}
        await client.create(_HELLO, extra_create_args=given)
        await client.close()
        [body] = server.requests
    assert (body["temperature"], body["top_p"], body["seed"], body["max_tokens"]) == (1, 0.9, 7, 5)
    assert (body["stop"], body["guard"]) == (["x"], True)


async def test_tokens_are_estimated() -> None:
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="any")
    client = AgentChatClient(model, context_tokens=1000)
    messages = [UserMessage(content="x" * 400, source="user")]
    assert client.count_tokens(messages) == 108  # 400 / 4, and 8 for the message
    assert client.remaining_tokens(messages) == 892


async def _until(server: ScriptedServer, *, in_flight: int) -> None:
    async with asyncio.timeout(20):
        while server.stats.in_flight != in_flight:  # noqa: ASYNC110  (it has no event)
            await asyncio.sleep(0.01)
