"""Results of promptfoo: the list `results.results`, one item for each test and prompt.

In its files a prompt's number counts the providers too, so that `test.prompt` names one
question to one provider. `error` is also written where only an assertion failed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...datasets.tables._decode import decode
from ...datasets.tables._json_file import BrokenJson, JsonFile
from ...datasets.tables._values import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
)
from .._response import ResponseOutcome
from ._messages import asked
from ._reader import Reader, Sample
from ._row import RecordedRow, Row, Unread, Unreadable, as_json, outcome_by_reason, unreadable

_ERROR = 2
"""The `failureReason` of a call that failed."""


def _rows(path: Path, _: Mapping[str, str]) -> Iterator[Row]:
    number = 0
    with JsonFile(path) as document:
        try:
            listed = document.member(document.root, "results")
            if document.opens(listed) == "{" and listed is not None:
                listed = document.member(listed, "results")
            if listed is None:
                return
            for at in document.elements(listed):
                number += 1
                yield _row(f"result {number}", document.value(at))
            document.finish()
        except BrokenJson as error:
            yield Unreadable(f"after result {number}", str(error), Unread.REST)


def _row(place: str, value: object) -> Row:
    if isinstance(value, RowError):
        return unreadable(place, value)
    item = as_object(value)
    case = as_object(item.get("testCase"))
    about = {**as_object(case.get("metadata")), **as_object(item.get("metadata"))}
    given = as_object(item.get("vars")) or as_object(case.get("vars"))
    response = as_object(item.get("response"))
    try:
        text, images = _prompt(as_object(item.get("prompt")).get("raw"))
        failed = item.get("failureReason") == _ERROR or response.get("output") is None
        provider = as_object(item.get("provider"))
        return RecordedRow(
            place,
            _name(item, given),
            None if failed else _output(response["output"]),
            text=text,
            outcome=ResponseOutcome.ERROR if failed and not _stopped(response) else None,
            model=first_text(provider.get("label"), provider.get("id"), item.get("provider")),
            scenario=first_text(
                given.get("scenario"), about.get("scenario"), about.get("category")
            ),
            images=images,
            finish_reason=as_text(response.get("finishReason")),
            detail=first_text(item.get("error"), response.get("error")) if failed else None,
        )
    except RowError as error:
        return Unreadable(place, str(error))


def _name(item: Object, given: Object) -> str:
    if "query_id" in given:
        return identifier(given["query_id"], "the variable query_id")
    test, prompt = item.get("testIdx"), item.get("promptIdx")
    if test is None or prompt is None:
        return identifier(item.get("id"), "the id")
    return identifier(f"{test}.{prompt}", "the id")


def _stopped(response: Object) -> bool:
    reason = as_text(response.get("finishReason"))
    return outcome_by_reason(reason) is not ResponseOutcome.ANSWERED


def _output(output: object) -> str:
    return output if isinstance(output, str) else as_json(output).decode()


def _prompt(raw: object) -> tuple[str | None, tuple[str, ...]]:
    """Return what was asked; a prompt may be a list of chat messages, written as JSON."""
    text = as_text(raw)
    if text and text.lstrip().startswith("["):
        try:
            messages = as_list(decode(text.encode()))
        except ValueError:
            messages = []
        if messages and all("role" in as_object(message) for message in messages):
            put = asked(messages)
            return put.text, put.images
    return text, ()


def _detects(sample: Sample) -> bool:
    if not sample.has("results"):
        return False
    if "evalId" in sample.keys or "config" in sample.keys:
        return True
    results = sample.first.get("results")
    return "results" in as_object(results)


READER = Reader("promptfoo", "promptfoo results", _detects, _rows)
