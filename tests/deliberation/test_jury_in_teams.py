"""A jury inside AutoGen's teams: a moderated chat, a society of mind, a tool, a graph."""

import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.messages import MultiModalMessage, TextMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow, RoundRobinGroupChat
from autogen_agentchat.tools import TeamTool
from autogen_core import CancellationToken, Image

from safejury.agents import AgentChatClient
from safejury.deliberation import Jury, VerdictMessage, VerdictTermination
from safejury.models import EndpointModel, ModelSpec
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer, ballot

Body = Mapping[str, Any]
Words = Callable[[Body], str]

ASKED = TextMessage(content="May I halve my dose?", source="user")
ANSWERED = TextMessage(content="Sure, halve it.", source="assistant")


def _three(server: ScriptedServer) -> Jury:
    model = ModelSpec("m", base_url=server.base_url)
    return Jury.of("clinician", "lawyer", "sceptic", model=model, protocol="vote")


@asynccontextmanager
async def _chat(
    server: ScriptedServer, **options: Any
) -> AsyncGenerator[RoundRobinGroupChat, None]:
    """Seat an assistant, and a jury behind it."""
    client = AgentChatClient(EndpointModel(base_url=server.base_url, model="assistant"))
    yield RoundRobinGroupChat(
        [AssistantAgent("assistant", client), _three(server)],
        custom_message_types=Jury.message_types,
        **options,
    )
    await client.close()


def _moderated(words: Words) -> Callable[[Body], str]:
    """Answer harmlessly once the jury has spoken; harmful is what halves a dose."""

    def say(body: Body) -> str:
        text = words(body)
        if body["model"] == "assistant":
            return "Ask your doctor." if "Verdict: unsafe" in text else "Sure, halve it."
        return ballot("unsafe", 1, "Risky.") if "halve it" in text else ballot("safe", 5, "Good.")

    return say


async def test_a_jury_moderates_a_chat_until_its_verdict_is_safe(words: Words) -> None:
    """The assistant reads why; its second answer is judged as one to the user's question."""
    async with (
        ScriptedServer(reply=_moderated(words)) as server,
        _chat(server, termination_condition=VerdictTermination("safe")) as chat,
    ):
        result = await chat.run(task="May I halve my dose?")
        verdicts = [each for each in result.messages if isinstance(each, VerdictMessage)]
        assert [each.finding for each in verdicts] == ["unsafe", "safe"]
        assert result.stop_reason == "jury: Verdict: safe, rating 5 (3 safe)"
        last = words(server.requests[-1])
        assert "May I halve my dose?" in last
        assert "Ask your doctor." in last
        assert "Sure, halve it." not in last
        second_answer = [r for r in server.requests if r["model"] == "assistant"][-1]
        assert "- sceptic: unsafe, rating 1: Risky." in words(second_answer)


async def test_an_unsafe_verdict_ends_a_chat(words: Words) -> None:
    async with (
        ScriptedServer(reply=_moderated(words)) as server,
        _chat(server, termination_condition=VerdictTermination("unsafe", "no_verdict")) as chat,
    ):
        result = await chat.run(task="May I?")
    assert result.stop_reason == "jury: Verdict: unsafe, rating 1 (3 unsafe)"
    assert [each.source for each in result.messages if isinstance(each, TextMessage)] == [
        "user",
        "assistant",
    ]


def _files(folder: Path) -> list[Path]:
    return [*folder.rglob("*")]


async def test_the_picture_of_a_question_is_there_for_the_second_answer(
    words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    picture = Image(PIL.Image.new("RGB", (8, 8), "red"))
    asked = MultiModalMessage(content=["May I halve this?", picture], source="user")
    async with (
        ScriptedServer(reply=_moderated(words)) as server,
        _chat(server, termination_condition=VerdictTermination("safe")) as chat,
    ):
        result = await chat.run(task=asked)
        assert result.stop_reason == "jury: Verdict: safe, rating 5 (3 safe)"
        assert all("image_url" in str(request["messages"]) for request in server.requests)
        assert _files(tmp_path) != []
        await chat.reset()
        assert _files(tmp_path) == []
        await _three(server).run(task=[asked, ANSWERED])
        assert "image_url" in str(server.requests[-1]["messages"])
    assert _files(tmp_path) == []


async def test_a_jury_is_the_team_inside_a_society_of_mind(words: Words) -> None:
    async with ScriptedServer(reply=_moderated(words)) as server:
        client = AgentChatClient(EndpointModel(base_url=server.base_url, model="assistant"))
        mind = SocietyOfMindAgent("mind", _three(server), client)
        first = await mind.on_messages([ASKED, ANSWERED], CancellationToken())
        assert first.chat_message.to_text() == "Ask your doctor."
        assert "- lawyer: unsafe, rating 1: Risky." in words(server.requests[-1])
        await client.close()


async def test_a_jury_is_a_tool_of_an_agent() -> None:
    """The agent asks the jury about its draft, reads the verdict, and answers otherwise."""

    def say(body: Body) -> str | ScriptedReply:
        if body["model"] == "m":
            return ballot("unsafe", 1, "Risky.")
        if "Verdict: unsafe, rating 1 (3 unsafe)" in str(body["messages"]):
            return "Ask your doctor."
        draft = {"task": "Sure, halve it."}
        return ScriptedReply(tool_calls=[ScriptedCall("ask_the_jury", draft)])

    async with ScriptedServer(reply=say) as server:
        tool = TeamTool(
            _three(server),  # pyright: ignore[reportArgumentType] - any team will do when it runs
            "ask_the_jury",
            "Says whether an answer is safe.",
            return_value_as_last_message=True,
        )
        client = AgentChatClient(EndpointModel(base_url=server.base_url, model="assistant"))
        agent = AssistantAgent("assistant", client, tools=[tool], reflect_on_tool_use=True)
        result = await agent.run(task="May I halve my dose?")
        await client.close()
    assert result.messages[-1].to_text() == "Ask your doctor."
    assert "- sceptic: unsafe, rating 1: Risky." in str(server.requests[-1]["messages"])


@pytest.mark.parametrize(("answer", "last"), [("Halve it.", "editor"), ("No.", "publisher")])
async def test_a_jury_is_a_node_of_a_graph_whose_edges_are_words(answer: str, last: str) -> None:
    def say(body: Body) -> str:
        if body["model"] != "m":
            return answer
        unsafe = "Halve it." in str(body["messages"])
        return ballot("unsafe", 1, "Risky.") if unsafe else ballot("safe", 5, "Verdict: unsafe")

    async with ScriptedServer(reply=say) as server:
        client = AgentChatClient(EndpointModel(base_url=server.base_url, model="other"))
        jury, graph = _three(server), DiGraphBuilder()
        nodes = [AssistantAgent(name, client) for name in ("writer", "editor", "publisher")]
        for node in (*nodes, jury):
            graph.add_node(node)
        graph.add_edge("writer", jury)
        graph.add_edge(jury, "editor", condition="Verdict: unsafe")
        graph.add_edge(jury, "publisher", condition="Verdict: safe")
        flow = GraphFlow(
            graph.get_participants(), graph.build(), custom_message_types=jury.message_types
        )
        result = await flow.run(task="May I?")
        await client.close()
    assert result.messages[-1].source == last
