"""Rows that another process made are stored as if this one had: whole groups, and no case twice."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from safejury.common import RecordError
from safejury.deliberation import Entry
from safejury.evaluation import RecordReader, open_record
from safejury.evaluation.record import RunRecord, stored_call, stored_entry
from safejury.evaluation.trials import CaseResult
from safejury.models import Charge, Completion


class _Case:
    """A case of a finished run, to be written once more."""

    def __init__(self, run: Path) -> None:
        with closing(RecordReader(run)) as reader:
            self.id = next(reader.case_ids())
            self.entries: Sequence[Entry] = reader.entries(self.id)
            self.result: CaseResult = reader.result(self.id)

    def write(self, record: RunRecord, *, entries: int | None = None) -> None:
        for entry in self.entries[:entries]:
            record.write_stored_entry(stored_entry(entry))
        record.write_stored_call(stored_call(f"{self.id}/target", "key", Completion("Yes", "stop")))


def _lose_group(record: RunRecord, case: _Case) -> None:
    with record.together():
        for _ in range(100):
            case.write(record)
        raise RecordError("lost")


async def test_a_group_that_fails_leaves_nothing(finished_run: Path, tmp_path: Path) -> None:
    case = _Case(finished_run)
    async with open_record(tmp_path / "run", {}, {}) as record:
        with pytest.raises(RecordError, match="lost"):
            _lose_group(record, case)
        assert record.stored_calls(case.id) == []
        with record.together():
            case.write(record)
        record.commit()
        ((call_id, key, _),) = record.stored_calls(case.id)
        assert (call_id, key) == (f"{case.id}/target", "key")


async def test_what_a_call_holds_is_stored_though_nothing_else_is_written(tmp_path: Path) -> None:
    """A group was just written as the call began, and it takes longer than a process may live."""
    async with open_record(tmp_path / "run", {}, {}) as record:
        record.write("a/target", "key", Completion("Yes", "stop"))
        number = record.hold("b/target", Charge(700, 0.5), 0.001)
        for each in range(99):  # which makes a group
            record.write(f"c{each}/target", "key", Completion("Yes", "stop"))
        with closing(sqlite3.connect(tmp_path / "run" / "record.sqlite")) as database:
            held = "SELECT tokens FROM charges WHERE kind = 'open'"
            assert database.execute("SELECT count(*) FROM calls").fetchone() == (100,)
            async with asyncio.timeout(20):
                while database.execute(held).fetchall() != [(700,)]:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        record.let_go(number)


async def test_a_case_that_begins_anew_has_its_second_transcript_alone(
    finished_run: Path, tmp_path: Path
) -> None:
    """The worker that began it was lost, and the second one says less."""
    case = _Case(finished_run)
    async with open_record(tmp_path / "run", {}, {}) as record:
        case.write(record, entries=-1)
        case.entries = [case.entries[0], case.entries[-1]]
        record.commit()
        case.write(record)
        record.write_result(case.id, case.result)
    with closing(sqlite3.connect(tmp_path / "run" / "record.sqlite")) as database:
        kinds = [kind for (kind,) in database.execute("SELECT kind FROM entries ORDER BY number")]
    assert kinds == ["CaseOpened", "VerdictAnnounced"]
