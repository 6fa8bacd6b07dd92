"""The durable store of a run: one directory with a SQLite file and the media.

Rows are committed in groups, at most 0.25 s or 100 rows after they were written.
A process that is killed loses only what came after the last commit, and a case
without its last entry is heard again from the calls that were kept.
"""

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from ..datasets import Media, Query, RecordError, first_failure
from ..deliberation import CaseOpened, Entry
from ..models import Completion, Spending, redactor
from ._identity import differences
from ._portable import MEDIA, placed, portable
from ._rehearing import Rehearing, Row
from ._result import Answered, CaseResult
from ._unit import case_of

FORMAT = "2"
_GROUP_ROWS = 100
_GROUP_S = 0.25
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call_id TEXT, key TEXT, completion TEXT NOT NULL, PRIMARY KEY (call_id, key));
CREATE TABLE IF NOT EXISTS entries (
    case_id TEXT, number INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (case_id, number));
CREATE TABLE IF NOT EXISTS cases (
    case_id TEXT PRIMARY KEY, target TEXT NOT NULL, query_id TEXT NOT NULL, epoch INTEGER NOT NULL,
    scenario TEXT NOT NULL, intent TEXT NOT NULL, response_outcome TEXT NOT NULL,
    finding TEXT, rating REAL, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS charges (
    call_id TEXT NOT NULL, case_id TEXT NOT NULL, kind TEXT NOT NULL, tokens INTEGER NOT NULL,
    usd REAL);
CREATE TABLE IF NOT EXISTS answers (case_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
# A result without the last entry of its transcript was cut off between two commits.
_FINISHED = """
SELECT 1 FROM cases JOIN entries USING (case_id)
WHERE case_id = ? AND kind = 'VerdictAnnounced'
"""
_COUNT_FINISHED = """
SELECT count(*) FROM cases JOIN entries USING (case_id) WHERE kind = 'VerdictAnnounced'
"""
_WRITE = {
    # First: what was heard of a case before makes way for what is heard now.
    "restarts": ("DELETE FROM entries WHERE case_id IN ({})", "?"),
    "calls": ("INSERT OR REPLACE INTO calls VALUES {}", "(?, ?, ?)"),
    "charges": ("INSERT INTO charges VALUES {}", "(?, ?, ?, ?, ?)"),
    "entries": ("INSERT OR REPLACE INTO entries VALUES {}", "(?, ?, ?, ?)"),
    "answers": ("INSERT OR REPLACE INTO answers VALUES {}", "(?, ?)"),
    "cases": ("INSERT OR REPLACE INTO cases VALUES {}", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    "heard": ("DELETE FROM answers WHERE case_id IN ({})", "?"),
}
_AT_ONCE = 90  # rows a statement: every SQLite takes 999 values
_encoder = msgspec.json.Encoder()


class Record:
    """The open record of a run that this process writes; see `open_record`.

    It is the run's `Journal` too: calls that an earlier process made are found
    again by their id and the hash of their request.
    """

    def __init__(self, directory: Path, database: sqlite3.Connection, *, resumed: bool) -> None:
        self.directory = directory
        self.resumed = resumed
        self._database = database
        self._again = Rehearing(database, self._read)
        self._rows: list[tuple[str, Row]] = []
        self._fresh: dict[str, Answered] = {}  # not yet committed
        self._broken = False
        self._work = asyncio.Event()
        self._full = asyncio.Event()

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return what a call of an earlier process returned; see `Journal.find`."""
        if not self.resumed:
            return None
        found = self._one(
            "SELECT completion FROM calls WHERE call_id = ? AND key = ?", call_id, key
        )
        return None if found is None else msgspec.json.decode(found[0], type=Completion)

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Keep what a call returned; see `Journal.write`."""
        self._add("calls", (call_id, key, _text(completion)))

    def charge(self, call_id: str, guessed: Spending) -> None:
        """Keep what a call was charged by estimate: its reply, if any, does not say it."""
        row = (call_id, case_of(call_id), "estimated", guessed.tokens, guessed.usd)
        self._add("charges", row)

    def write_entry(self, entry: Entry) -> None:
        """Keep one entry of a transcript; a case's opening replaces an unfinished one.

        Entries of a case that is heard again are held back until `write_result`.
        """
        row = (entry.case_id, entry.number, type(entry).__name__, _text(portable(entry)))
        if entry.case_id in self._again:
            self._again.hold_back(entry.case_id, row)
            return
        if self.resumed and isinstance(entry, CaseOpened):
            self._add("restarts", (entry.case_id,))
        self._add("entries", row)

    def write_result(self, case_id: str, result: CaseResult) -> None:
        """Keep the result of a case, which is then finished.

        A case that was heard again keeps its former transcript and result if the new
        ones lack more, see `hear_failed_again`.
        """
        if case_id in self._again:
            entries = self._again.settle(case_id, result)
            if entries is None:
                return
            self._add("restarts", (case_id,))
            for entry in entries:
                self._add("entries", entry)
        row = (
            case_id,
            result.target,
            result.query_id,
            result.epoch,
            result.scenario,
            str(result.intent),
            str(result.response_outcome),
            None if result.finding is None else str(result.finding),
            result.rating,
            _text(result),
        )
        self._add("cases", row)

    def write_answer(self, case_id: str, answered: Answered) -> None:
        """Keep what a target returned until the jury has heard it.

        So responses can run ahead of the jury, and a target's server can go.
        """
        self._fresh[case_id] = answered
        self._add("answers", (case_id, _text(answered)))

    def answer(self, case_id: str) -> Answered | None:
        """Return what `write_answer` kept, None where nothing is kept."""
        if (fresh := self._fresh.get(case_id)) is not None:
            return fresh
        found = self._one("SELECT body FROM answers WHERE case_id = ?", case_id)
        if found is None:
            return None
        kept = msgspec.json.decode(found[0], type=Answered)
        return placed(kept, self.directory / MEDIA)

    def forget_answer(self, case_id: str) -> None:
        """Let go of what `write_answer` kept: the case's transcript has it now."""
        self._add("heard", (case_id,))

    def is_finished(self, case_id: str) -> bool:
        """Return whether an earlier process finished the case, and it stays finished."""
        if not self.resumed or case_id in self._again:
            return False
        return self._one(_FINISHED, case_id) is not None

    def count_finished(self) -> int:
        """Return how many cases earlier processes finished and need not be heard again."""
        return int(self._read(_COUNT_FINISHED + self._again.others())[0][0])

    def keep_media(self, query: Query) -> Query:
        """Copy a query's media into the run, once each, and point the query at the copies."""
        if not query.images and query.audio is None:
            return query
        images = tuple(self._keep(image) for image in query.images)
        audio = None if query.audio is None else self._keep(query.audio)
        return replace(query, images=images, audio=audio)

    def hear_failed_again(self) -> None:
        """Take finished cases for unfinished that failed calls or the budget cost something.

        These are cases whose response is an `error`, and those with a ballot that was
        lost in any round. What was found of them stays until they are finished anew, and
        for good where the new hearing lacks more than the old one.

        Raises:
            RecordError: The record cannot be changed.
        """
        try:
            self._again.choose()
        except sqlite3.Error as error:
            raise RecordError(
                f"{self.directory}: the record cannot be changed ({error})."
            ) from error

    async def flushed(self) -> None:
        """Wait while far more rows are waiting than one commit takes."""
        while len(self._rows) > 50 * _GROUP_ROWS:
            self._full.set()
            await asyncio.sleep(_GROUP_S / 10)

    def _keep(self, media: Media) -> Media:
        kept = self.directory / MEDIA / media.sha256
        if not kept.exists():
            part = kept.with_name(f"{media.sha256}.part")
            try:
                content = media.read()
                # Else another picture would lie under its name for good.
                if hashlib.sha256(content).hexdigest() != media.sha256:
                    raise RecordError(
                        f"{media.path}: changed since the dataset was read: repeat the command."
                    )
                part.write_bytes(content)
                os.replace(part, kept)
            except OSError as error:
                raise RecordError(f"{kept}: cannot keep a medium ({error.strerror}).") from None
        return replace(media, path=str(kept))

    def _one(self, query: str, *values: str) -> tuple[str, ...] | None:
        return next(iter(self._read(query, *values)), None)

    def _read(self, query: str, *values: str) -> list[tuple[str, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise RecordError(
                f"{self.directory}: the record cannot be read ({error}): restore record.sqlite "
                "from a copy, or give this run another run.name."
            ) from error

    def _add(self, table: str, row: Row) -> None:
        self._rows.append((table, row))
        self._work.set()
        if len(self._rows) >= _GROUP_ROWS:
            self._full.set()

    async def _commit_in_groups(self) -> None:
        try:
            while True:
                await self._work.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GROUP_S):
                        await self._full.wait()
                rows, self._rows = self._rows, []
                self._work.clear()
                self._full.clear()
                # Shielded: a commit that has begun in its thread cannot be called back.
                commit = asyncio.create_task(asyncio.to_thread(self._commit, rows))
                try:
                    await asyncio.shield(commit)
                    for table, row in rows:
                        if table == "answers":
                            self._fresh.pop(str(row[0]), None)
                except asyncio.CancelledError:
                    await commit
                    raise
        finally:
            self._commit(self._rows)

    def _commit(self, rows: list[tuple[str, Row]]) -> None:
        # After a lost group the next one would keep results without their transcripts.
        if not rows or self._broken:
            return
        try:
            with self._database:
                for table in _WRITE:
                    self._write(table, [row for name, row in rows if name == table])
        except sqlite3.Error as error:
            self._broken = True
            raise RecordError(
                f"{self.directory}: the record cannot be written ({error}). What was committed is "
                "safe: free some space or mend the directory, then repeat the command."
            ) from error

    def _write(self, table: str, rows: list[Row]) -> None:
        # Few statements of many rows: each one waits for the interpreter's lock, and
        # beside a busy loop a statement a row would be seconds behind.
        statement, places = _WRITE[table]
        for at in range(0, len(rows), _AT_ONCE):
            group = rows[at : at + _AT_ONCE]
            listed = ", ".join([places] * len(group))
            self._database.execute(statement.format(listed), list(chain.from_iterable(group)))


@asynccontextmanager
async def open_record(
    directory: Path, identity: Mapping[str, object], meta: Mapping[str, str]
) -> AsyncGenerator[Record, None]:
    """Open a run's record to write it: a new one, or the one to go on with.

    Args:
        directory: The run's directory; made if it is not there.
        identity: All that decides what a run's results mean, as plain data. A
            record that was made with another one is refused.
        meta: Further facts to keep, such as versions; the latest opening's stay.

    Raises:
        RecordError: The directory cannot be used, another process writes to it, or
            it was made with another configuration.
    """
    with _locked(directory):
        database, resumed = _open_database(directory, identity, meta)
        try:
            record = Record(directory, database, resumed=resumed)
            async with first_failure(), asyncio.TaskGroup() as group:
                committer = group.create_task(record._commit_in_groups())  # pyright: ignore[reportPrivateUsage]
                await asyncio.sleep(0)  # one that never began would not commit at its end
                try:
                    yield record
                finally:
                    committer.cancel()
        finally:
            database.close()


def _locked(directory: Path) -> AbstractContextManager[object]:
    try:
        (directory / MEDIA).mkdir(parents=True, exist_ok=True)
        return FileLock(directory / "run.lock", timeout=0).acquire()
    except Timeout:
        raise RecordError(
            f"{directory}: another process is writing to this run: wait for it to end, "
            "or give this one another run.name."
        ) from None
    except OSError as error:
        raise RecordError(
            f"{directory}: the run's directory cannot be written ({error.strerror}): "
            "choose another run.directory, or change its permissions."
        ) from None


def _open_database(
    directory: Path, identity: Mapping[str, object], meta: Mapping[str, str]
) -> tuple[sqlite3.Connection, bool]:
    path = directory / "record.sqlite"
    try:
        database = sqlite3.connect(path, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
        kept = dict(database.execute("SELECT key, value FROM meta").fetchall())
        resumed = "identity" in kept
        # Until a case is finished there is nothing that another configuration could
        # taint: calls are kept with a hash of their request.
        begun = resumed and _count_cases(database) > 0
    except sqlite3.Error as error:
        raise RecordError(f"{path}: not a record that can be written ({error}).") from None
    try:
        if resumed:
            _check_format(directory, kept["format"])
        if begun:
            _check_same_run(directory, kept["identity"], json.loads(json.dumps(identity)))
    except RecordError:
        database.close()
        raise
    now = {**meta, "format": FORMAT, "identity": json.dumps(identity)}
    try:
        with database:
            if not begun:
                database.execute("DELETE FROM entries")
            if resumed and json.loads(kept["identity"]) != json.loads(now["identity"]):
                # Unlike calls, they are not kept with a hash of what was asked.
                database.execute("DELETE FROM answers")
            # A target that failed is asked again.
            database.execute(
                "DELETE FROM answers WHERE json_extract(body, '$.response.outcome') = 'error'"
            )
            database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(now.items()))
    except sqlite3.Error as error:
        database.close()
        raise RecordError(f"{path}: the record cannot be written ({error}).") from None
    return database, resumed


def _count_cases(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM cases").fetchone()[0])


def _check_format(directory: Path, found: str) -> None:
    if found != FORMAT:
        raise RecordError(
            f"{directory}: the record has format {found}, this version knows {FORMAT}: "
            "give this run another run.name."
        )


def _check_same_run(directory: Path, kept: str, identity: object) -> None:
    changes = list(differences(json.loads(kept), identity))
    if changes:
        shown = "; ".join(changes[:3]) + (f"; and {len(changes) - 3} more" if changes[3:] else "")
        raise RecordError(
            f"{directory}: this run was begun with another configuration: {shown}. "
            "Change it back to go on, or give this run another run.name."
        )


def _text(data: object) -> str:
    # Words are evidence and stay exact, but for keys that a server may echo.
    return redactor.redact(_encoder.encode(data).decode(), patterns=False)
