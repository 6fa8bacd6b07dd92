"""Copies the rows of runs into the record of the merged one."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ...metrics import TOKENS_USED
from ...trials import case_of
from ._choice import Choice, Report, told_apart
from ._source import Source

_COLUMNS = (
    "case_id, target, query_id, epoch, scenario, intent, response_outcome, finding, rating, result"
)
_CASES = f"SELECT {_COLUMNS}, {{head}} FROM cases ORDER BY case_id"
_ENTRIES = """
SELECT case_id, number, kind, body FROM entries JOIN cases USING (case_id)
ORDER BY case_id, number
"""
_CALLS = "SELECT call_id, key, completion FROM calls ORDER BY call_id, key"
_ONE_CALL = f"""
SELECT {TOKENS_USED}, json_extract(completion, '$.cost_usd') FROM calls
WHERE call_id = ? AND key = ?
"""
_KEPT_CALL = "SELECT completion FROM calls WHERE call_id = ? AND key = ?"
_ANSWERS = "SELECT case_id, body FROM answers ORDER BY case_id"
_SERVERS = "SELECT life, server, gpus, seconds, usd FROM servers"
_AT_ONCE = 500
_ADD_SERVER = """
INSERT INTO servers VALUES (?, ?, ?, ?, ?) ON CONFLICT (life) DO UPDATE
SET seconds = max(seconds, excluded.seconds), usd = max(usd, excluded.usd)
"""
Row = tuple[Any, ...]


class Copying:
    """Copies what runs have into a record, within one transaction of the caller.

    Args:
        database: The record.
        choice: Of which run each case comes.
        sources: The runs.
        report: Told what is done.
    """

    def __init__(
        self, database: sqlite3.Connection, choice: Choice, sources: list[Source], report: Report
    ) -> None:
        self._database = database
        self._choice = choice
        self._sources = sources
        self._report = report

    def copy(self, facts: Mapping[str, str], *, into: bool) -> None:
        """Copy all rows.

        Args:
            facts: The facts of the merged run.
            into: Whether the first run is the record that is written.
        """
        for run, source in enumerate(self._sources):
            here = into and run == 0
            if not here:
                self._cases(run, source)
                self._calls(run, source)
                self._others(source)
            self._choice.charge(run, here=here)
        self._write("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", self._choice.charges())
        self._database.execute("DELETE FROM meta")
        self._write("INSERT INTO meta VALUES (?, ?)", facts.items())

    def _cases(self, run: int, source: Source) -> None:
        kept = source.reader.kept
        name = source.directory.name

        def taken() -> Iterator[Row]:
            number = 0
            for row in kept.rows(_CASES.format(head=kept.head)):
                if self._choice.is_of(row[0], run):
                    number += 1
                    if number % _AT_ONCE == 0:
                        self._report(f"merging {name}", number)
                    # Here it may be begun and not finished.
                    self._database.execute("DELETE FROM entries WHERE case_id = ?", row[:1])
                    self._database.execute("DELETE FROM answers WHERE case_id = ?", row[:1])
                    yield row

        self._write(f"INSERT INTO cases ({_COLUMNS}, head) VALUES ({_places(11)})", taken())
        entries = kept.rows(_ENTRIES)
        self._write("INSERT INTO entries VALUES (?, ?, ?, ?)", self._of(run, entries))
        self._report(f"merging {name}", source.new)

    def _of(self, run: int, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of the cases that come of a run; rows of one case follow each other."""
        last, is_taken = None, False
        for row in rows:
            if row[0] != last:
                last, is_taken = row[0], self._choice.is_of(row[0], run)
            if is_taken:
                yield row

    def _calls(self, run: int, source: Source) -> None:
        kept, choice = source.reader.kept, self._choice

        def taken() -> Iterator[Row]:
            last, head = None, None
            for row in kept.rows(_CALLS):
                call_id, key, completion = row
                case_id = case_of(call_id)
                if case_id != last:
                    last, head = case_id, choice.dropped(case_id, run)
                there = self._database.execute(_KEPT_CALL, (call_id, key)).fetchone()
                if there is not None and there[0] == completion:  # of a copy: it was paid once
                    if head is not None:
                        choice.know_copy(case_id, run)
                    continue
                if head is None and there is None:
                    yield row
                    continue
                # What was judged in vain, or asked on two machines, was spent all the same.
                kind = told_apart("forgotten", head or str(completion))
                for tokens, usd in kept.rows(_ONE_CALL, call_id, key):
                    choice.add_charge((call_id, case_id, kind, tokens, usd))

        self._write("INSERT OR IGNORE INTO calls VALUES (?, ?, ?)", taken())

    def _others(self, source: Source) -> None:
        kept = source.reader.kept
        if kept.has("servers"):
            self._write(_ADD_SERVER, kept.rows(_SERVERS))
        if kept.has("answers"):
            waiting = (
                row for row in kept.rows(_ANSWERS) if not self._choice.is_finished(str(row[0]))
            )
            self._write("INSERT OR IGNORE INTO answers VALUES (?, ?)", waiting)

    def _write(self, statement: str, rows: Iterable[Row]) -> None:
        left = iter(rows)
        while group := list(islice(left, _AT_ONCE)):
            self._database.executemany(statement, group)


def _places(number: int) -> str:
    return ", ".join("?" * number)
