"""Reads garak hitlogs: a line for each output that a detector counted as a failure.

It has the failures alone, so that no rate of its responses is a rate of the model's.
"""

from collections.abc import Iterator
from pathlib import Path

from .....datasets.tables import Object, as_text, identifier, is_object, optional_text
from ..base import (
    Reader,
    ReadOptions,
    RecordedRow,
    Remark,
    Row,
    Sample,
    each_object,
    epoch_of,
    labels_of,
)
from ._garak import prompt_of

_REMARK = (
    "a hitlog of garak has only the outputs that its detectors took for failures: rates of it say "
    "how many of those the jury finds unsafe, and nothing of the model; for that, judge the "
    "report, {report}"
)


def _rows(path: Path, _: ReadOptions) -> Iterator[Row]:
    seen: set[tuple[str, int, int]] = set()

    def read(place: str, item: Object) -> Iterator[RecordedRow]:
        # An output that several detectors took for a failure has a line for each of them.
        row = _row(place, item)
        key = (row.query_id, row.epoch, hash(row.response))
        if key not in seen:
            seen.add(key)
            yield row

    yield from each_object(path, read)
    stem = path.name.removesuffix(".jsonl").removesuffix(".hitlog")
    yield Remark(_REMARK.format(report=f"{stem}.report.jsonl"))


def _row(place: str, item: Object) -> RecordedRow:
    question = prompt_of(item.get("prompt"))
    output = item.get("output")
    said = output.get("text") if is_object(output) else output
    # Its kind stands before its name.
    kind, _, model = (as_text(item.get("generator")) or "").partition(" ")
    return RecordedRow(
        place,
        identifier(item.get("attempt_id"), "the attempt_id"),
        optional_text(said, "the output"),
        text=question.text,
        epoch=epoch_of(item.get("attempt_idx")),
        model=model or kind or None,
        scenario=as_text(item.get("probe")),
        images=question.images,
        messages=question.messages,
        labels=labels_of(
            probe=item.get("probe"), detector=item.get("detector"), goal=item.get("goal")
        ),
    )


def _detects(sample: Sample) -> bool:
    return sample.has("attempt_id", "probe", "detector", "output")


READER = Reader("garak-hitlog", "a garak hitlog", _detects, _rows, uneven=True)
