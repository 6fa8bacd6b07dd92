"""Reads our own JSONL, and other JSON Lines with a column mapping."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec

from .....common import DatasetError
from .....datasets.query import tidy_labels
from .....datasets.tables import Intents, Object, RowError, as_text, identifier, list_within
from ...._response import ResponseOutcome
from ..base import (
    Columns,
    Dialogue,
    Reader,
    ReadOptions,
    RecordedRow,
    Row,
    Sample,
    each_object,
    no_responses,
    unreadable,
)


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    query_id: Annotated[str, msgspec.Meta(min_length=1)]
    response: str | None
    epoch: Annotated[int, msgspec.Meta(ge=0)] = 0
    outcome: ResponseOutcome | None = None
    model: str | None = None
    text: str | None = None
    prompt: str | None = None
    scenario: str | None = None
    intent: object = None
    image: str | None = None
    images: list[str] = []
    finish_reason: str | None = None
    underlying_request: str | None = None
    labels: dict[str, str] = {}
    messages: list[object] = []


def _rows(path: Path, options: ReadOptions) -> Iterator[Row]:
    columns = Columns(options)
    own: bool | None = False if options.mapping else None

    def read(place: str, values: Object) -> Iterator[Row]:
        nonlocal own
        if own is None:
            # One key of the two is enough: the other is missing by mistake.
            own = "query_id" in values
        yield _own(place, values, options.intents) if own else columns.read(place, values)

    within = list_within(path, columns.may_hold, partial(no_responses, path))
    yield from each_object(path, read, within=within)
    columns.check_labels(path)


def _own(place: str, values: Object, intents: Intents) -> Row:
    try:
        return _read(place, values, intents)
    except RowError as error:
        return unreadable(place, error, as_text(values.get("model")))


def _read(place: str, values: Object, intents: Intents) -> RecordedRow:
    # Where it is left out, it is the last turn of the messages.
    apart = "response" in values or "messages" not in values
    try:
        line = msgspec.convert(values if apart else {**values, "response": None}, _Line)
    except (msgspec.MsgspecError, ValueError) as error:
        raise RowError(
            f'not a recorded response ({error}); expected {{"query_id": "...", "response": "..."}}'
        ) from None
    if line.image and line.images:
        raise RowError("has both 'image' and 'images': name all pictures as 'images'")
    try:
        labels = tidy_labels(line.labels.items())
    except DatasetError as error:
        raise RowError(str(error)) from None
    if line.messages and (line.image or line.images):
        raise RowError("has pictures beside its 'messages': name them within")
    talk = Dialogue.of(line.messages, line.response, apart=apart)
    text = line.prompt if line.text is None else line.text
    return RecordedRow(
        place,
        identifier(line.query_id, "the query_id"),
        talk.response,
        text=talk.asked.text if text is None else text,
        epoch=line.epoch,
        outcome=line.outcome,
        model=line.model,
        scenario=line.scenario,
        intent=intents.read(line.intent, "the intent"),
        images=talk.asked.images or tuple([line.image] if line.image else line.images),
        finish_reason=line.finish_reason,
        underlying_request=line.underlying_request,
        labels=labels,
        messages=talk.asked.messages,
        turns=talk.turns,
    )


def _detects(sample: Sample) -> bool:
    # Any other JSON with columns is read by a mapping.
    return bool(sample.first) or sample.head.lstrip()[:1] in (b"{", b"[")


READER = Reader("jsonl", "lines of JSON", _detects, _rows, maps=True)
