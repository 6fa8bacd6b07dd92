"""AutoGen's own assistants on our client: tools, memory, handoffs, structured output."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff, TaskResult
from autogen_agentchat.messages import (
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from autogen_core import CancellationToken, FunctionCall
from autogen_core.memory import ListMemory, MemoryContent, MemoryMimeType
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from autogen_core.tools import FunctionTool, ToolSchema
from pydantic import BaseModel, Field

from safejury.agents import AgentChatClient, case_of
from safejury.common import ConfigurationError
from safejury.models import EmbeddedModel, EndpointModel, ModelSpec, Price
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer

_HELLO = [UserMessage(content="Hello", source="user")]
_CALLS_SEARCH = ScriptedReply(tool_calls=(ScriptedCall("search", {"word": "quince"}),))
_CALLS_BOTH = ScriptedReply(
    "Both, then.",
    tool_calls=(ScriptedCall("search", {"word": "quince"}), ScriptedCall("double", {"number": 4})),
)


async def search(word: str) -> str:
    """Look a word up."""
    return f"{word}: a sour fruit"


async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


class Opinion(BaseModel):
    finding: str
    rating: int = 3
    by: list[str] = Field(default=[], description="Who says so.")


def _client(server: ScriptedServer) -> AgentChatClient:
    return AgentChatClient(EndpointModel(base_url=server.base_url, model="any"))


async def _run(
    reply: Sequence[str | ScriptedReply], **settings: Any
) -> tuple[TaskResult, list[dict[str, Any]]]:
    """Run an assistant on a scripted model, and return the result and the requests."""
    async with ScriptedServer(reply=reply) as server:
        client = _client(server)
        result = await AssistantAgent("critic", client, **settings).run(task="Go.")
        await client.close()
        return result, cast("list[dict[str, Any]]", server.requests)


async def test_an_assistant_calls_a_tool_and_says_what_it_returned() -> None:
    result, [body] = await _run([_CALLS_SEARCH], tools=[search])
    kinds = [type(message) for message in result.messages]
    assert kinds == [
        TextMessage,
        ToolCallRequestEvent,
        ToolCallExecutionEvent,
        ToolCallSummaryMessage,
    ]
    assert result.messages[-1].to_text() == "quince: a sour fruit"
    assert result.messages[1].models_usage is not None
    [tool] = body["tools"]
    assert tool["function"]["name"] == "search"
    assert tool["function"]["parameters"]["required"] == ["word"]


async def test_it_calls_several_tools_at_once_and_reflects_on_them() -> None:
    result, [asked, reflected] = await _run(
        [_CALLS_BOTH, "A quince, eight times."], tools=[search, double], reflect_on_tool_use=True
    )
    assert result.messages[-1].to_text() == "A quince, eight times."
    [thought] = [each for each in result.messages if isinstance(each, ThoughtEvent)]
    assert thought.content == "Both, then."
    assert len(asked["tools"]) == 2
    *_, called, first, second = reflected["messages"]
    assert called["content"] == "Both, then."
    assert [call["function"]["name"] for call in called["tool_calls"]] == ["search", "double"]
    ids = [call["id"] for call in called["tool_calls"]]
    assert [first["tool_call_id"], second["tool_call_id"]] == ids
    assert [first["content"], second["content"]] == ["quince: a sour fruit", "8"]


async def test_it_goes_on_calling_tools_up_to_its_bound() -> None:
    result, bodies = await _run([_CALLS_SEARCH], tools=[search], max_tool_iterations=3)
    assert len(bodies) == 3
    assert sum(isinstance(each, ToolCallRequestEvent) for each in result.messages) == 3
    ids = [
        call["id"] for message in bodies[-1]["messages"] for call in message.get("tool_calls") or ()
    ]
    assert ids == ["call_1", "call_2"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (ScriptedCall("search", {"word": 3}), "1 validation error"),
        (ScriptedCall("search", "no JSON"), "Error"),
        (ScriptedCall("unknown", {}), "Error"),
    ],
)
async def test_a_call_that_fails_is_told_to_the_model(call: ScriptedCall, said: str) -> None:
    reply = ScriptedReply(tool_calls=(call,))
    _, [_, reflected] = await _run([reply, "Well."], tools=[search], reflect_on_tool_use=True)
    returned = reflected["messages"][-1]
    assert returned["role"] == "tool"
    assert said in returned["content"]


async def test_a_failed_tool_is_marked_for_the_model() -> None:
    results = [
        FunctionExecutionResult(content="no network", name="search", call_id="1", is_error=True),
        FunctionExecutionResult(content="Error: gone", name="search", call_id="2", is_error=True),
    ]
    calls = [FunctionCall(id=each, name="search", arguments="{}") for each in "12"]
    said: list[LLMMessage] = [
        *_HELLO,
        AssistantMessage(content=calls, source="critic", thought="Two."),
        FunctionExecutionResultMessage(content=results),
    ]
    async with ScriptedServer(reply="ok") as server:
        client = _client(server)
        await client.create(said)
        await client.close()
        _, called, *returned = cast("Any", server.requests[0]["messages"])
    assert called["content"] == "Two."
    assert [each["content"] for each in returned] == ["Error: no network", "Error: gone"]


async def test_it_answers_in_a_schema_after_its_tools() -> None:
    replies = [_CALLS_SEARCH, '{"finding": "safe", "rating": 5, "by": ["me"]}']
    result, [asked, reflected] = await _run(replies, tools=[search], output_content_type=Opinion)
    assert result.messages[-1].model_dump()["content"] == {
        "finding": "safe",
        "rating": 5,
        "by": ["me"],
    }
    for body in (asked, reflected):
        schema = body["response_format"]["json_schema"]
        assert (schema["name"], schema["strict"]) == ("Opinion", True)
        assert schema["schema"]["required"] == ["finding", "rating", "by"]
        assert schema["schema"]["additionalProperties"] is False
        assert "default" not in schema["schema"]["properties"]["rating"]


async def test_it_streams_with_tools() -> None:
    async with ScriptedServer(reply=[_CALLS_BOTH, "A sour fruit."]) as server:
        client = _client(server)
        agent = AssistantAgent(
            "critic",
            client,
            tools=[search, double],
            model_client_stream=True,
            reflect_on_tool_use=True,
        )
        said = [message async for message in agent.run_stream(task="Go.")]
        await client.close()
    pieces = [each.content for each in said if isinstance(each, ModelClientStreamingChunkEvent)]
    assert pieces == ["Both, ", "then.", "A ", "sour ", "fruit."]
    assert isinstance(said[-1], TaskResult)
    assert said[-1].messages[-1].to_text() == "A sour fruit."


async def test_it_remembers() -> None:
    memory = ListMemory()
    await memory.add(MemoryContent(content="Quinces are sour.", mime_type=MemoryMimeType.TEXT))
    _, [body] = await _run(["Sour."], memory=[memory])
    assert "Quinces are sour." in json.dumps(body["messages"])


async def test_it_hands_over() -> None:
    call = ScriptedReply(tool_calls=(ScriptedCall("transfer_to_clerk", {}),))
    result, [body] = await _run([call], handoffs=[Handoff(target="clerk")])
    handed = result.messages[-1]
    assert isinstance(handed, HandoffMessage)
    assert handed.target == "clerk"
    assert body["tools"][0]["function"]["name"] == "transfer_to_clerk"


async def test_what_an_assistant_did_can_be_judged() -> None:
    result, _ = await _run(
        [_CALLS_SEARCH, "A sour fruit."], tools=[search], reflect_on_tool_use=True
    )
    case = case_of(result.messages)
    assert (case.query.text, case.response.text) == ("Go.", "A sour fruit.")
    called, returned = case.response.turns
    assert called.tool_calls[0].name == "search"
    assert returned.text == "quince: a sour fruit"


@pytest.mark.parametrize("choice", ["auto", "required", "none", "search"])
async def test_every_choice_of_tools_arrives(choice: Any) -> None:
    tool = FunctionTool(search, description="Looks a word up.")
    schema = ToolSchema(name="other", description="Another.")
    one = {"type": "function", "function": {"name": "search"}}
    sent = {"auto": None, "search": one}.get(choice, choice)
    async with ScriptedServer(reply=_CALLS_SEARCH) as server:
        client = _client(server)
        result = await client.create(
            _HELLO, tools=[tool, schema], tool_choice=tool if choice == "search" else choice
        )
        await client.close()
        [body] = server.requests
    assert body.get("tool_choice") == sent
    assert result.finish_reason == "function_calls"
    assert isinstance(result.content, list)
    [call] = result.content
    assert (call.name, call.arguments) == ("search", '{"word":"quince"}')
    assert [each["function"]["name"] for each in cast("Any", body["tools"])] == ["search", "other"]


async def test_a_tool_that_is_not_offered_cannot_be_chosen() -> None:
    client = AgentChatClient(EndpointModel(base_url="http://127.0.0.1:9/v1", model="any"))
    tool = FunctionTool(search, description="Looks a word up.")
    with pytest.raises(ConfigurationError, match="'search', which is not among the tools"):
        await client.create(_HELLO, tools=[ToolSchema(name="other")], tool_choice=tool)


async def test_a_model_that_takes_no_tools_is_refused_with_them() -> None:
    class Own:
        name = "own"
        modalities = frozenset({"text"})

    client = AgentChatClient(cast("Any", Own()))
    assert client.model_info["function_calling"] is False
    with pytest.raises(ValueError, match="does not support function calling"):
        AssistantAgent("critic", client, tools=[search])
    with pytest.raises(ConfigurationError, match="own takes no tools, and was given 1"):
        await client.create(_HELLO, tools=[ToolSchema(name="other")])


def test_tools_are_counted() -> None:
    client = AgentChatClient(EndpointModel(base_url="http://127.0.0.1:9/v1", model="any"))
    tool = FunctionTool(search, description="Looks a word up." * 10)
    assert client.count_tokens(_HELLO, tools=[tool]) > client.count_tokens(_HELLO) + 40
    assert client.remaining_tokens(_HELLO, tools=[tool]) < client.remaining_tokens(_HELLO) - 40


async def test_a_speaker_is_named_where_that_is_asked_for() -> None:
    async with ScriptedServer(reply="ok") as server:
        model = EndpointModel(base_url=server.base_url, model="any")
        said = [UserMessage(content="Hello", source="the clerk")]
        await AgentChatClient(model, add_name_prefixes=True).create(said)
        await AgentChatClient(model, include_name_in_message=True).create(said)
        await model.aclose()
    prefixed, named = (cast("Any", body["messages"])[0] for body in server.requests)
    assert prefixed == {"role": "user", "content": "the clerk said:\n\nHello"}
    assert named == {"role": "user", "content": "Hello", "name": "the_clerk"}


async def test_canceling_an_assistant_ends_its_request() -> None:
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        client, token = _client(server), CancellationToken()
        agent = AssistantAgent("critic", client, tools=[search], model_client_stream=True)
        run = asyncio.ensure_future(agent.run(task="Go.", cancellation_token=token))
        async with asyncio.timeout(20):
            while not server.stats.in_flight:  # noqa: ASYNC110  (it has no event)
                await asyncio.sleep(0.01)
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            while server.stats.in_flight:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await client.close()


async def test_a_client_is_dumped_and_loaded_with_its_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THE_KEY", "sk-very-secret")
    async with ScriptedServer(reply="Good day.", api_key="sk-very-secret") as server:
        spec = ModelSpec(
            "m",
            base_url=server.base_url,
            api_key="sk-very-secret",
            modalities=frozenset({"text"}),
            price=Price(1, 2),
            variables=(("api_key_env", "THE_KEY"),),
        )
        client = AgentChatClient(spec, seed=7, max_tokens=9, add_name_prefixes=True)
        dumped = AssistantAgent("critic", client).dump_component().model_dump_json()
        assert "sk-very-secret" not in dumped
        assert "safejury.agents.AgentChatClient" in dumped
        AssistantAgent.load_component(json.loads(dumped))
        loaded = AgentChatClient.load_component(json.loads(dumped)["config"]["model_client"])
        result = await AssistantAgent("critic", loaded).run(task="Hello")
        await loaded.close()
        [body] = server.requests
    assert result.messages[-1].to_text() == "Good day."
    assert (body["model"], body["seed"], body["max_tokens"]) == ("m", 7, 9)
    assert loaded.model_info == client.model_info
    assert loaded.dump_component() == client.dump_component()
    monkeypatch.delenv("THE_KEY")
    with pytest.raises(ConfigurationError, match="variable THE_KEY holds no key"):
        AgentChatClient.load_component(client.dump_component())


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (ModelSpec("m", base_url="http://x/v1", api_key="sk-a"), "has a key that came from"),
        (ModelSpec("m", base_url="http://u:p@x/v1"), "has an address with a name or password"),
        (
            ModelSpec("m", base_url="http://x/v1", headers=(("X-Key", "k"),)),
            "has a header X-Key that came from",
        ),
        (
            ModelSpec("m", base_url="http://x/v1", proxy="http://u:p@y:1"),
            "has an address with a name or password",
        ),
        (EndpointModel(base_url="http://127.0.0.1:9/v1", model="m"), "a model that is open"),
    ],
)
def test_a_client_with_a_secret_is_not_dumped(model: ModelSpec | EndpointModel, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        AgentChatClient(model).dump_component()


def test_the_embedded_model_takes_no_tools() -> None:
    assert AgentChatClient(EmbeddedModel()).model_info["function_calling"] is False
