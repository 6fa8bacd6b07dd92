"""`safejury runs`: what is there, without touching it."""

import csv
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from shown_run import make_run
from workplace import Workplace

from safejury.common import RecordError
from safejury.evaluation import RecordReader, open_record
from safejury.evaluation.record.postgres import driven, keep_current
from safejury.testing import ScriptedServer

IDENTITY = {"jury": {"protocol": "vote"}, "run": {"seed": 7}, "targets": [{"name": "later"}]}
META = {"version": "1", "name": "going", "protocol": "vote", "total": "3", "jury": "[]"}


@pytest.fixture
def run(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Path:
    return make_run(workplace, scripted)


def listed(workplace: Workplace, *arguments: str) -> dict[str, dict[str, Any]]:
    ended = workplace.safejury("runs", *arguments, "--format", "json")
    assert ended.code == 0, ended.err
    return {each["run"]: each for each in json.loads(ended.out)}


def spent(run: Path) -> int:
    """Return the tokens that a report says a run took."""
    with closing(RecordReader(run)) as reader:
        return reader.run_cost().total.tokens


async def test_each_run_is_listed_with_its_state(workplace: Workplace, run: Path) -> None:
    folder = run.parent
    assert workplace.safejury("export", str(run), "--shareable", "runs/copy").code == 0
    shutil.copytree(run, folder / "stopped")
    with closing(sqlite3.connect(folder / "stopped/record.sqlite")) as database, database:
        database.execute("DELETE FROM cases WHERE query_id = 'q1'")
    shutil.copytree(run, folder / "newer")
    with closing(sqlite3.connect(folder / "newer/record.sqlite")) as database, database:
        database.execute("UPDATE meta SET value = '3' WHERE key = 'format'")
    (folder / "garbled").mkdir()
    (folder / "garbled/record.sqlite").write_bytes(b"no database" * 99)
    (folder / "notes").mkdir()
    (folder / ".first.merging").mkdir()
    shutil.copy(run / "record.sqlite", folder / ".first.merging")
    (folder / "elsewhere").symlink_to(shutil.copytree(run, workplace.path / "outside"))
    async with open_record(folder / "going", IDENTITY, META) as record:
        found = listed(workplace)
        record.commit()  # nobody was in its way
    states = {Path(name).name: each["state"] for name, each in found.items()}
    assert states == {
        "first": "finished",
        "copy": "copy",
        "stopped": "unfinished",
        "newer": "other format",
        "garbled": "unreadable",
        "going": "running",
    }
    first, going = found["runs/first"], found["runs/going"]
    assert (first["cases"], first["verdicts"]) == workplace.stored(
        "SELECT count(*), count(finding) FROM cases"
    )[0]
    assert first["cases"] == first["planned"] == found["runs/stopped"]["planned"]
    assert (going["cases"], going["planned"], going["targets"]) == (0, 3, ["later"])
    assert first["targets"] == ["eager", "careful"]
    assert first["tokens"] == spent(run)
    assert first["began"] is not None
    assert first["bytes_media"] == sum(file.stat().st_size for file in (run / "media").iterdir())
    assert "not a record that can be read" in found["runs/garbled"]["problem"]
    assert found["runs/newer"]["cases"] is None


def test_the_table_and_csv_say_the_same(workplace: Workplace, run: Path) -> None:
    shutil.copytree(run, run.parent / "evil\x1b]0;x\x07[bold]")
    rows = workplace.safejury("runs", "--sort", "name", "--format", "csv").out
    assert [row["state"] for row in csv.DictReader(io.StringIO(rows))] == ["finished"] * 2
    table = workplace.safejury("runs", "--sort", "size")
    assert table.code == 0
    assert "\x1b" not in table.out
    assert "[bold]" in table.out
    assert "2 runs, " in table.out
    assert "not shown" in table.out


def test_a_run_may_be_named_itself_and_is_listed_once(workplace: Workplace, run: Path) -> None:
    assert list(listed(workplace, str(run), "runs")) == [str(run)]


def test_without_a_run_or_a_folder_it_says_so(workplace: Workplace) -> None:
    workplace.safejury("runs").refused("runs: there is no such folder")
    Path("runs").mkdir()
    assert workplace.safejury("runs").err == "No run in runs.\n"
    assert workplace.safejury("runs", "--format", "json").out == "[]\n"


def test_nothing_of_a_run_is_changed_by_listing_it(workplace: Workplace, run: Path) -> None:
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    written = os.stat(run / "record.sqlite").st_mtime_ns
    listed(workplace)
    kept = {file: content for file, content in before.items() if "-shm" not in file.name}
    assert {file: file.read_bytes() for file in kept} == kept
    assert os.stat(run / "record.sqlite").st_mtime_ns == written


def in_a_database(run: Path) -> None:
    """Let a run's record be in a database that does not answer."""
    said = {"url": "postgresql://nobody@127.0.0.1:9/none?connect_timeout=9", "run": "first"}
    (run / "record.postgres.json").write_text(json.dumps(said))


def test_a_run_in_a_database_is_listed_as_it_was_copied_last(
    workplace: Workplace, run: Path
) -> None:
    """Whether the database answers or not; nobody takes its state for that of all drivers."""
    alone = workplace.safejury("runs").out
    assert "*:" not in alone
    in_a_database(run)
    found = listed(workplace)["runs/first"]
    assert (found["state"], found["problem"]) == ("finished", None)
    assert found["database"] == "postgresql://nobody@127.0.0.1:9/none"
    table = workplace.safejury("runs").out
    assert "finished *" in table
    assert "as it was copied last" in " ".join(table.split())
    (run / "record.postgres.json").write_text("{}")
    found = listed(workplace)["runs/first"]
    assert (found["state"], found["database"]) == ("unreadable", None)


def test_listing_leaves_the_copy_of_a_run_to_the_driver_in_the_same_process(
    workplace: Workplace, run: Path
) -> None:
    in_a_database(run)
    with driven(run):
        listed(workplace)
        keep_current(run)  # else it would ask the database
    with pytest.raises(RecordError):
        keep_current(run)
