"""Votes of a file: both of its forms, groups, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from safejury import ConfigurationError
from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, Words, read_votes


def _file(folder: Path, *rows: Any, name: str = "votes.jsonl") -> Path:
    path = folder / name
    said = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in said), encoding="utf-8")
    return path


def test_a_row_with_the_votes_of_all_jurors(tmp_path: Path) -> None:
    """One says unsafe, zero safe, null is no vote; a juror that is missing was not asked."""
    path = _file(
        tmp_path,
        {
            "item_id": "a",
            "group_id": "g",
            "target_model": "t",
            "scenario": "s",
            "judge_verdicts": {"x": 1, "y": None},
        },
        {"item_id": "b", "group_id": "g", "judge_verdicts": {"z": 0, "x": 0}, "scenario": None},
    )
    source = read_votes(path)
    votes = source.votes
    assert (votes.jurors, votes.cases, votes.groups) == (("x", "y", "z"), ("a", "b"), ("g", "g"))
    assert votes.votes.tolist() == [[UNSAFE, NO_VOTE, NO_VOTE], [SAFE, NO_VOTE, SAFE]]
    assert votes.lost.tolist() == [[False, False, True], [False, True, False]]
    assert (votes.targets, votes.scenarios) == (("t", ""), ("s", ""))
    assert (source.decided, source.notes, source.jury.source) == (None, (), "ballots")


def test_a_row_for_each_ballot(tmp_path: Path) -> None:
    text = """case,juror,finding,outcome,rating,query,target
a,x,unsafe,verdict,2,q1,t
a,y,Safe,,4.0,,
a,z,,refused,,q1,
b,x,,transport_error,,q2,t
b,y,abstain,,,q2,t
b,z,,not_asked,,q2,t
"""
    path = tmp_path / "votes.csv"
    path.write_text(text, encoding="utf-8")
    votes = read_votes(path).votes
    assert (votes.jurors, votes.groups) == (("x", "y", "z"), ("q1", "q2"))
    assert votes.votes.tolist() == [[UNSAFE, SAFE, NO_VOTE], [NO_VOTE] * 3]
    assert votes.ratings.tolist() == [[2, 4, 0], [0, 0, 0]]
    assert votes.lost.tolist() == [[False] * 3, [True, False, True]]
    assert votes.targets == ("t", "t")


def test_an_outcome_column_alone_will_do(tmp_path: Path) -> None:
    path = _file(tmp_path, {"case": "a", "juror": "x", "outcome": "unsafe"})
    assert read_votes(path).votes.votes.tolist() == [[UNSAFE]]


def test_the_same_words_count_as_in_labels(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        {"case": "a", "juror": "x", "finding": "Yes"},
        {"case": "b", "juror": "x", "finding": False},
    )
    words = Words(unsafe=["yes"], safe=["false"])
    assert read_votes(path, words=words).votes.votes.tolist() == [[UNSAFE], [SAFE]]
    with pytest.raises(ConfigurationError, match=r"'yes' \(1\), 'false' \(1\)"):
        read_votes(path)


def test_cases_are_grouped_by_a_named_column(tmp_path: Path) -> None:
    rows = [
        {"case": c, "juror": "x", "finding": "safe", "group": "one", "prompt": p}
        for c, p in (("a", "p1"), ("b", "p2"), ("c", "p1"))
    ]
    path = _file(tmp_path, *rows)
    assert read_votes(path).votes.groups == ("one", "one", "one")
    assert read_votes(path, groups="prompt").votes.groups == ("p1", "p2", "p1")
    with pytest.raises(ConfigurationError, match="--groups names the column 'query'"):
        read_votes(path, groups="query")


def test_a_file_without_groups_is_told(tmp_path: Path) -> None:
    path = _file(tmp_path, {"case": "a", "juror": "x", "finding": "safe"})
    source = read_votes(path)
    assert source.votes.groups == ("a",)
    assert "--groups" in source.notes[0]


def test_a_juror_is_left_out(tmp_path: Path) -> None:
    path = _file(tmp_path, {"item_id": "a", "judge_verdicts": {"x": 1, "y": 0, "z": 1}})
    source = read_votes(path, without=["y"])
    assert source.votes.votes.tolist() == [[UNSAFE, UNSAFE]]
    assert [seat.name for seat in source.jury.seats] == ["x", "z"]
    assert source.jury.sha256 != read_votes(path).jury.sha256
    with pytest.raises(ConfigurationError, match="no such juror; there are 'x', 'y', 'z'"):
        read_votes(path, without=["w"])


_BALLOT = {"case": "a", "juror": "x", "finding": "safe"}


_BAD: list[tuple[list[Any], str]] = [
    ([], "has no rows"),
    ([_BALLOT, _BALLOT], "line 2: 'x' votes on 'a' twice"),
    ([{"item_id": "a", "judge_verdicts": {}}], "no row has a vote"),
    ([{"item_id": "a", "judge_verdicts": [1]}], "judge_verdicts must be an object"),
    ([{"item_id": "a", "judge_verdicts": {"x": 2}}], "'x' must be 1 .*, not a number"),
    ([{"item_id": "a", "judge_verdicts": {"x": True}}], "not true or false"),
    (['{"item_id": "a", "judge_verdicts": {"x": NaN}}'], "not NaN"),
    ([{"case": "a", "verdict": "safe"}], r"'finding' is missing \(columns found: 'case'"),
    ([{"case": "a", "finding": "safe"}], "the juror is missing"),
    ([{"juror": "x", "finding": "safe"}], "the case is missing"),
    ([{**_BALLOT, "finding": "maybe"}], r"not declared: 'maybe' \(1\)"),
    ([{**_BALLOT, "finding": [1]}], "the finding is a list"),
    ([{**_BALLOT, "finding": None, "outcome": "verdict"}], "a verdict, and has no finding"),
    ([{**_BALLOT, "outcome": "refused"}], "is refused, and has a finding"),
    ([{**_BALLOT, "rating": 6}], "the rating must be 1 to 5"),
    ([{**_BALLOT, "rating": 2.5}], "the rating must be 1 to 5"),
    ([{**_BALLOT, "rating": True}], "the rating must be 1 to 5, not true"),
    (['{"case": "a", "juror": "x", "finding": "safe", "rating": NaN}'], "not NaN"),
    (
        [{**_BALLOT, "group": "g"}, {**_BALLOT, "juror": "y", "group": "h"}],
        "another group than in a row before: 'h', not 'g'",
    ),
]


@pytest.mark.parametrize(("rows", "said"), _BAD)
def test_bad_votes_are_refused_in_one_line(tmp_path: Path, rows: list[Any], said: str) -> None:
    path = _file(tmp_path, *rows)
    with pytest.raises(ConfigurationError, match=said) as refused:
        read_votes(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
