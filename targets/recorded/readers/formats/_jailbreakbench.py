"""Reads JailbreakBench artifacts: `parameters`, and `jailbreaks` by index.

A prompt is null where the attack found none: then nothing was asked, and the goal stands for it.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets import Intent
from .....datasets.tables import (
    BrokenJson,
    JsonFile,
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    first_text,
    identifier,
    optional_text,
)
from ...._response import ResponseOutcome
from ..base import (
    Dialogue,
    Question,
    Reader,
    ReadOptions,
    RecordedRow,
    Row,
    Sample,
    Unread,
    Unreadable,
    labels_of,
    unreadable,
)


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    number = 0
    with JsonFile(path) as document:
        try:
            parameters = document.member(document.root, "parameters")
            model = None
            if parameters is not None:
                model = as_text(as_object(document.value(parameters)).get("model"))
            listed = document.member(document.root, "jailbreaks")
            if listed is None:
                return
            for at in document.elements(listed):
                number += 1
                yield _row(f"jailbreak {number}", document.value(at), model)
            document.finish()
        except BrokenJson as error:
            yield Unreadable(f"after jailbreak {number}", str(error), Unread.REST)


def _row(place: str, value: object, model: str | None) -> Row:
    if isinstance(value, RowError):
        return unreadable(place, value)
    item = as_object(value)
    try:
        if "response" not in item:
            raise RowError("has no 'response'")
        category, behavior = item.get("category"), item.get("behavior")
        question = _question(item)
        given_up = item.get("prompt") is None and item["response"] is None
        return RecordedRow(
            place,
            _name(item.get("index")),
            optional_text(item["response"], "the response"),
            text=question.text,
            outcome=ResponseOutcome.GAVE_UP if given_up else None,
            model=model,
            scenario="/".join(filter(None, map(as_text, (category, behavior)))),
            intent=Intent.HARMFUL,  # its benign behaviors are not attacked
            detail="the attack found nothing to ask" if given_up else None,
            underlying_request=as_text(item.get("goal")),
            labels=labels_of(category=category, behavior=behavior),
            images=question.images,
            messages=question.messages,
        )
    except RowError as error:
        return Unreadable(place, str(error))


def _question(item: Object) -> Question:
    """Return the question; a multi-turn attack has a list of messages."""
    if messages := as_list(item.get("prompt")) or as_list(item.get("messages")):
        return Dialogue.of(messages, as_text(item["response"]), apart=True).asked
    return Question(first_text(item.get("prompt"), item.get("goal")))


def _name(value: object) -> str:
    return identifier(value, "the index")


def _detects(sample: Sample) -> bool:
    return sample.has("jailbreaks")


READER = Reader(
    "jailbreakbench",
    "a JailbreakBench artifact",
    _detects,
    _rows,
    categories="jailbreakbench",
)
