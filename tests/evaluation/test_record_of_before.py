"""A run that an earlier version recorded is still read.

`record_format_2/README.md` says what it holds.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

KEPT = Path(__file__).with_name("record_format_2")
SAID = {
    "table": ("first", "second", "The service is down."),
    "json": ('"cases_finished": 12', '"name": "record_format_2"'),
    "csv": ("first", "second"),
    "md": ("## Targets", "## first", "## second"),
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
    assert "Coverage is 67% for second, 83% for first" in ended.err
    assert "The juror lawyer kept only 75% of its ballots on second (2 lost" in ended.err
    for words in SAID[form]:
        assert words in ended.out


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
    listed = workplace.safejury("show", kept).out.split()
    assert len(listed) == 12
    for case in listed:
        assert workplace.safejury("show", kept, case).code == 0


def test_its_ballots_are_verified(workplace: Any, kept: str) -> None:
    ended = workplace.safejury("verify", kept)
    assert ended.code == 0, ended.out
    assert "12 cases as recorded, 0 changed." in ended.out


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
