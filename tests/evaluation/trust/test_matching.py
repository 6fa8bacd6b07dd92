"""Which labels count: those of cases with votes, and of a review only those drawn at random."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safejury import ConfigurationError
from safejury.evaluation.trust import (
    SAFE,
    UNLABELED,
    UNSAFE,
    Source,
    labels_of,
    match,
    read_labels,
    read_votes,
)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    rows = [{"case": case, "juror": "x", "finding": "safe", "group": case} for case in "abcd"]
    return read_votes(_file(tmp_path, rows, "votes.jsonl"))


def _file(folder: Path, rows: list[Any], name: str = "labels.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_labels_come_in_the_order_of_the_votes(source: Source) -> None:
    matched = match(labels_of({"c": "unsafe", "a": "safe"}), source)
    assert matched.labels.values.tolist() == [SAFE, UNLABELED, UNSAFE, UNLABELED]
    assert matched.labels.weights is None
    assert matched.notes == ()


def test_what_each_annotator_said_comes_along(source: Source, tmp_path: Path) -> None:
    rows = [
        {"case": "a", "label": "safe", "annotator": "ann"},
        {"case": "a", "label": "unsafe", "annotator": "bo"},
        {"case": "b", "label": "unsafe", "annotator": "bo"},
        {"case": "c", "label": None, "annotator": "bo"},
    ]
    matched = match(read_labels(_file(tmp_path, rows)), source)
    assert matched.labels.annotators == ("ann", "bo")
    assert matched.labels.given is not None
    # What two people said of a case that stays unlabeled counts for how far they agree.
    assert matched.labels.given.tolist()[:2] == [[SAFE, UNSAFE], [UNLABELED, UNSAFE]]
    assert matched.labels.values.tolist() == [UNLABELED, UNSAFE, UNLABELED, UNLABELED]
    assert "split evenly: 'a'" in matched.notes[0]
    assert "1 row without a label" in matched.notes[1]


def test_labels_of_strange_and_unheard_cases_are_counted(source: Source) -> None:
    from dataclasses import replace

    heard = replace(source, unheard=frozenset({"u"}))
    labels = labels_of(dict.fromkeys("auvwxy", "safe"))
    notes = match(labels, heard).notes
    assert notes[0].startswith("4 labeled cases not in ")
    assert "'v', 'w', 'x', …" in notes[0]
    assert notes[1] == "1 labeled case left out, which the jury did not hear: 'u'."
    with pytest.raises(ConfigurationError, match="heard none of the labeled cases, such as 'u'"):
        match(labels_of({"u": "safe"}), heard)


def test_labels_that_match_no_case_are_refused(source: Source) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"no label matches a case of .*: 2 labels of 'q1', 'q2', .*called 'a', 'b', 'c', …",
    ):
        match(labels_of({"q1": "safe", "q2": "safe"}), source)


def test_of_a_review_only_what_was_drawn_counts_and_is_weighted(
    source: Source, tmp_path: Path
) -> None:
    """Cases were drawn with chances of 0.5 and 0.25; the contested one would mislead."""
    drawn = {"chosen": "random", "stratum": "safe", "probability": 0.25}
    rows = [
        {"case": "a", "label": "safe", **drawn},
        {"case": "b", "label": "unsafe", **drawn, "stratum": "unsafe", "probability": 0.5},
        {"case": "c", "label": "unsafe", "stratum": "safe", "chosen": "contested"},
    ]
    matched = match(read_labels(_file(tmp_path, rows)), source)
    assert matched.labels.values.tolist() == [SAFE, UNSAFE, UNLABELED, UNLABELED]
    assert matched.labels.weights is not None
    assert np.array_equal(matched.labels.weights[:2], [4.0, 2.0])
    assert matched.notes[0].startswith("1 label left out: only cases that a review drew at random")
