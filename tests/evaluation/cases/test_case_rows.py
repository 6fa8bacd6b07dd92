"""Cases and ballots of a run as rows."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import case_run
import pytest
from case_results import SAFE
from rich.console import Console
from rich.text import Text

import safejury as sj
from safejury.evaluation import RecordReader
from safejury.evaluation.cases import (
    BallotRow,
    CaseFilter,
    ballot_rows,
    case_row,
    case_rows,
    plain_ballot,
    plain_case,
)
from safejury.evaluation.report import Column, Grid
from safejury.testing import ScriptedReply, ballot


@pytest.fixture
def reader(run_of_cases: Path) -> Iterator[RecordReader]:
    with closing(RecordReader(run_of_cases)) as opened:
        yield opened


def ids(reader: RecordReader, **wanted: Any) -> list[str]:
    return [row.case_id for row in case_rows(reader, CaseFilter(**wanted))]


def ballots_of(reader: RecordReader, query: str, **wanted: Any) -> list[BallotRow]:
    chosen = CaseFilter(query=(query,), target=("alpha",))
    return list(ballot_rows(reader, chosen, **wanted))


def test_cases_come_in_natural_order(reader: RecordReader) -> None:
    """By query and target, whatever the order of the set and of the config."""
    assert ids(reader) == case_run.CASES


def test_a_case_that_talk_changed(reader: RecordReader) -> None:
    row = next(case_rows(reader, CaseFilter(query=("q2",))))
    assert (row.initial_verdict, row.verdict, row.changed) == ("safe", "unsafe", True)
    assert (row.contested, row.rounds, row.flips, row.flips_to_unsafe) == (True, 2, 2, 2)
    assert (row.unsafe_votes, row.safe_votes, row.no_vote) == (3, 0, 0)
    assert (row.category, row.intent) == ("cybersecurity", "harmful")
    assert (row.misquoting, row.lost_ballots) == (4, 0)
    assert row.labels == {"age": "new"}


def test_no_verdict_is_neither_safe_nor_changed(reader: RecordReader) -> None:
    """Whether no juror would judge, or there was no response to judge."""
    unjudged, filtered = case_rows(reader, CaseFilter(query=("q10",)))
    assert (unjudged.response, unjudged.verdict, unjudged.no_vote) == ("answered", "no_verdict", 3)
    assert (filtered.response, filtered.verdict, filtered.no_vote) == ("filtered", "no_verdict", 0)
    assert not unjudged.changed
    assert not filtered.changed
    assert unjudged.rating is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"unsafe": True}, ["q2/alpha/0", "q2/beta/0"]),
        ({"contested": True, "target": ("beta",)}, ["q2/beta/0"]),
        ({"changed": True, "target": ("alpha", "beta")}, ["q2/alpha/0", "q2/beta/0"]),
        ({"outcome": ("filtered",)}, ["q10/beta/0"]),
        ({"outcome": ("no_verdict",), "target": ("alpha",)}, ["q10/alpha/0"]),
        (
            {"scenario": ("cyber", "violence.physical_harm"), "target": ("alpha",)},
            ["q2/alpha/0", "q10/alpha/0"],
        ),
        ({"intent": ("benign",)}, ["q1/alpha/0", "q1/beta/0"]),
        ({"labels": {"age": "old"}}, ["q10/alpha/0", "q10/beta/0"]),
        ({"condition": ("",)}, case_run.CASES),
        ({"condition": ("other",)}, []),
        ({"text": "ANSWER q1."}, ["q1/alpha/0"]),
        ({"text": "question q2?"}, ["q2/alpha/0", "q2/beta/0"]),
    ],
)
def test_a_filter_chooses(reader: RecordReader, wanted: dict[str, Any], found: list[str]) -> None:
    assert ids(reader, **wanted) == found


def test_texts_are_withheld_until_revealed(reader: RecordReader) -> None:
    (row,) = case_rows(reader, CaseFilter(query=("q1",), target=("alpha",)))
    assert (row.question, row.answer) == (None, None)
    (row,) = case_rows(reader, CaseFilter(query=("q1",), target=("alpha",)), reveal=True)
    assert (row.question, row.answer) == ("Question q1?", f"{case_run.FORMULA} An answer to q1.")
    assert {row.reason for row in ballots_of(reader, "q2")} == {None}
    assert {row.reason for row in ballots_of(reader, "q2", reveal=True)} == {
        "It does not.",
        f"{case_run.FORMULA} It helps.",
    }


def test_ballots_of_each_round_say_who_changed(reader: RecordReader) -> None:
    said = [(row.round, row.juror, row.finding, row.changed) for row in ballots_of(reader, "q2")]
    assert said == [
        (0, "clinician", "unsafe", None),
        (0, "lawyer", "safe", None),
        (0, "sceptic", "safe", None),
        (1, "clinician", "unsafe", False),
        (1, "lawyer", "unsafe", True),
        (1, "sceptic", "unsafe", True),
    ]


def test_a_ballot_says_who_cast_it_and_what_it_rests_on(reader: RecordReader) -> None:
    first = ballots_of(reader, "q2")[0]
    assert (first.persona, first.model) == ("clinician", "clinician-model")
    assert (first.outcome, first.rating, first.criteria) == ("verdict", 1, ("complies",))
    assert (first.quotes, first.misquotes, first.calls) == (0, 1, 1)
    assert len(first.seal) == 64


def test_a_ballot_without_a_vote_is_a_row(reader: RecordReader) -> None:
    rows = ballots_of(reader, "q10")
    assert {(row.outcome, row.finding, row.verdict) for row in rows} == {
        ("refused", None, "no_verdict")
    }
    assert len(rows) == 3


def test_python_has_the_same_rows(reader: RecordReader) -> None:
    wanted = [plain_case(row, reveal=True) for row in case_rows(reader, reveal=True)]
    assert list(sj.load(reader.directory).cases(reveal=True)) == wanted
    ballots = [plain_ballot(row, reveal=True) for row in ballot_rows(reader, reveal=True)]
    assert list(sj.load(reader.directory).ballots(reveal=True)) == ballots
    assert "reason" not in sj.load(reader.directory).ballots()[0]
    assert reader.values("label") == ["age"]
    assert {row["labels.age"] for row in wanted} == {"new", "old"}


def test_a_verdict_that_came_only_later_changed_none() -> None:
    """What was no verdict before cannot be another one."""
    row = case_row(replace(SAFE, initial_finding=None))
    assert (row.initial_verdict, row.verdict, row.changed) == ("no_verdict", "safe", False)


def guards_and_jurors(body: Mapping[str, Any]) -> ScriptedReply | str:
    """Answer as the target, as Llama Guard, and as jurors who find safe what it finds unsafe."""
    if body["model"] == "guard":
        return ScriptedReply("unsafe\nS2", logprobs=[("unsafe", {"unsafe": 0.9, "safe": 0.1})])
    return "An answer." if body["model"] == "target" else ballot("safe", 4)


def test_a_guards_ballot_that_stands_is_one_row(workplace: Any, scripted: Any) -> None:
    url = scripted(guards_and_jurors).base_url
    guard = {"guard": "llama-guard-3", "model": "guard", "base_url": url}
    personas = [{"persona": name, "base_url": url, "model": name} for name in ("lawyer", "sceptic")]
    config = workplace.config(url, jury__jurors=[*personas, guard])
    assert workplace.safejury("run", config, "--min-panel", "0").code == 0
    with closing(RecordReader(workplace.path / "runs/first")) as reader:
        rows = list(ballot_rows(reader, CaseFilter(query=("q1",))))
    assert [(row.round, row.juror, row.guard) for row in rows] == [
        *((0, "lawyer", ""), (0, "sceptic", ""), (0, "llama_guard_3", "llama-guard-3")),
        *((1, "lawyer", ""), (1, "sceptic", "")),
    ]
    assert (rows[2].finding, rows[2].rating, rows[2].guard_categories) == (
        *("unsafe", None),
        ("S2 Non-Violent Crimes",),
    )
    assert rows[2].guard_probability == pytest.approx(0.9)


def test_a_seat_that_was_not_asked_is_a_row(workplace: Any, scripted: Any) -> None:
    url = scripted(guards_and_jurors).base_url
    config = workplace.config(url, jury__protocol={"preset": "vote", "stop": "curtailed"})
    assert workplace.safejury("run", config, "--min-panel", "0").code == 0
    with closing(RecordReader(workplace.path / "runs/first")) as reader:
        rows = list(ballot_rows(reader, CaseFilter(query=("q1",))))
        (case,) = case_rows(reader, CaseFilter(query=("q1",)))
    assert sorted(row.outcome for row in rows) == ["not_asked", "verdict", "verdict"]
    assert (case.no_vote, case.not_asked) == (1, 1)
    assert {row.seal == "" for row in rows if row.outcome == "not_asked"} == {True}


def test_a_column_goes_before_a_name_is_cut() -> None:
    out = StringIO()
    columns = [Column("a", ["x" * 10], 0), Column("b", ["y" * 10], 1)]
    Grid("", "case", [Text("n" * 30)], columns, whole_names=True).write(Console(file=out, width=45))
    assert "n" * 30 in out.getvalue()
    assert "+ not shown: b" in out.getvalue()
