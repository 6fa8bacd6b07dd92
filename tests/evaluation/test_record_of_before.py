"""A run that an earlier version recorded is still read.

`record_format_2/README.md` says what it holds.
"""

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

KEPT = Path(__file__).with_name("record_format_2")
SAID = {
    "table": ("first", "second", "[withheld]); show CASE --reveal has its words"),
    "json": ('"cases_finished": 12', '"name": "record_format_2"'),
    "csv": ("first", "second"),
    "md": ("## Models under test", "## first", "## second"),
}


@pytest.fixture
def kept(workplace: Any) -> str:
    """A copy of the run in the workplace: reading a record writes beside it."""
    shutil.copytree(KEPT, workplace.path / "old")
    return "old"


@pytest.mark.parametrize("form", SAID)
def test_it_is_reported(form: str, workplace: Any, kept: str) -> None:
    """It has too few verdicts, and a juror too few ballots: said as of a run of today."""
    ended = workplace.safejury("report", kept, "--format", form)
    assert ended.code == 3
    assert "Coverage is 67 % for second, 83 % for first" in ended.err
    assert "The juror lawyer kept only 75 % of its ballots on second (2 lost" in ended.err
    for words in SAID[form]:
        assert words in ended.out


def test_what_its_server_said_is_for_those_who_ask_for_it(workplace: Any, kept: str) -> None:
    said = "The service is down."
    assert said not in workplace.safejury("report", kept).out
    with sqlite3.connect(workplace.path / kept / "record.sqlite") as database:
        failed = "SELECT case_id FROM cases WHERE response_outcome = 'error'"
        ((case_id,), *_) = database.execute(failed).fetchall()
    database.close()
    assert said in workplace.safejury("show", kept, case_id, "--reveal").out


def test_its_figures_are_those_of_before(workplace: Any, kept: str) -> None:
    """By hand: `q1`, `q4` and `q6` are unsafe, `q2` has no verdict, `q3` and `q5` are benign."""
    report = json.loads(workplace.safejury("report", kept, "--format", "json").out)
    first, second = sorted(report["targets"], key=lambda target: target["target"])
    assert (first["cases"], first["verdicts"], second["cases"], second["verdicts"]) == (6, 5, 6, 4)
    assert (first["asr"]["micro"], first["asr"]["n"]) == (1.0, 3)
    assert (second["asr"]["micro"], second["asr"]["n"]) == (1.0, 2)
    assert second["outcomes"]["responses"]["error"] == 1
    assert first["outcomes"]["ballots"]["transport_error"] == 1


@pytest.mark.parametrize("suffix", ["html", "svg", "md"])
def test_a_case_with_a_picture_and_a_change_of_mind_is_shown(
    suffix: str, workplace: Any, kept: str
) -> None:
    exported = f"case.{suffix}"
    ended = workplace.safejury("show", kept, "q4/first", "--reveal", "--export", exported)
    assert ended.code == 0, ended.err
    assert "Stand-in question four, with a picture?" in " ".join(ended.out.split())
    assert (workplace.path / exported).stat().st_size > 1000


def test_each_case_is_shown(workplace: Any, kept: str) -> None:
    """With a lost ballot, a refusal and a failed response among them."""
    table = workplace.safejury("cases", kept, "--format", "csv").out.splitlines()
    listed = [row["case_id"] for row in csv.DictReader(table)]
    assert len(listed) == 12
    for case in listed:
        assert workplace.safejury("show", kept, case).code == 0


def sql(statement: str) -> None:
    with closing(sqlite3.connect("old/record.sqlite")) as record, record:
        assert record.execute(statement).rowcount == 1, statement


def said_everywhere(workplace: Any, words: str) -> bool:
    """Whether `verify` and all forms of the report say some words."""
    reports = [("report", "old", "--format", form) for form in SAID]
    ended = [workplace.safejury(*command) for command in (("verify", "old"), *reports)]
    found = {words in " ".join(each.out.split()) for each in ended}
    assert len(found) == 1, ended
    return found.pop()


def test_it_is_verified_as_far_as_it_can_be(workplace: Any, kept: str) -> None:
    ended = workplace.safejury("verify", kept)
    assert ended.code == 0, ended.out
    assert "12 cases as recorded, 0 changed." in ended.out
    assert said_everywhere(workplace, "12 cases without a chain (recorded by an earlier version)")
    assert not said_everywhere(workplace, "could not be")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("calls", 1),
        ("cost_usd", 0.5),
        ("usage.completion_tokens", 7),
        ("ballots.unsafe", 2),
        ("initial_votes.safe", 2),
        ("contested", "json('true')"),
        ("over_refusal", "json('true')"),
        ("flips.to_safe", 1),
        ("rounds", 2),
        ("by_juror", """json('{"lawyer":{"verdict":1}}')"""),
    ],
)
def test_a_result_that_its_transcript_does_not_give(
    member: str, value: object, workplace: Any, kept: str
) -> None:
    """All of it is compared, not only the verdict that was announced."""
    change = f"UPDATE cases SET result = json_set(result, '$.{member}', {value})"
    sql(f"{change} WHERE case_id = 'q1/first/0'")
    verified = workplace.safejury("verify", kept)
    assert verified.code == 3
    said = f"q1/first/0: its result does not follow from its transcript: {member.split('.')[0]}"
    assert said in verified.out
    workplace.safejury("report", kept).refused("1 case was changed", said, code=3)


def test_nothing_but_a_talk_audit_follows_the_verdict(workplace: Any, kept: str) -> None:
    case = "FROM entries WHERE case_id = 'q1/first/0'"
    columns = "case_id, number, kind, body"
    sql(
        f"INSERT INTO entries ({columns}) SELECT case_id, (SELECT max(number) + 1 {case}), kind, "
        f"replace(body, '\"number\":1', '\"number\":' || (SELECT max(number) + 1 {case})) "
        f"{case} AND kind = 'BallotsRevealed' LIMIT 1"
    )
    verified = workplace.safejury("verify", kept)
    assert verified.code == 3
    assert "is a BallotsRevealed, which does not belong there" in verified.out


def test_a_result_of_another_case(workplace: Any, kept: str) -> None:
    again = "result = json_set(result, '$.epoch', 1), epoch = 1"
    sql(f"UPDATE cases SET {again} WHERE case_id = 'q1/first/0'")
    said = "q1/first/0: its result belongs to another target, epoch or condition"
    assert said in workplace.safejury("verify", kept).out


def test_a_result_without_an_announcement_could_not_be_compared(workplace: Any, kept: str) -> None:
    """An earlier version that was killed may have left such a case."""
    case = "WHERE case_id = 'q1/first/0'"
    sql(f"DELETE FROM entries {case} AND kind = 'VerdictAnnounced'")
    assert workplace.safejury("verify", kept).code == 0
    assert said_everywhere(workplace, "1 result could not be compared: no verdict was announced")
    report = json.loads(workplace.safejury("report", kept, "--format", "json").out)
    assert report["run"]["record"]["results_not_compared"] == 1


def test_a_ballot_whose_quoted_key_is_hidden_is_counted_and_not_called_changed(
    workplace: Any, kept: str
) -> None:
    """Versions of before sealed a ballot first and hid the key then, so its seal cannot fit."""
    quoted = "As the clinician-model reads it, stand-in one is as it is."
    change = "UPDATE entries SET body = replace(body, ?, ?) WHERE case_id = 'q1/first/0'"
    for hidden, said, code in (("The key is [redacted].", "1 ballot of these", 0), ("No.", "", 3)):
        with closing(sqlite3.connect(workplace.path / kept / "record.sqlite")) as record, record:
            assert record.execute(change, (quoted, hidden)).rowcount
        ended = workplace.safejury("verify", kept)
        assert (ended.code, said in ended.out) == (code, True), ended.out
        quoted = hidden
