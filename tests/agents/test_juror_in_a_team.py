"""Our jurors in other people's AutoGen teams."""

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import (
    BaseChatMessage,
    MultiModalMessage,
    StopMessage,
    StructuredMessage,
    TextMessage,
)
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, Image
from PIL import Image as Pixels

from safejury.agents import (
    AgentChatClient,
    AgentModel,
    BallotCall,
    BallotMessage,
    BallotOutcome,
    CallMessage,
    CaseMessage,
    Finding,
    Guard,
    HumanJuror,
    Juror,
    StatedBallot,
    case_of,
    load_persona,
)
from safejury.datasets import MediaStore
from safejury.models import ChatModel, EndpointModel
from safejury.testing import ScriptedReply, ScriptedServer, ballot


def _juror(name: str, model: ChatModel, **settings: Any) -> Juror:
    return Juror(name, load_persona("lawyer"), model, **settings)


def _model(server: ScriptedServer) -> EndpointModel:
    return EndpointModel(base_url=server.base_url, model="m")


def _prompt(body: object) -> str:
    return str(body)


def _talk(answer: str = "Take two at once.") -> list[BaseChatMessage]:
    return [
        TextMessage(source="user", content="May I take both?"),
        TextMessage(source="helper", content=answer),
    ]


async def _ask(juror: Juror, *messages: BaseChatMessage) -> BaseChatMessage:
    response = await juror.on_messages(messages, CancellationToken())
    return response.chat_message


async def test_it_judges_what_an_assistant_answered() -> None:
    replies = ["Take two at once.", ballot("unsafe", 2, "It gives a dose.")]
    async with ScriptedServer(reply=replies) as server:
        model = _model(server)
        helper = AssistantAgent("helper", AgentChatClient(model))
        team = RoundRobinGroupChat([helper, _juror("lawyer", model)], max_turns=2)
        result = await team.run(task="May I take both?")
        await model.aclose()
        _, asked = map(_prompt, server.requests)
    said = result.messages[-1]
    assert isinstance(said, TextMessage)
    assert (said.source, said.content) == ("lawyer", "unsafe, rating 2: It gives a dose.")
    assert said.models_usage is not None
    assert said.models_usage.prompt_tokens > 0
    assert "May I take both?" in asked
    assert "Take two at once." in asked


async def test_it_answers_in_a_structured_message_when_asked() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.", ["dose"])) as server:
        model = _model(server)
        juror = _juror("lawyer", model, output_content_type=StatedBallot)
        team = RoundRobinGroupChat([juror], max_turns=1)
        result = await team.run(task=_talk())
        state = await team.save_state()
        await team.load_state(state)
        await model.aclose()
    said = result.messages[-1]
    assert isinstance(said, StructuredMessage)
    assert said.model_dump()["content"] == {
        "outcome": BallotOutcome.VERDICT,
        "finding": Finding.UNSAFE,
        "rating": 2,
        "criteria": ("dose",),
        "reason": "A dose.",
        "declined": False,
        "detail": None,
        "quotes": (),
    }


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("I'm sorry, but I can't help.", "refused: "),
        (ScriptedReply(status=400, text="no"), "transport_error: "),
        (ballot("abstain", 3, "Unclear."), "abstain: the juror abstained"),
    ],
)
async def test_no_ballot_is_said_to_be_none(reply: str | ScriptedReply, said: str) -> None:
    async with ScriptedServer(reply=reply) as server:
        model = _model(server)
        message = await _ask(_juror("lawyer", model), *_talk())
        await model.aclose()
    assert message.to_text().startswith(said)
    assert "safe, rating" not in message.to_text()


async def test_jurors_of_a_team_judge_the_answer_and_not_each_other() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.")) as server:
        model = _model(server)
        team = RoundRobinGroupChat([_juror("one", model), _juror("other", model)], max_turns=2)
        await team.run(task=_talk())
        await model.aclose()
        first, second = map(_prompt, server.requests)
    assert first == second


async def test_asked_again_it_knows_its_own_ballot_and_what_others_said() -> None:
    replies = [
        ballot("unsafe", 2, "It gives a dose."),
        ballot("safe", 5, "It is on the leaflet."),
        ballot("safe", 4, "Right, the leaflet."),
        ballot("safe", 5, "As I said."),
    ]
    async with ScriptedServer(reply=replies) as server:
        model = _model(server)
        other = _juror("other", model, output_content_type=StatedBallot)
        team = RoundRobinGroupChat([_juror("one", model), other], max_turns=4)
        result = await team.run(task=_talk())
        await model.aclose()
        *_, third, fourth = map(_prompt, server.requests)
    assert "yours: unsafe, rating 2: It gives a dose." in third
    assert "another: safe, rating 5: It is on the leaflet." in third
    assert "another: safe, rating 4: Right, the leaflet." in fourth
    assert result.messages[-2].to_text() == "safe, rating 4: Right, the leaflet."


async def test_a_guard_judges_in_a_team_and_is_heard() -> None:
    replies = [ballot("safe", 5, "Fine."), "unsafe\nS1", ballot("unsafe", 2, "The guard is right.")]
    async with ScriptedServer(reply=replies) as server:
        model = _model(server)
        guard = Guard("guard", "llama-guard-3", model)
        team = RoundRobinGroupChat([_juror("one", model), guard], max_turns=3)
        result = await team.run(task=_talk())
        await model.aclose()
        _, _, third = map(_prompt, server.requests)
    words = result.messages[-2].to_text()
    assert words.startswith("unsafe: ")
    assert words.removeprefix("unsafe: ") in third


async def test_another_answer_is_another_case() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.")) as server:
        model = _model(server)
        juror = _juror("lawyer", model)
        await _ask(juror, *_talk())
        await _ask(juror, TextMessage(source="helper", content="Ask a pharmacist."))
        await juror.on_reset(CancellationToken())
        await _ask(juror, TextMessage(source="helper", content="Ask a pharmacist."))
        await model.aclose()
        _, second, third = map(_prompt, server.requests)
    assert "yours:" not in second
    assert "May I take both?" in second
    assert "Ask a pharmacist." in second
    assert "May I take both?" not in third
    assert "The question was not given." in third


async def test_it_goes_on_elsewhere_with_what_it_heard() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.")) as server:
        model = _model(server)
        first, second = _juror("lawyer", model), _juror("lawyer", model)
        picture = Image(Pixels.new("RGB", (2, 3), "red"))
        shown = MultiModalMessage(content=["And this?", picture], source="user")
        await _ask(first, *_talk(), shown, TextMessage(source="helper", content="Yes."))
        await second.load_state(await first.save_state())
        await _ask(first, TextMessage(source="user", content="Well?"))
        await _ask(second, TextMessage(source="user", content="Well?"))
        await model.aclose()
        _, here, there = map(_prompt, server.requests)
    assert here == there
    assert "yours: unsafe" in here
    assert "data:image/png" in here
    assert "May I take both?" in here


async def test_a_case_message_and_a_call_are_judged_as_ever() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "A dose.")) as server:
        model = _model(server)
        juror = _juror("lawyer", model)
        case = case_of(_talk(), name="mine")
        said = await _ask(juror, CaseMessage.of(case))
        call = CallMessage.of(BallotCall(case), source="foreperson", to="lawyer")
        ballot_message = await _ask(juror, *_talk("Never."), call)
        await model.aclose()
        first, second = map(_prompt, server.requests)
    assert said.to_text() == "unsafe, rating 2: A dose."
    assert isinstance(ballot_message, BallotMessage)
    assert ballot_message.to_text() == said.to_text()
    assert first == second


async def test_a_picture_of_a_case_reaches_an_agents_model_as_its_file_is(tmp_path: Path) -> None:
    """AutoGen's own images are decoded, and encoded anew as PNG."""
    file = BytesIO()
    Pixels.new("RGB", (8, 8), "red").save(file, "JPEG")
    shown = MediaStore(tmp_path).keep(file.getvalue(), "image/jpeg")
    case = case_of(_talk())
    case = replace(case, query=replace(case.query, images=(shown,)))
    async with ScriptedServer(reply=ballot()) as server:
        model = _model(server)
        agent = AssistantAgent("helper", AgentChatClient(model))
        await Juror("helper", None, AgentModel.alone(agent)).judge(BallotCall(case))
        await model.aclose()
        [body] = server.requests
    sent = base64.b64encode(file.getvalue()).decode()
    assert f"data:image/jpeg;base64,{sent}" in str(body)


async def test_it_judges_a_task_of_its_own() -> None:
    async with ScriptedServer(reply=ballot("safe", 5, "Nothing.")) as server:
        model = _model(server)
        result = await _juror("lawyer", model).run(task="Good day.")
        await model.aclose()
    assert isinstance(result, TaskResult)
    assert result.messages[-1].to_text() == "safe, rating 5: Nothing."


async def test_without_words_to_judge_it_says_so_and_asks_no_model() -> None:
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
    said = await _ask(_juror("lawyer", model), StopMessage(source="helper", content="Stop."))
    assert said.to_text().startswith("I have nothing to judge: the task has no words")


async def test_a_person_judges_in_a_team() -> None:
    answers = iter(["u", "2", "It gives a dose."])

    async def ask(text: str) -> str:
        return next(answers, "")

    person = HumanJuror("me", ask=ask)
    team = RoundRobinGroupChat([person], termination_condition=MaxMessageTermination(3))
    result = await team.run(task=_talk())
    assert result.messages[-1].to_text() == "unsafe, rating 2: It gives a dose."
