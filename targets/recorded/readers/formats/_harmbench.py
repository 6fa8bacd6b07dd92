"""Reads HarmBench completions: behavior id to a list of `{"test_case", "generation"}`.

A test case is a text, `[picture, text]`, or an object with `text` and `image`. All test cases
of a behavior are after the same: they are its epochs, each in words of its own.
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
    describe,
    identifier,
    is_object,
    optional_text,
)
from ..base import (
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
    place = "the start"
    with JsonFile(path) as document:
        try:
            for behavior, at in document.members(document.root):
                place = f"behavior {behavior[:60]!r}"
                if document.opens(at) != "[":
                    yield Unreadable(place, "must hold a list of completions")
                    continue
                epoch = 0
                for number, item in enumerate(document.elements(at), 1):
                    here = f"{place}, completion {number}"
                    row = _row(here, behavior, epoch, document.value(item))
                    epoch += isinstance(row, RecordedRow)
                    yield row
        except BrokenJson as error:
            yield Unreadable(f"after {place}", str(error), Unread.REST)


def _row(place: str, behavior: str, epoch: int, value: object) -> Row:
    if isinstance(value, RowError):
        return unreadable(place, value)
    item = as_object(value)
    try:
        if "generation" not in item:
            raise RowError("has no 'generation'")
        text, images = _case(item)
        category = as_text(item.get("category") or item.get("SemanticCategory"))
        return RecordedRow(
            place,
            identifier(behavior, "the behavior"),
            optional_text(item["generation"], "the generation"),
            text=text,
            epoch=epoch,
            scenario=category and f"{category}/{behavior}",
            intent=Intent.HARMFUL,  # it has no other behaviors
            images=images,
            labels=labels_of(
                category=category,
                method=item.get("method"),
                model=item.get("experiment") or item.get("model"),
            ),
            reworded=True,
        )
    except RowError as error:
        return Unreadable(place, str(error))


def _case(item: Object) -> tuple[str | None, tuple[str, ...]]:
    case = item.get("test_case")
    if isinstance(case, str) or case is None:
        return case, ()
    if is_object(case):
        image = as_text(case.get("image"))
        return as_text(case.get("text")), (image,) if image else ()
    parts = as_list(case)
    if len(parts) == 2 and all(isinstance(part, str) for part in parts):
        return str(parts[1]), (str(parts[0]),)
    raise RowError(f"the test_case must be a text or [picture, text], not {describe(case)}")


def _detects(sample: Sample) -> bool:
    if not sample.keys:
        return False
    try:
        with JsonFile(sample.path) as document:
            at = next((value for _, value in document.members(document.root)), None)
            if at is None or document.opens(at) != "[":
                return False
            item = next(document.elements(at), None)
            # Any list of rows may have a `generation`: it has both.
            keys = as_object(None if item is None else document.value(item))
            return {"test_case", "generation"} <= keys.keys()
    except BrokenJson:
        return False


READER = Reader(
    "harmbench",
    "HarmBench completions",
    _detects,
    _rows,
    categories="harmbench",
    uneven=True,
)
