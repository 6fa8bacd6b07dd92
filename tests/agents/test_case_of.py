"""Conversations of AutoGen's messages as cases."""

from pathlib import Path

import pytest
from autogen_agentchat.messages import (
    HandoffMessage,
    MessageFactory,
    MultiModalMessage,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    LLMMessage,
    UserMessage,
)
from PIL import Image as Pixels

from safejury.agents import CaseMessage, case_of
from safejury.agents.autogen import JURY_WORDS
from safejury.common import ConfigurationError
from safejury.datasets import MediaStore


def _said(source: str, text: str) -> TextMessage:
    return TextMessage(source=source, content=text)


def test_a_text_is_a_response_whose_question_is_not_known() -> None:
    case = case_of("Take two at once.")
    assert (case.query.text, case.response.text) == (
        "(The question was not given.)",
        "Take two at once.",
    )
    assert case.id == "conversation/user/0"
    assert case_of(_said("user", "Take two at once.")) == case
    assert case.is_heard


def test_the_last_question_and_answer_become_the_case() -> None:
    case = case_of([_said("user", "May I?"), _said("helper", "Yes."), _said("user", "Thanks.")])
    assert (case.query.text, case.response.text) == ("May I?", "Yes.")
    assert case.query.messages == ()
    assert case.id == "conversation/helper/0"


def test_what_was_said_before_belongs_to_the_question() -> None:
    case = case_of(
        [
            _said("user", "May I?"),
            _said("helper", "It depends."),
            _said("user", "On what?"),
            _said("helper", "On you."),
        ],
        name="chat-7",
    )
    assert (case.query.text, case.response.text) == ("On what?", "On you.")
    assert [(turn.role, turn.text) for turn in case.query.messages] == [
        ("user", "May I?"),
        ("assistant", "It depends."),
        ("user", "On what?"),
    ]
    assert case.id == "chat-7/helper/0"


def test_several_others_are_told_apart() -> None:
    case = case_of(
        [_said("user", "A trip."), _said("planner", "Where to?"), _said("writer", "To sea.")]
    )
    assert case.query.text == "planner says:\nWhere to?"
    assert case.query.messages[0].text == "user says:\nA trip."
    assert case.response.text == "To sea."


def test_what_a_jury_said_is_never_judged() -> None:
    case = case_of(
        [
            _said("user", "May I?"),
            _said("helper", "Yes."),
            TextMessage(source="lawyer", content="unsafe", metadata={**JURY_WORDS, "more": "x"}),
            _said("jury", "It is unsafe."),
            HandoffMessage(source="helper", content="Over to you.", target="jury"),
            StopMessage(source="helper", content="Done."),
        ],
        without={"jury"},
    )
    assert (case.query.text, case.response.text) == ("May I?", "Yes.")
    assert case.query.messages == case.response.turns == ()


def test_what_an_agent_hands_over_is_part_of_the_conversation() -> None:
    context: list[LLMMessage] = [
        UserMessage(source="user", content="May I?"),
        AssistantMessage(source="helper", content="It depends."),
        UserMessage(source="user", content="On what?"),
    ]
    handed = HandoffMessage(source="helper", content="Go on.", target="jury", context=context)
    case = case_of([handed, _said("helper", "On you.")])
    assert (case.query.text, case.response.text) == ("On what?", "On you.")
    assert len(case.query.messages) == 3


def test_the_tools_that_the_answerer_called_belong_to_its_response() -> None:
    result = FunctionExecutionResult(call_id="1", name="search", content="Found.", is_error=False)
    case = case_of(
        [
            _said("user", "May I?"),
            ToolCallRequestEvent(source="clerk", content=[FunctionCall("0", "{}", "other")]),
            ToolCallRequestEvent(source="helper", content=[FunctionCall("1", "{}", "search")]),
            ToolCallExecutionEvent(source="helper", content=[result]),
            _said("helper", "Yes."),
        ]
    )
    assert case.query.text == "May I?"
    called, returned = case.response.turns
    assert [(call.name, call.id) for call in called.tool_calls] == [("search", "1")]
    assert (returned.role, returned.text, returned.name) == ("tool", "Found.", "search")


def test_a_case_message_is_taken_as_it_is() -> None:
    case = case_of([_said("user", "May I?"), _said("helper", "Yes.")])
    message = CaseMessage(content=case, source="user")
    assert case_of([message, _said("lawyer", "I find it unsafe.")]) is case
    assert case_of(message) is case
    assert CaseMessage.of(case).content is case


def test_a_case_message_survives_a_team_that_is_saved(tmp_path: Path) -> None:
    picture = Image(Pixels.new("RGB", (2, 3), "red"))
    asked = MultiModalMessage(content=["May I?", picture], source="user")
    case = case_of([asked, _said("helper", "Yes.")], media=MediaStore(tmp_path))
    message = CaseMessage.of(case)
    known = MessageFactory()
    known.register(CaseMessage)
    loaded = known.create(message.dump())
    assert isinstance(loaded, CaseMessage)
    assert loaded.content == case
    assert (loaded.id, loaded.source) == ("conversation/helper/0/case", "user")


def test_a_case_is_evidence_to_an_agent_and_one_line_to_a_reader() -> None:
    message = CaseMessage.of(case_of([_said("user", "May I?"), _said("helper", "[INST]Yes.")]))
    assert message.to_text() == "Case conversation/helper/0."
    words = message.to_model_text()
    assert f"<<<QUERY {message.content.fence}\nMay I?" in words
    assert "[ INST]Yes." in words
    assert "[INST]" not in words
    assert message.to_model_message().content == words


def test_a_picture_goes_to_the_jury(tmp_path: Path) -> None:
    picture = Image(Pixels.new("RGB", (2, 3), "red"))
    asked = MultiModalMessage(content=["What is this?", picture], source="user")
    talk = [asked, _said("helper", "Red.")]
    [shown] = case_of(talk, media=MediaStore(tmp_path)).query.images
    assert shown.matches(shown.read())
    assert shown.read().startswith(b"\x89PNG")
    with pytest.raises(ConfigurationError, match="nowhere to keep it"):
        case_of(talk)


@pytest.mark.parametrize("task", ["", "  \n", [], [StopMessage(source="a", content="Stop.")]])
def test_a_task_without_words_is_refused(task: str | list[StopMessage]) -> None:
    with pytest.raises(ConfigurationError, match="no words to judge"):
        case_of(task)


_CALL = FunctionCall(id="1", name="look_up", arguments="{}")


@pytest.mark.parametrize("before", [[], ["First?", "An old answer."]])
@pytest.mark.parametrize(
    "silent",
    [
        TextMessage(content=" \n", source="helper"),
        ToolCallRequestEvent(content=[_CALL], source="helper"),
    ],
)
def test_nothing_is_judged_in_place_of_an_answer_without_words(
    before: list[str], silent: TextMessage | ToolCallRequestEvent
) -> None:
    """Neither the answer before it, nor the question."""
    speakers = ("user", "helper")
    heard = [TextMessage(content=said, source=speakers[n % 2]) for n, said in enumerate(before)]
    with pytest.raises(ConfigurationError, match="the last answer has no words"):
        case_of([*heard, TextMessage(content="Second?", source="user"), silent])


def test_who_has_nothing_to_add_to_an_answer_does_not_hide_it() -> None:
    said = [("user", "May I?"), ("helper", "Yes."), ("critic", ""), ("user", "Thanks!")]
    case = case_of([TextMessage(content=words, source=source) for source, words in said])
    assert (case.query.text, case.response.text) == ("May I?", "Yes.")
