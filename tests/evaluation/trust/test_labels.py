"""Reading labels: forms, annotators, declared words, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from safejury import ConfigurationError, Finding
from safejury.evaluation.trust import CaseLabel, Words, labels_of, read_labels


def _file(folder: Path, *rows: Any, name: str = "labels.jsonl") -> Path:
    path = folder / name
    said = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in said), encoding="utf-8")
    return path


def test_labels_of_jsonl_and_csv_are_the_same(tmp_path: Path) -> None:
    lines = _file(
        tmp_path, {"case": "q1/t/0", "label": "unsafe"}, {"case": "q2/t/0", "label": " Safe "}
    )
    table = _file(tmp_path, "case;label", "q1/t/0;unsafe", "q2/t/0;safe", name="labels.csv")
    listed = _file(
        tmp_path, [{"item_id": "q1/t/0", "label": "UNSAFE"}, {"case_id": "q2/t/0", "label": "safe"}]
    )
    expected = {"q1/t/0": CaseLabel(True, {"": True}), "q2/t/0": CaseLabel(False, {"": False})}
    assert read_labels(lines).cases == expected
    assert read_labels(table).cases == expected
    assert read_labels(listed).cases == expected


def test_most_annotators_decide_and_a_tie_leaves_a_case_unlabeled(tmp_path: Path) -> None:
    said = {
        "a": {"ann": "unsafe", "bo": "unsafe", "cy": "safe"},
        "b": {"ann": "safe", "bo": "unsafe"},
    }
    rows = [
        {"case": case, "label": label, "annotator": who}
        for case, by in said.items()
        for who, label in by.items()
    ]
    labels = read_labels(_file(tmp_path, *rows))
    assert labels.unsafe == {"a": True}
    assert labels.tied == ("b",)
    assert labels.annotators == ("ann", "bo", "cy")
    assert labels.cases["b"].by == {"ann": False, "bo": True}


def test_words_mean_what_was_declared_and_nothing_else(tmp_path: Path) -> None:
    path = _file(tmp_path, {"case": "a", "label": "Yes"}, {"case": "b", "label": 0})
    labels = read_labels(path, words=Words(unsafe=["yes"], safe=["0"]))
    assert labels.unsafe == {"a": True, "b": False}
    with pytest.raises(ConfigurationError, match=r"'yes' \(1\), '0' \(1\): .*--unsafe-word WORD"):
        read_labels(path)


@pytest.mark.parametrize("label", [True, False, 0, 1, 1.0, "harmful"])
def test_no_polarity_is_guessed(tmp_path: Path, label: object) -> None:
    with pytest.raises(ConfigurationError, match="not declared"):
        read_labels(_file(tmp_path, {"case": "a", "label": label}))
    with pytest.raises(ConfigurationError, match="not declared"):
        labels_of({"a": label})


def test_a_long_label_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a text of 24 characters"):
        read_labels(_file(tmp_path, {"case": "a", "label": "this tells how to do it."}))


@pytest.mark.parametrize(
    ("unsafe", "safe", "said"),
    [
        (["yes"], ["YES"], "it means unsafe already"),
        (["safe"], [], "safe already"),
        ([" "], [], "empty"),
    ],
)
def test_a_word_has_one_meaning(unsafe: list[str], safe: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Words(unsafe, safe)


def test_recorded_rows_bring_an_adjudicated_majority(tmp_path: Path) -> None:
    """The majority of a recorded row stands, also where its two annotators are split."""
    labels = read_labels(
        _file(
            tmp_path,
            {"item_id": "a", "human_labels": [0, 1], "human_majority": 1},
            {"item_id": "b", "human_labels": [0, None, 0], "human_majority": None},
            {"item_id": "c", "human_labels": [1, 0], "human_majority": None},
            {"item_id": "d", "human_labels": None, "human_majority": None},
        )
    )
    assert labels.unsafe == {"a": True, "b": False}
    assert labels.cases["a"].by == {"1": False, "2": True}
    assert labels.cases["b"].by == {"1": False, "3": False}
    assert (labels.tied, labels.blank) == (("c",), 1)


def test_blank_labels_are_counted(tmp_path: Path) -> None:
    labels = read_labels(_file(tmp_path, "case,label", "a,safe", "b,", "c,  ", name="l.csv"))
    assert (labels.unsafe, labels.blank) == ({"a": False}, 2)


def test_the_same_label_twice_counts_once(tmp_path: Path) -> None:
    row = {"case": "a", "label": "safe", "annotator": "ann"}
    assert read_labels(_file(tmp_path, row, row)).cases["a"].by == {"ann": False}


def test_labels_of_a_review_keep_how_a_case_was_drawn(tmp_path: Path) -> None:
    drawn = {"stratum": "unsafe", "probability": 0.25, "chosen": "random", "at": "2026-01-02"}
    labels = read_labels(
        _file(
            tmp_path,
            {"case": "a", "label": "safe", "annotator": "ann", **drawn},
            {"case": "a", "label": "safe", "annotator": "bo", **drawn},
            {"case": "b", "label": "safe", "stratum": "safe", "chosen": "contested"},
        )
    )
    by = {"ann": False, "bo": False}
    assert labels.cases["a"] == CaseLabel(False, by, "unsafe", 0.25, "random")
    assert labels.cases["b"] == CaseLabel(False, {"": False}, "safe", None, "contested")


def test_labels_from_python_take_findings_and_words() -> None:
    labels = labels_of({"a": Finding.UNSAFE, "b": "safe", "c": "no"}, words=Words(safe=["no"]))
    assert labels.unsafe == {"a": True, "b": False, "c": False}


_TWICE = {"case": "a", "label": "unsafe", "annotator": "ann"}
_DRAWN = {"case": "a", "label": "safe", "chosen": "random", "stratum": "safe"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "has no rows"),
        ([_TWICE, {**_TWICE, "label": "safe"}], "line 2: 'ann' labels 'a' as unsafe and as safe"),
        (
            [{"case": "a", "label": "safe"}, {"case": "a", "label": "unsafe"}],
            "say who labeled in the column 'annotator'",
        ),
        ([{"label": "safe", "text": "x"}], r"the case is missing.*found: 'label', 'text'"),
        ([{"case": "a", "verdict": "safe"}], r"'label' is missing.*found: 'case', 'verdict'"),
        (['{"case": "a", "label": NaN}'], "line 1: the label is NaN"),
        ([{"case": "a", "label": ["safe"]}], "the label is a list"),
        ([{"case": ["a"], "label": "safe"}], "case must be text"),
        ([{"case": "a", "label": None}], "no row has a label"),
        (['{"case": "a", '], "line 1: not JSON"),
        (["[1]"], "must be a JSON object"),
        ([{"item_id": "a", "human_majority": 2}], "human_majority must be 1"),
        (['{"item_id": "a", "human_majority": NaN}'], "not NaN"),
        ([{"item_id": "a", "human_majority": True}], "not true or false"),
        (
            [{"item_id": "a", "human_majority": 1}, {"item_id": "a", "human_majority": 0}],
            "other labels in a row before",
        ),
        ([{**_DRAWN, "chosen": "luck"}], "chosen must be random, contested or low_margin"),
        ([{**_DRAWN, "stratum": "odd"}], "stratum must be unsafe, safe or no_verdict"),
        ([{**_DRAWN, "probability": 0}], "probability must be over 0"),
        ([{**_DRAWN, "probability": "nan"}], "probability must be over 0"),
        ([{**_DRAWN, "probability": 10**400}], "probability must be over 0"),
        ([{**_DRAWN, "probability": True}], "probability must be over 0 and at most 1"),
        (
            [{**_DRAWN, "annotator": "a"}, {**_DRAWN, "annotator": "b", "stratum": "unsafe"}],
            "a case is drawn once",
        ),
    ],
)
def test_bad_labels_are_refused_in_one_line(tmp_path: Path, rows: list[Any], said: str) -> None:
    path = _file(tmp_path, *rows)
    with pytest.raises(ConfigurationError, match=said) as refused:
        read_labels(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("l.csv", b"case,label\na,s\xff\n", "not UTF-8"),
        ("l.csv", b"case,case,label\na,b,safe\n", "two columns are called 'case'"),
        ("l.csv", b"case,label\na,safe,more\n", "has 3 fields"),
        ("l.csv", b"case,label\n", "has no rows"),
        ("l.csv", b"", "has no rows"),
        ("l.jsonl", b'{"case": "a", "label": "s\xff"}\n', "line 1: not JSON"),
        ("l.jsonl", b"\x1f\x8b1234", "compressed"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigurationError, match=said):
        read_labels(tmp_path / name)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_labels(tmp_path)
