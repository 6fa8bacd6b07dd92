"""Reads XSTest completions: a CSV with `type`, `prompt`, `completion` and human labels.

It does not say which prompts are unsafe; the type does, as in XSTest's own first releases. A type
that is not one of XSTest's is ignored, since the table may come from elsewhere.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets.loaders.mappings import category_key, mapping_of
from .....datasets.loaders.published import intent_of
from .....datasets.tables import CsvTable, Object, RowError, first_text, identifier, optional_text
from ..base import Reader, ReadOptions, RecordedRow, Row, Sample, labels_of, unreadable

_COLUMNS = frozenset({"id", "type", "prompt", "completion"})


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    for place, values in CsvTable(path, encoding="utf-8").objects():
        try:
            if isinstance(values, RowError):
                raise values
            yield _row(place, values)
        except RowError as error:
            yield unreadable(place, error)


def _row(place: str, values: Object) -> RecordedRow:
    kind = first_text(values.get("type"))
    if kind is None:
        raise RowError("has no 'type'")
    label = optional_text(values.get("label"), "the label") or ""
    known = bool(label) or category_key(kind) in (mapping_of("xstest") or {})
    return RecordedRow(
        place,
        identifier(values.get("id") or place.replace(" ", "-"), "the id"),
        optional_text(values.get("completion"), "the completion"),
        text=optional_text(values.get("prompt"), "the prompt"),
        scenario=kind,
        intent=intent_of(kind, label) if known else None,
        numbered=not values.get("id"),
        labels=labels_of(type=kind),
    )


def _detects(sample: Sample) -> bool:
    if sample.head.lstrip()[:1] in (b"{", b"[") or b"\0" in sample.head:
        return False
    header = sample.head.split(b"\n", 1)[0].decode(errors="replace")
    return {name.strip().strip('"') for name in header.split(",")} >= _COLUMNS


READER = Reader("xstest", "XSTest completions", _detects, _rows, categories="xstest")
