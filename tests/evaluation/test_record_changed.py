"""Whoever changes a run's record is found out: `verify`, `report` and `show` name the case."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from terminal import Terminal

from safejury.evaluation.report import StoredRun
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
KEPT = Path(__file__).with_name("record_format_2")
OF_BALLOTS = "WHERE case_id = 'q1/examined/0' AND kind = 'BallotsRevealed'"
OF_CASE = "WHERE case_id = 'q1/examined/0'"
CHANGES = {
    "a finding": f"UPDATE cases SET finding = 'safe' {OF_CASE}",
    "a rating": f"UPDATE cases SET rating = 5.0 {OF_CASE}",
    "a finding and its result": "UPDATE cases SET finding = 'safe', "
    f"result = json_set(result, '$.finding', 'safe') {OF_CASE}",
    "a cost": f"UPDATE cases SET result = json_set(result, '$.calls', 1) {OF_CASE}",
    "a result that is none": f"UPDATE cases SET result = 'nothing' {OF_CASE}",
    "a row without its head": f"UPDATE cases SET head = NULL {OF_CASE}",
    "a row that went": f"DELETE FROM cases {OF_CASE}",
    "a response": "UPDATE entries SET body = json_set(body, '$.case.response.text', 'Other.') "
    f"{OF_CASE} AND number = 0",
    "a vote": f"UPDATE entries SET body = json_set(body, '$.ballots[0].rating', 4) {OF_BALLOTS}",
    "a vote that went": f"UPDATE entries SET body = json_remove(body, '$.ballots[0]') {OF_BALLOTS}",
    "a detail that no seal holds": "UPDATE entries "
    f"SET body = json_set(body, '$.ballots[0].calls', 9) {OF_BALLOTS}",
    "spacing alone": f"UPDATE entries SET body = body || ' ' {OF_BALLOTS}",
    "an entry that is none": f"UPDATE entries SET body = x'ff00' {OF_BALLOTS}",
    "an entry that went": f"DELETE FROM entries {OF_BALLOTS}",
    "an entry of another kind": f"UPDATE entries SET kind = 'SummedUp' {OF_BALLOTS}",
    "an entry moved": f"UPDATE entries SET number = 7 {OF_BALLOTS}",
    "an entry added": "INSERT INTO entries SELECT case_id, 9, kind, body FROM entries "
    f"{OF_BALLOTS}",
    "an announcement": "UPDATE entries SET body = json_set(body, '$.verdict.finding', 'safe') "
    f"{OF_CASE} AND kind = 'VerdictAnnounced'",
}


def change(run: str, sql: str) -> None:
    with closing(sqlite3.connect(f"{run}/record.sqlite")) as database, database:
        assert database.execute(sql).rowcount == 1, sql


@pytest.fixture
def run(workplace: Any, scripted: Start) -> str:
    """A run of three cases, the first with a picture; all its jurors find it unsafe."""
    Image.new("RGB", (8, 8)).save("p.png")
    workplace.queries(
        {"id": "q1", "scenario": "bias", "text": "?", "intent": "harmful", "image": "p.png"},
        {"id": "q10", "scenario": "bias", "text": "??", "intent": "harmful"},
        {"id": "q2", "scenario": "bias", "text": "???", "intent": "benign"},
    )

    def reply(body: Mapping[str, object]) -> str:
        return "An answer." if body["model"] == "target" else ballot("unsafe", 1)

    config = workplace.config(scripted(reply).base_url, targets__0__images=True)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    return "runs/first"


def digest(ended: Any) -> str:
    return ended.out.splitlines()[-1].removeprefix("SHA-256 of the run: ")


def test_a_record_that_nobody_changed(workplace: Any, run: str):
    """Its digest is the same in the report, and wherever the run lies."""
    verified = workplace.safejury("verify", run)
    assert verified.code == 0, verified.out
    assert "3 cases as recorded, 0 changed." in verified.out
    assert workplace.report()["run"]["record"] == {
        "sha256": digest(verified),
        "cases_without_chain": 0,
        "results_not_compared": 0,
    }
    shutil.move(run, "elsewhere")
    assert digest(workplace.safejury("verify", "elsewhere")) == digest(verified)


def test_each_change_is_found_and_its_case_is_named(workplace: Any, run: str):
    whole = digest(workplace.safejury("verify", run))
    for name, sql in CHANGES.items():
        shutil.copytree(run, name)
        change(name, sql)
        verified = workplace.safejury("verify", name)
        assert verified.code == 3, name
        assert verified.out.startswith("q1/examined/0: "), name
        assert "2 cases as recorded, 1 changed." in verified.out, name
        assert (digest(verified) == whole) == (name == "a row without its head"), name
        reported = workplace.safejury("report", name, "--format", "csv")
        reported.refused("1 case was changed", "q1/examined/0", code=3)
        assert reported.out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_that_the_record_is_checked(workplace: Any, run: str):
    """Also where the output goes elsewhere, which then has all changes."""
    change(run, CHANGES["a finding"])
    command = (sys.executable, "-P", "-m", "safejury", "verify", run)
    with Terminal(80, 24) as terminal:
        with Path(terminal.name).open("w") as screen:
            environment = {**os.environ, "TERM": "xterm-256color"}
            verified = subprocess.run(
                command, check=False, stdout=subprocess.PIPE, stderr=screen, env=environment
            )
        terminal.until_so(lambda: "Checking the record" in terminal.raw)
    assert verified.returncode == 3
    assert verified.stdout.startswith(b"q1/examined/0: ")
    assert b"2 cases as recorded, 1 changed." in verified.stdout


def test_figures_are_made_of_the_rows_that_were_checked(workplace: Any, run: str):
    """Also where somebody writes to the record, and beside it, between the two."""

    def figures(stored: StoredRun) -> list[object]:
        found = [stored.summary(), stored.comparability(), stored.failures(), stored.left_out]
        return [*found, stored.info, stored.facts]

    with closing(StoredRun(Path(run))) as stored:
        whole = figures(stored)
    with closing(StoredRun(Path(run))) as stored:
        assert not stored.integrity.is_changed
        change(run, CHANGES["a finding and its result"])
        response = "json_set(body, '$.case.response.outcome', 'error')"
        change(run, f"UPDATE entries SET body = {response} {OF_CASE} AND number = 0")
        change(run, "DELETE FROM cases WHERE case_id = 'q2/examined/0'")
        Path(run, "left_out.jsonl").write_text('{"target": "examined"}\n')
        assert figures(stored) == whole
    assert workplace.safejury("verify", run).code == 3


@pytest.mark.parametrize("form", ["table", "json", "csv", "md"])
def test_no_figure_comes_from_a_changed_record(form: str, workplace: Any, run: str):
    change(run, CHANGES["a finding"])
    reported = workplace.safejury("report", run, "--format", form)
    reported.refused("its figures cannot be trusted", "safejury verify runs/first", code=3)
    assert reported.out == ""


def test_a_changed_case_is_shown_with_a_warning(workplace: Any, run: str):
    change(run, CHANGES["a response"])
    for suffix in ("html", "svg", "md"):
        shown = workplace.safejury("show", run, "q1", "--reveal", "--export", f"case.{suffix}")
        assert shown.code == 3
        assert "this case was changed after it was recorded" in shown.err
        written = Path(f"case.{suffix}").read_text(encoding="utf-8").replace("&#160;", " ")
        assert "this case was changed after it was" in written
    assert workplace.safejury("show", run, "q2").code == 0


def test_an_export_names_the_head_of_its_case(workplace: Any, run: str):
    ((head,),) = workplace.stored("SELECT head FROM cases WHERE case_id = 'q1/examined/0'")
    for suffix in ("html", "svg", "md"):
        assert workplace.safejury("show", run, "q1", "--export", f"case.{suffix}").code == 0
        assert head in Path(f"case.{suffix}").read_text(encoding="utf-8")


def test_a_case_that_cannot_be_read_is_refused_in_one_line(workplace: Any, run: str):
    change(run, CHANGES["an entry that is none"])
    workplace.safejury("show", run, "q1").refused("q1/examined/0", "cannot be read", code=3)


def test_a_call_that_cannot_be_read_ends_a_run_in_one_line(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    with closing(sqlite3.connect("runs/first/record.sqlite")) as database, database:
        database.execute("DELETE FROM cases")
        database.execute("DELETE FROM entries")
        database.execute("UPDATE calls SET completion = 'nothing'")
    workplace.safejury("run", config).refused("runs/first", "cannot be read")


def test_media_that_were_changed_or_lost(workplace: Any, run: str):
    (kept,) = Path(run, "media").iterdir()
    with kept.open("ab") as file:
        file.write(b"more")
    changed = workplace.safejury("verify", run)
    assert (changed.code, changed.out.split(":")[0]) == (3, "q1/examined/0")
    assert "has different content" in changed.out
    kept.unlink()
    assert "cannot be read" in workplace.safejury("verify", run).out
    workplace.safejury("report", run).refused("q1/examined/0", "medium", code=3)


def test_a_case_that_is_gone_without_a_trace_changes_the_digest(workplace: Any, run: str):
    before = digest(workplace.safejury("verify", run))
    with closing(sqlite3.connect(f"{run}/record.sqlite")) as database, database:
        for table in ("cases", "entries"):
            database.execute(f"DELETE FROM {table} WHERE case_id = 'q10/examined/0'")
    verified = workplace.safejury("verify", run)
    assert verified.code == 0
    assert digest(verified) != before


def test_a_run_that_was_killed_has_cases_that_are_not_finished(workplace: Any, scripted: Start):
    server = scripted(latency=0.1)
    config = workplace.config(server.base_url, limits__concurrency=2)
    with workplace.start("run", config) as process:
        while server.stats.calls < 6 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    verified = workplace.safejury("verify", "runs/first")
    assert verified.code == 0, verified.out
    assert "not finished" in verified.out
    assert workplace.safejury("run", config).code == 0
    finished = workplace.safejury("verify", "runs/first")
    assert "3 cases as recorded, 0 changed." in finished.out
    assert "not finished" not in finished.out


def test_cases_that_were_heard_again_have_chains_of_their_own(workplace: Any, scripted: Start):
    """Those that the new hearing replaces, and those that it leaves as they were."""
    down = True

    def reply(body: Mapping[str, object]) -> ScriptedReply | str:
        if body["model"] == "lawyer-model" and (down or "Question q2" in str(body)):
            return ScriptedReply("The service is down.", status=500)
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url)
    lenient = ("--min-panel", "0", "--min-coverage", "0")
    assert workplace.safejury("run", config, *lenient).code == 0
    down = False
    assert workplace.safejury("run", config, "--retry-failed", *lenient).code == 0
    verified = workplace.safejury("verify", "runs/first")
    assert verified.code == 0, verified.out
    assert "3 cases as recorded, 0 changed." in verified.out


def test_a_record_of_an_earlier_version_is_compared_with_itself(workplace: Any):
    """It has no chain, but seals, and transcripts that give its results once more."""
    shutil.copytree(KEPT, "old")
    verified = workplace.safejury("verify", "old")
    assert verified.code == 0, verified.out
    assert "12 cases without a chain (recorded by an earlier version)" in verified.out
    found: dict[str, int] = {}
    for name, sql in CHANGES.items():
        if "head" not in sql:
            shutil.copytree(KEPT, name)
            change(name, sql.replace("q1/examined/0", "q1/first/0"))
            found[name] = workplace.safejury("verify", name).code
    unfound = {"a row that went", "a response", "a detail that no seal holds"}
    assert {name for name, code in found.items() if code != 3} == unfound | {"spacing alone"}
