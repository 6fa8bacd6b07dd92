"""Reads promptfoo results: the list `results.results`, one item per test and prompt.

In its files a prompt's number counts the providers too; here each prompt has one number for
all providers, so that `test.prompt` names one question. `error` is also written where only
an assertion failed.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets import Message
from .....datasets.tables import (
    BrokenJson,
    Intents,
    JsonFile,
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
    read_messages,
)
from ...._response import ResponseOutcome
from ..base import (
    Question,
    Reader,
    ReadOptions,
    RecordedRow,
    Row,
    Sample,
    Unread,
    Unreadable,
    as_json,
    before_last,
    labels_of,
    outcome_by_reason,
    unreadable,
)

_ERROR = 2
"""The `failureReason` of a call that failed."""


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    number = 0
    prompts = _Prompts()
    with JsonFile(path) as document:
        try:
            listed = document.member(document.root, "results")
            if document.opens(listed) == "{" and listed is not None:
                listed = document.member(listed, "results")
            if listed is None:
                return
            for at in document.elements(listed):
                number += 1
                yield _row(f"result {number}", document.value(at), prompts, options.intents)
            document.finish()
        except BrokenJson as error:
            yield Unreadable(f"after result {number}", str(error), Unread.REST)


class _Prompts:
    """Numbers the prompts in order of appearance, across providers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, item: Object) -> int | None:
        """Return the number of a result's prompt, None if it has none."""
        counted = item.get("promptIdx")
        if not isinstance(counted, int):
            return None
        known = first_text(item.get("promptId"), as_object(item.get("prompt")).get("label"))
        # Its words are no name: they differ from test to test.
        name = known or f"number {counted}"
        return self._numbers.setdefault(name, len(self._numbers))


def _row(place: str, value: object, prompts: _Prompts, intents: Intents) -> Row:
    if isinstance(value, RowError):
        return unreadable(place, value)
    item = as_object(value)
    case = as_object(item.get("testCase"))
    about = {**as_object(case.get("metadata")), **as_object(item.get("metadata"))}
    given = as_object(item.get("vars")) or as_object(case.get("vars"))
    response = as_object(item.get("response"))
    provider = as_object(item.get("provider"))
    model = first_text(provider.get("label"), provider.get("id"), item.get("provider"))
    try:
        question = Question.of_prompt(as_object(item.get("prompt")).get("raw"))
        failed = item.get("failureReason") == _ERROR or response.get("output") is None
        said = given.get("intent", about.get("intent"))
        return RecordedRow(
            place,
            _name(item, given, prompts),
            None if failed else _output(response["output"]),
            text=question.text,
            outcome=ResponseOutcome.ERROR if failed and not _stopped(response) else None,
            model=model,
            scenario=first_text(
                given.get("scenario"), about.get("scenario"), about.get("category")
            ),
            intent=intents.read(said, "the intent"),
            images=question.images,
            messages=question.messages,
            turns=_turns(response, item),
            finish_reason=as_text(response.get("finishReason")),
            detail=first_text(item.get("error"), response.get("error")) if failed else None,
            labels=labels_of(
                category=about.get("category"),
                plugin=about.get("pluginId"),
                strategy=about.get("strategyId"),
            ),
        )
    except RowError as error:
        return Unreadable(place, str(error), model=model)


def _name(item: Object, given: Object, prompts: _Prompts) -> str:
    if "query_id" in given:
        return identifier(given["query_id"], "the variable query_id")
    test, prompt = item.get("testIdx"), prompts.number(item)
    if test is None or prompt is None:
        return identifier(item.get("id"), "the id")
    return identifier(f"{test}.{prompt}", "the id")


def _stopped(response: Object) -> bool:
    reason = as_text(response.get("finishReason"))
    return outcome_by_reason(reason) is not ResponseOutcome.ANSWERED


def _output(output: object) -> str:
    return output if isinstance(output, str) else as_json(output).decode()


def _turns(response: Object, item: Object) -> tuple[Message, ...]:
    """Return the turns between a multi-turn red-team strategy and the target."""
    found = (as_object(each.get("metadata")).get("messages") for each in (response, item))
    turns = next((turns for each in found if (turns := read_messages(as_list(each)))), ())
    if sum(turn.role == "user" for turn in turns) < 2:
        return ()
    return before_last(turns)[0]


def _detects(sample: Sample) -> bool:
    if not sample.has("results"):
        return False
    if "evalId" in sample.keys or "config" in sample.keys:
        return True
    results = sample.first.get("results")
    return "results" in as_object(results)


READER = Reader("promptfoo", "promptfoo results", _detects, _rows)
