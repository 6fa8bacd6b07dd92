"""Reads samples of lmms-eval: lines with `doc_id`, and `resps` or `filtered_resps`.

`resps` is what the model said; newer versions leave it out where `filtered_resps` is the
same, and write the question as `input` instead of `arguments`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .....datasets import Message, media_in
from .....datasets.query import unread
from .....datasets.tables import (
    Intents,
    Object,
    RowError,
    as_list,
    as_object,
    first_text,
    identifier,
    is_object,
    media_values,
    optional_text,
)
from ..base import Question, Reader, ReadOptions, RecordedRow, Row, Sample, each_object, labels_of

_QUESTIONS = ("question", "prompt", "query", "text", "instruction")


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    def read(place: str, item: Object) -> Iterator[RecordedRow]:
        return _responses(place, item, options.intents)

    return each_object(path, read)


def _responses(place: str, item: Object, intents: Intents) -> Iterator[RecordedRow]:
    name = identifier(item.get("doc_id"), "the doc_id")
    doc = as_object(item.get("doc"))
    said = list(_texts(item.get("resps") or item.get("filtered_resps") or []))
    if not said:
        raise RowError("has no responses")
    question = _question(item, doc)
    images = tuple(str(place) for place in media_values(item.get("input_media")))
    for epoch, response in enumerate(said):
        yield RecordedRow(
            place,
            name,
            response,
            text=question.text,
            epoch=epoch,
            model=first_text(item.get("model_name"), item.get("model")),
            scenario=first_text(doc.get("scenario"), doc.get("category")),
            intent=intents.read(doc.get("intent"), "the intent"),
            images=question.images or (() if question.messages else images),
            messages=_with_pictures(question.messages, images),
            labels=labels_of(category=doc.get("category")),
        )


def _texts(value: object) -> Iterator[str | None]:
    """Yield the responses at any nesting; null is a failed one."""
    items = as_list(value)
    if not items and value != []:
        yield optional_text(value, "a response")
    if len(items) == 2 and str(items[1]) in ("True", "False") and _is_number(items[0]):
        raise RowError("holds log-likelihoods of given answers, no response of the model")
    for item in items:
        yield from _texts(item)


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _question(item: Object, doc: Object) -> Question:
    """Return the question; with a chat template applied, it is a JSON list of messages."""
    asked = item.get("input")
    if asked is None:
        asked = item.get("arguments")
    while True:
        put = Question.of_prompt(asked)
        if put.messages or put.images or first_text(put.text):
            return put
        if not (inner := list(asked.values()) if is_object(asked) else as_list(asked)):
            return Question(first_text(*(doc.get(key) for key in _QUESTIONS)))
        asked = inner[0]


def _with_pictures(messages: tuple[Message, ...], images: tuple[str, ...]) -> tuple[Message, ...]:
    """Insert the pictures listed beside a conversation into its first question."""
    at = next((at for at, turn in enumerate(messages) if turn.role == "user"), None)
    if at is None or media_in(messages):
        return messages
    shown = tuple(unread(image, "image") for image in images)
    turn = replace(messages[at], parts=(*shown, *messages[at].parts))
    return (*messages[:at], turn, *messages[at + 1 :])


def _detects(sample: Sample) -> bool:
    return sample.has("doc_id") and (sample.has("resps") or sample.has("filtered_resps"))


READER = Reader("lmms-eval", "lmms-eval samples", _detects, _rows)
