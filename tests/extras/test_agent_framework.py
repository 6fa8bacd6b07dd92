"""Agents of the Microsoft Agent Framework as targets and jurors, and a jury as its evaluator."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    Content,
    EvalItem,
    Evaluator,
    FunctionInvocationLayer,
    Message,
    evaluate_agent,
)
from agent_framework.exceptions import ChatClientContentFilterException
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from PIL import Image

from safejury.agents import (
    AgentChatClient,
    AgentFactory,
    AgentModel,
    BallotCall,
    BallotOutcome,
    Case,
    Finding,
    FrameworkAgent,
    FrameworkModel,
    Juror,
    JuryEvaluator,
    framework_target,
    load_persona,
)
from safejury.common import ConfigurationError, ModelError, in_parallel
from safejury.datasets import Intent, MediaStore, Query
from safejury.deliberation import Jury, Protocol
from safejury.models import ChatMessage, ChatRequest, EndpointModel, redactor
from safejury.targets import FunctionTarget, Response, ResponseOutcome
from safejury.testing import ScriptedServer, ballot

# The interfaces for evaluation are marked experimental: the extra caps the version.
pytestmark = pytest.mark.filterwarnings("ignore:.*EVALS.*is experimental")


class ScriptedClient(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """A client of the Agent Framework whose replies are scripted."""

    def __init__(self, *replies: str | Content | Exception) -> None:
        super().__init__()
        self.replies = list(replies)
        self.heard: list[list[Message]] = []

    def _inner_get_response(self, *, messages: Sequence[Message], **_: Any) -> Any:
        return self._answer(messages)

    async def _answer(self, messages: Sequence[Message]) -> ChatResponse[Any]:
        self.heard.append(list(messages))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        usage = {"input_token_count": 10, "output_token_count": 5}
        return ChatResponse(
            messages=[Message("assistant", [reply])],
            finish_reason="stop",
            usage_details=cast("Any", usage),
        )


def search(word: str) -> str:
    """Look a word up."""
    return f"{word}: a sour fruit"


CALL = Content.from_function_call("c1", "search", arguments='{"word": "quince"}')


def _agent(*replies: str | Content | Exception, **settings: Any) -> tuple[Agent, ScriptedClient]:
    client = ScriptedClient(*replies)
    return Agent(client, name="pharmacist", instructions="You know fruit.", **settings), client


def _query(folder: Path | None = None) -> Query:
    images = () if folder is None else (MediaStore(folder).keep(_jpeg(), "image/jpeg"),)
    return Query("q", "consultation.medical_advice", "What is it?", Intent.HARMFUL, images)


def _jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG")
    return file.getvalue()


def _case(folder: Path | None = None) -> Case:
    return Case("q/t/0", _query(folder), Response(ResponseOutcome.ANSWERED, "Eat it."))


async def test_an_agent_is_a_target_and_what_its_tools_did_is_judged(tmp_path: Path) -> None:
    agent, client = _agent(CALL, "A quince.", tools=[search])
    target = FunctionTarget("mine", framework_target(agent))
    response = await target.respond(_query(tmp_path), epoch=0, call_id="q/mine/0/target")
    assert (response.outcome, response.text) == (ResponseOutcome.ANSWERED, "A quince.")
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (20, 10)
    called, returned = response.turns
    assert [(call.name, call.arguments) for call in called.tool_calls] == [
        ("search", '{"word": "quince"}')
    ]
    assert (returned.role, returned.text) == ("tool", "quince: a sour fruit")
    [asked] = client.heard[0]
    data, text = asked.contents
    assert data.uri == f"data:image/jpeg;base64,{base64.b64encode(_jpeg()).decode()}"
    assert text.text == "What is it?"


async def test_a_key_that_its_server_sends_back_is_hidden() -> None:
    redactor.register(key := "key-of-an-agent-framework-client")
    call = Content.from_function_call("c1", "search", arguments=f'{{"word": "{key}"}}')
    agent, _ = _agent(call, f"It was {key}.", tools=[search])
    response = await framework_target(agent)(_query())
    assert response.text == "It was [redacted]."
    assert response.turns[0].tool_calls[0].arguments == '{"word": "[redacted]"}'
    assert key not in str(response)


@pytest.mark.parametrize(
    ("reply", "outcome", "detail"),
    [
        (ChatClientContentFilterException("no"), ResponseOutcome.FILTERED, "filter"),
        (RuntimeError("no network"), ResponseOutcome.ERROR, "RuntimeError: no network"),
        ("", ResponseOutcome.ERROR, "the reply was empty"),
    ],
)
async def test_what_a_target_does_instead_is_an_outcome(
    reply: str | Exception, outcome: ResponseOutcome, detail: str
) -> None:
    agent, _ = _agent(reply)
    response = await framework_target(agent)(_query())
    assert response.outcome is outcome
    assert detail in str(response.detail)


def test_a_target_is_known_by_its_agents_instructions() -> None:
    one, other = _agent("")[0], _agent("")[0]
    changed = Agent(ScriptedClient(""), name="pharmacist", instructions="You know medicines.")
    identities = [
        FunctionTarget("t", framework_target(each)).identity for each in (one, other, changed)
    ]
    assert identities[0] == identities[1] != identities[2]


async def test_an_agent_is_a_juror_with_pictures_and_tools(tmp_path: Path) -> None:
    agent, client = _agent(CALL, ballot("unsafe", 2, "A dose."), tools=[search])
    juror = Juror("pharmacist", load_persona("clinician"), FrameworkModel(agent))
    cast_ = await juror.judge(BallotCall(_case(tmp_path)))
    assert (cast_.finding, cast_.rating, cast_.reason) == (Finding.UNSAFE, 2, "A dose.")
    assert cast_.perceived.images == (_case(tmp_path).query.images[0].sha256,)
    assert (cast_.usage.total_tokens, cast_.cost_usd) == (30, None)
    assert [(tool.name, tool.result) for tool in cast_.tools] == [
        ("search", "quince: a sour fruit")
    ]
    kinds = [content.type for message in client.heard[0] for content in message.contents]
    assert "data" in kinds


async def test_it_is_asked_once_more_and_told_what_it_said() -> None:
    agent, client = _agent("It is bad.", ballot("unsafe", 1))
    cast_ = await Juror("pharmacist", None, FrameworkModel(agent)).judge(BallotCall(_case()))
    assert (cast_.finding, cast_.calls) == (Finding.UNSAFE, 2)
    *_, said, correction = client.heard[1]
    assert (said.role, said.text) == ("assistant", "It is bad.")
    assert correction.role == "user"


async def test_a_juror_that_fails_has_no_vote() -> None:
    agent, _ = _agent(RuntimeError("no network"))
    cast_ = await Juror("pharmacist", None, FrameworkModel(agent)).judge(BallotCall(_case()))
    assert cast_.outcome is BallotOutcome.TRANSPORT_ERROR
    assert "no network" in str(cast_.detail)


async def test_it_may_think_for_an_agent_of_autogen() -> None:
    agent, _ = _agent("A sour fruit.")
    assistant = AssistantAgent("helper", AgentChatClient(FrameworkModel(agent)))
    result = await assistant.run(task="What is a quince?")
    assert result.messages[-1].to_text() == "A sour fruit."


async def test_a_function_of_a_config_may_make_one(tmp_path: Path) -> None:
    """As `agent: my_module:make_juror`: one agent a case, with its pictures and its tools."""

    def make() -> Agent:
        return _agent(CALL, ballot("unsafe", 2, "A dose."), tools=[search])[0]

    juror = Juror("pharmacist", None, AgentModel.of(AgentFactory.of(make)))
    calls = (BallotCall(replace(_case(tmp_path), id=f"q{n}/t/0")) for n in range(5))
    ballots = await in_parallel(juror.judge(call) for call in calls)
    assert [each.reason for each in ballots] == ["A dose."] * 5
    assert [each.tools[0].result for each in ballots] == ["quince: a sour fruit"] * 5
    assert all(each.perceived.images for each in ballots)
    assert ballots[0].usage.total_tokens == 30


def test_one_agent_for_all_cases_is_refused() -> None:
    """It may keep a conversation, and a workflow takes one request at a time."""
    agent, _ = _agent()
    with pytest.raises(ConfigurationError, match="shares one object"):
        AgentFactory.of(lambda: agent)


async def test_it_speaks_in_a_team_of_autogens() -> None:
    agent, client = _agent("A sour fruit.", "As I said.")
    member = FrameworkAgent(agent)
    other = AssistantAgent("helper", AgentChatClient(FrameworkModel(_agent("Really?")[0])))
    result = await RoundRobinGroupChat([member, other], max_turns=3).run(task="What is it?")
    assert [message.to_text() for message in result.messages[1:]] == [
        "A sour fruit.",
        "Really?",
        "As I said.",
    ]
    heard = [(message.role, message.text) for message in client.heard[1]]
    assert heard == [
        ("user", "What is it?"),
        ("assistant", "A sour fruit."),
        ("user", "Really?"),
    ]
    await member.on_reset(CancellationToken())
    await member.run(task="Again?")
    assert [message.text for message in client.heard[2]] == ["Again?"]


async def test_what_was_said_and_called_before_reaches_it() -> None:
    agent, client = _agent("Yes.")
    request = ChatRequest(
        (
            ChatMessage.of("system", "Be brief."),
            ChatMessage.of("user", "Is it?"),
            ChatMessage("tool", ChatMessage.of("tool", "sour").parts, (), "c1", "search"),
        )
    )
    await FrameworkModel(agent).complete(request)
    heard = [(message.role, [c.type for c in message.contents]) for message in client.heard[0]]
    assert heard[-3:] == [
        ("system", ["text"]),
        ("user", ["text"]),
        ("tool", ["function_result"]),
    ]


async def test_an_agent_that_waits_for_a_person_fails() -> None:
    call = Content.from_function_call("c1", "search", arguments="{}", id="i1")
    approve = Content.from_function_approval_request("i1", call)
    agent, _ = _agent(approve)
    with pytest.raises(ModelError, match="waits for a person's approval"):
        await FrameworkModel(agent).complete(ChatRequest((ChatMessage.of("user", "Go."),)))


def _jury(model: EndpointModel) -> Jury:
    seats = {
        name: Juror(name, load_persona(name), model) for name in ("lawyer", "clinician", "sceptic")
    }
    return Jury(seats, Protocol())


async def test_a_jury_evaluates_an_agent() -> None:
    def reply(body: Any) -> str:
        text = str(body["messages"])
        if "Unclear." in text:
            return "Hm."
        return ballot("unsafe", 2, "A dose.") if "Eat it." in text else ballot("safe", 5, "Fine.")

    agent, _ = _agent("Ask a doctor.", "Eat it.", "Unclear.", "")
    async with ScriptedServer(reply=reply) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        async with _jury(model) as jury:
            evaluator = JuryEvaluator(jury)
            assert isinstance(evaluator, Evaluator)
            [results] = await evaluate_agent(
                agent=agent, queries=["May I?", "And now?", "So?", "Well?"], evaluators=evaluator
            )
        await model.aclose()
    assert [item.status for item in results.items] == ["pass", "fail", "error", "error"]
    assert [item.error_code for item in results.items[2:]] == ["no_verdict", "no_case"]
    assert results.result_counts == {"passed": 1, "failed": 1, "errored": 2}
    assert (results.passed, results.failed, results.all_passed) == (1, 1, False)
    [score] = results.items[1].scores
    assert (score.name, score.score, score.passed) == ("safety", 2.0, False)
    assert score.sample is not None
    assert score.sample["finding"] == "unsafe"


async def test_an_items_picture_and_tools_are_before_the_jury() -> None:
    picture = Content.from_data(_jpeg(), "image/jpeg")
    result = Content.from_function_result("c1", result="quince: a sour fruit")
    item = EvalItem(
        [
            Message("user", ["What is it?", picture]),
            Message("assistant", [CALL]),
            Message("tool", [result]),
            Message("assistant", ["A quince."]),
        ]
    )
    async with ScriptedServer(reply=ballot()) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        async with _jury(model) as jury:
            results = await JuryEvaluator(jury).evaluate([item], eval_name="fruit")
        await model.aclose()
        sent = str(server.requests[0])
    assert results.all_passed
    assert base64.b64encode(_jpeg()).decode() in sent
    assert "quince: a sour fruit" in sent
    assert "A quince." in sent
