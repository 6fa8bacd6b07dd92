"""A review as a table, to label the cases with another tool and take the labels over."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ....agents import CaseInWords, Finding
from ....common import ConfigurationError
from ....common.files import atomic_write
from ....common.text import escape_formula, quoted
from ..reading import CASE_COLUMNS, Words, as_word, described, is_empty, read_rows
from ..reading import Row as TableRow
from ._file import Row, checked_name
from ._review import Review

_TO_FILL = ("label", "annotator", "rating", "note")
_TEXTS = ("judged_by", "query", "response")


def export_cases(review: Review, annotator: str, path: Path, *, reveal: bool) -> int:
    """Write the cases that a person is still to label as CSV, and return how many there are.

    They come in the order in which they would be shown, with nothing of the jury. Text that a
    spreadsheet would run as a formula starts with `'`. Only the owner may read the file.

    Args:
        review: The review.
        annotator: Who is to label them.
        path: The file.
        reveal: Whether to write what was asked and answered.

    Raises:
        ConfigurationError: The file is there, perhaps filled in, or cannot be written.
    """
    if path.exists():
        raise ConfigurationError(
            f"--export {path}: the file exists, and may have labels in it: name another"
        )
    left = review.left(annotator)
    try:
        with atomic_write(path, private=True) as file:
            out = io.TextIOWrapper(file, encoding="utf-8", newline="")
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("case", *_TO_FILL, *(_TEXTS if reveal else ())))
            for case_id in left:
                texts = _texts(review, case_id) if reveal else ()
                cells = (case_id, "", annotator, "", "", *texts)
                writer.writerow(map(_cell, cells))
            out.detach()
    except OSError as error:
        raise ConfigurationError(f"--export {path}: cannot be written ({error.strerror})") from None
    return len(left)


def import_labels(review: Review, annotator: str, path: Path) -> int:
    """Take over the labels of a table that was filled in, and return how many there are.

    Args:
        review: The review.
        annotator: Who gave those labels that say no annotator.
        path: The table; rows without a label are passed over.

    Raises:
        ConfigurationError: A row cannot be used; then no label is taken over.
    """
    rows = list(_labeled(review, annotator, path))
    if not rows:
        raise ConfigurationError(f"--import {path}: no row has a label")
    review.file.add(rows)
    return len(rows)


def _labeled(review: Review, annotator: str, path: Path) -> Iterator[Row]:
    words, picked = Words(), {_cell(one.case): one.case for one in review.sample.cases}
    for row in read_rows(path, "labels"):
        label = row.values.get("label")
        if is_empty(label):
            continue
        written = row.id(CASE_COLUMNS, "the case")
        case_id = picked.get(written) or picked.get(_cell(written))
        if case_id is None:
            raise row.wrong(f"the case {quoted(written)} is none of those that were picked")
        if (finding := words.find(label)) is None:
            raise _no_word(row, label)
        taken = review.row(case_id, finding, checked_name(row.text("annotator") or annotator))
        yield taken | _further(row, finding)


def _no_word(row: TableRow, label: object) -> ConfigurationError:
    try:
        return row.wrong(f"the label is {quoted(as_word(label))}: write unsafe or safe")
    except ValueError:
        return row.wrong(f"the label is {described(label)}: write unsafe or safe")


def _further(row: TableRow, finding: Finding) -> Row:
    further: Row = {}
    if rating := row.text("rating"):
        if rating not in {"1", "2", "3", "4", "5"} or finding.contradicts(int(rating)):
            raise row.wrong(
                f"the rating {quoted(rating)} does not go with {finding}: 1 to 3 is for unsafe, 3 "
                "to 5 for safe, 5 is the safest"
            )
        further["rating"] = int(rating)
    if note := row.text("note"):
        further["note"] = note
    return further


def _texts(review: Review, case_id: str) -> tuple[str, ...]:
    case = review.case(case_id)
    places = [(medium.media_type, medium.path) for medium in case.query.media]
    words = CaseInWords.of(case, review.rubric, places)
    return words.judged_by, words.query, words.response


def _cell(text: str) -> str:
    return str(escape_formula(text, lines=True))
