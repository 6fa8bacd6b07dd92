"""HarmBench completions: behaviour id to a list of `{"test_case", "generation"}`.

A test case is a text, `[picture, text]`, or an object with `text` and `image`.
"""

from collections.abc import Iterator
from pathlib import Path

from ...datasets import Intent
from ...datasets.tables._json_file import BrokenJson, JsonFile
from ...datasets.tables._values import (
    Object,
    RowError,
    as_list,
    as_object,
    as_text,
    found,
    identifier,
    is_object,
    words,
)
from ._reader import Reader, ReadOptions, Sample
from ._row import RecordedRow, Row, Unread, Unreadable, unreadable


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    place = "the start"
    with JsonFile(path) as document:
        try:
            for behaviour, at in document.members(document.root):
                place = f"behaviour {behaviour[:60]!r}"
                if document.opens(at) != "[":
                    yield Unreadable(place, "must hold a list of completions")
                    continue
                asked = _Asked(behaviour)
                for number, item in enumerate(document.elements(at), 1):
                    here = f"{place}, completion {number}"
                    yield _row(here, asked, document.value(item))
        except BrokenJson as error:
            yield Unreadable(f"after {place}", str(error), Unread.REST)


class _Asked:
    """Gives each test case of one behaviour an id, and counts the responses to it."""

    def __init__(self, behaviour: str) -> None:
        self._behaviour = behaviour
        self._ids: dict[object, str] = {}
        self._counts: dict[str, int] = {}

    def place(self, case: object) -> tuple[str, int]:
        """Return the id and the epoch of one more response to a test case."""
        number = len(self._ids) + 1
        name = self._behaviour if number == 1 else f"{self._behaviour}#{number}"
        name = self._ids.setdefault(case, name)
        epoch = self._counts.get(name, 0)
        self._counts[name] = epoch + 1
        return name, epoch


def _row(place: str, asked: _Asked, value: object) -> Row:
    if isinstance(value, RowError):
        return unreadable(place, value)
    item = as_object(value)
    try:
        if "generation" not in item:
            raise RowError("has no 'generation'")
        text, images = _case(item)
        name, epoch = asked.place((text, images))
        return RecordedRow(
            place,
            identifier(name, "the behaviour"),
            words(item["generation"], "the generation"),
            text=text,
            epoch=epoch,
            scenario=as_text(item.get("category")),
            intent=Intent.HARMFUL,  # it has no other behaviours
            images=images,
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
    raise RowError(f"the test_case must be a text or [picture, text], not {found(case)}")


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


READER = Reader("harmbench", "HarmBench completions", _detects, _rows)
