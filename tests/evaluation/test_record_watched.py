"""Whoever looks at a run from outside knows what becomes of it, and is not noticed."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from workplace import Workplace

from safejury.common import RecordError
from safejury.evaluation import open_record
from safejury.evaluation.record import is_being_written, mark_of
from safejury.testing import ScriptedServer

IDENTITY = {"jury": {"protocol": "vote"}, "run": {"seed": 7}}
META = {"version": "1", "name": "first", "protocol": "vote", "total": "3", "jury": "[]"}


async def test_a_run_is_known_to_be_written_while_it_is(tmp_path: Path) -> None:
    run = tmp_path / "first"
    assert not is_being_written(run)
    assert not run.exists()
    async with open_record(run, IDENTITY, META):
        assert is_being_written(run)
    assert not is_being_written(run)


async def test_a_run_begins_while_it_is_looked_at(tmp_path: Path) -> None:
    """To look at a lock is to hold it for a moment."""
    run = tmp_path / "first"
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            is_being_written(run)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(12):
            async with open_record(run, IDENTITY, META):
                pass
    finally:
        done.set()
        looking.join()


def test_the_states_of_a_run_are_told_apart(
    workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    run = Path("runs/first")
    assert mark_of(run) is None
    config = workplace.config(scripted().base_url, run__epochs=2)
    assert workplace.safejury("run", config, "--limit", "1").code == 0
    first = mark_of(run)
    assert first is not None
    assert (first.cases, first.planned) == (2, 2)
    assert mark_of(run) == first
    with sqlite3.connect(run / "record.sqlite") as database:
        # As a case is finished anew: none is added, and none is the last as before.
        database.execute("INSERT OR REPLACE INTO cases SELECT * FROM cases WHERE rowid = 2")
    database.close()
    again = mark_of(run)
    assert again is not None
    assert (again.cases, again.file, again.facts) == (2, first.file, first.facts)
    assert again != first


def test_what_is_no_record_is_told_apart_from_none(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "record.sqlite").close()
    assert mark_of(tmp_path) is None
    tmp_path.joinpath("record.sqlite").write_text("something else " * 100)
    with pytest.raises(RecordError, match="not a record"):
        mark_of(tmp_path)
