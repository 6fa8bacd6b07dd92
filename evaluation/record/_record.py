"""Writes the record of a run: a directory with a SQLite file and the media.

Rows are committed in groups, within 0.25 s and 100 rows after they were written.
A killed process loses only what came after the last commit, and a case without its
last entry is judged again from the calls that were kept.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from ...assembly.servers import Uptime
from ...common import DatasetError, RecordError, first_failure
from ...datasets import Media, Query, with_media
from ...datasets.media import MediaBytes, is_copied
from ...deliberation import CaseOpened, Entry, TalkAudited, VerdictAnnounced
from ...models import Charge, Completion, Ledger
from ..trials import CaseResult, Exchange, case_of
from ._chain import START, head, link
from ._file import RECORD, locked, open_database, unreadable
from ._group_commit import GroupCommit, Row
from ._media import MEDIA, placed
from ._meta import SEALED
from ._retried import RetriedCases
from ._unchanged import Grow, looked_at
from .growth import Grown
from .postgres import refuse_copy
from .stored import SoleDriver, StoredCall, StoredEntry, as_stored, stored_call, stored_entry

T = TypeVar("T")

_CALL = "SELECT completion FROM calls WHERE call_id = ? AND key = ?"
_CALLS_OF = "SELECT call_id, key, completion FROM calls WHERE call_id >= ? AND call_id < ?"
_ANSWER = "SELECT case_id, body FROM answers WHERE case_id = ?"
# Both are committed together, but by earlier versions: a result without the last entry of its
# transcript was cut off between two commits.
_FINISHED = {
    True: "FROM cases WHERE true",
    False: "FROM cases JOIN entries USING (case_id) WHERE kind = 'VerdictAnnounced'",
}
"""SQL for the finished cases, by whether every one of the run has a chain, as was checked."""
_ENTRIES = "SELECT case_id, number, kind, body FROM entries WHERE case_id = ?"
_CASE = "SELECT * FROM cases WHERE case_id = ?"
_IS_SEALED = f"SELECT 1 FROM meta WHERE key = '{SEALED}' AND value = 'yes'"
_LEAST_ROW = "SELECT coalesce(min(rowid), 0) FROM charges"
WRITE = {
    # First: the earlier transcript of a case makes way for the new one.
    "restarts": ("DELETE FROM entries WHERE case_id IN ({})", "?"),
    "calls": ("INSERT OR REPLACE INTO calls VALUES {}", "(?, ?, ?)"),
    "charges": ("INSERT INTO charges VALUES {}", "(?, ?, ?, ?, ?)"),
    "holds": (
        "INSERT INTO charges (rowid, call_id, case_id, kind, tokens, usd) VALUES {}",
        "(?, ?, ?, 'open', ?, ?)",
    ),
    "ended": ("DELETE FROM charges WHERE rowid IN ({})", "?"),
    "servers": ("INSERT OR REPLACE INTO servers VALUES {}", "(?, ?, ?, ?, ?)"),
    "entries": ("INSERT OR REPLACE INTO entries VALUES {}", "(?, ?, ?, ?)"),
    "answers": ("INSERT OR REPLACE INTO answers VALUES {}", "(?, ?)"),
    "cases": ("INSERT OR REPLACE INTO cases VALUES {}", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    "judged": ("DELETE FROM answers WHERE case_id IN ({})", "?"),
}
"""By table, how its rows are written, in this order; see `GroupCommit`."""
_MOST_LOST = 0.01
"""Of a limit: what calls hold together that a process which is killed may not have kept."""
_OPENED, _ANNOUNCED, _AUDITED = (
    kind.__name__ for kind in (CaseOpened, VerdictAnnounced, TalkAudited)
)


class Record(SoleDriver, Ledger):
    """Writes the record of a run; see `open_record`.

    It is also the run's `Journal`: calls of an earlier process are found again by their
    id and the hash of their request. And it is its `Ledger`: what calls in progress held
    when a process was killed is charged by the next one.
    """

    def __init__(
        self,
        directory: Path,
        database: sqlite3.Connection,
        commits: GroupCommit,
        *,
        resumed: bool,
        grown: Grown | None = None,
    ) -> None:
        self.directory = directory
        self.resumed = resumed
        self.unasked = 0 if grown is None else grown.unasked  # finished, asked no more
        self.left = () if grown is None else grown.left  # targets that the config has no more
        self._database = database
        self._retried = RetriedCases(database, self._read)
        self._commits = commits
        self._links: dict[str, bytes] = {}  # the last of each case under way
        self._last: dict[str, Row] = {}  # last entries, which go with their results
        self._holds = int(database.execute(_LEAST_ROW).fetchone()[0])
        self._finished = _FINISHED[database.execute(_IS_SEALED).fetchone() is not None]

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return the completion of a call by an earlier process; see `Journal.find`.

        Raises:
            RecordError: A completion could not be stored.
        """
        self._commits.check()
        found = self._one(_CALL, call_id, key) if self.resumed else None
        return None if found is None else self._decoded(found[0], Completion, f"call {call_id!r}")

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Store the completion of a call; see `Journal.write`."""
        self.write_stored_call(stored_call(call_id, key, completion))

    def write_stored_call(self, call: StoredCall) -> None:
        """Store the completion of a call that `stored_call` returned."""
        self._commits.add(("calls", call))

    def stored_calls(self, case_id: str) -> list[StoredCall]:
        """Return the calls of a case that are committed, those of this process included."""
        # Of a case whose id only begins alike it has calls too, which nobody will look for.
        found = self._read(_CALLS_OF, f"{case_id}/", f"{case_id}0")  # "0" follows "/"
        return cast("list[StoredCall]", found)

    def together(self) -> AbstractContextManager[None]:
        """Commit all that is written within the block together, or nothing of it."""
        return self._commits.together()

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Store the charge that a call in progress holds; see `Ledger.hold`.

        Raises:
            RecordError: It cannot be stored, so the call must not be made.
        """
        self._holds -= 1  # below all others: SQLite numbers its own above them
        row = (self._holds, call_id, case_of(call_id), held.tokens, held.usd)
        self._commits.hold("holds", row, risk=share / _MOST_LOST)
        return self._holds

    def let_go(self, number: int) -> None:
        """Delete what `hold` stored; see `Ledger.let_go`."""
        self._commits.let_go("ended", number)

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Store the estimated charge of a call whose reply, if any, reports no usage."""
        row = (call_id, case_of(call_id), "estimated", guessed.tokens, guessed.usd)
        self._commits.add(("charges", row))

    def keep_uptime(self, uptime: Uptime) -> None:
        """Store the time of a managed server up to now, replacing the earlier value."""
        row = (uptime.life, uptime.server, uptime.gpus, uptime.seconds, uptime.usd)
        self._commits.add(("servers", row))

    def write_entry(self, entry: Entry) -> None:
        """Store an entry of a transcript; the opening of a case replaces an unfinished one.

        The last entry is held back until `write_result`, and so are all entries of a
        retried case. A talk audit is added to a case that is finished.
        """
        self.write_stored_entry(stored_entry(entry))

    def write_stored_entry(self, entry: StoredEntry) -> None:
        """Store an entry that `stored_entry` returned; see `write_entry`."""
        case_id, number, kind, _ = entry
        if kind == _AUDITED:
            self._add_to_finished(entry)
            return
        begun = case_id in self._links  # by a worker that was lost
        before = self._links.get(case_id, START) if number else START
        self._links[case_id] = link(before, *entry)
        if case_id in self._retried:
            self._retried.hold_back(case_id, entry)
        elif kind == _ANNOUNCED:
            self._last[case_id] = entry
        elif kind == _OPENED and (self.resumed or begun):
            self._commits.add(("restarts", (case_id,)), ("entries", entry))
        else:
            self._commits.add(("entries", entry))

    def write_result(self, case_id: str, result: CaseResult) -> None:
        """Store the result of a case, which is then finished.

        A retried case keeps its earlier transcript and result if the new ones lack more,
        see `retry_failed`.
        """
        rows: list[tuple[str, Row]] = []
        linked, last = self._links.pop(case_id, START), self._last.pop(case_id, None)
        if case_id in self._retried:
            entries = self._retried.settle(case_id, result)
            if entries is None:
                return
            rows += [("restarts", (case_id,)), *(("entries", entry) for entry in entries)]
        elif last is not None:
            rows.append(("entries", last))
        row = (
            case_id,
            result.target,
            result.query_id,
            result.epoch,
            result.scenario,
            str(result.intent),
            str(result.response_outcome),
            None if result.finding is None else str(result.finding),
            None if result.rating is None else float(result.rating),
            as_stored(result),
        )
        self._commits.add(*rows, ("cases", (*row, head(linked, row))))

    async def settle(self) -> None:
        """Commit all that was written, for those who read the record beside this.

        Raises:
            RecordError: It cannot be.
        """
        self.commit()

    def commit(self) -> None:
        """Commit all that was written; see `settle`.

        Raises:
            RecordError: It cannot be.
        """
        self._commits.commit()
        self._commits.check()

    def _add_to_finished(self, entry: tuple[str, int, str, str]) -> None:
        """Add an entry to a finished case, or replace it; its chain then binds this one as well."""
        case_id, number, *_ = entry
        self.commit()  # what is linked below must be there
        rows = self._entries_of(case_id) | {number: entry}
        last = START
        for at in sorted(rows):
            last = link(last, *rows[at])
        *row, kept = self._case_of(case_id)
        bound = head(last, row) if kept else kept  # an earlier version kept no chain
        self._amend(entry, (*row, bound))

    def _amend(self, entry: StoredEntry, case: Row) -> None:
        """Store an entry of a finished case, and the case's row with the chain that binds it."""
        self._commits.add(("entries", entry), ("cases", case))

    def _entries_of(self, case_id: str) -> dict[int, StoredEntry]:
        """Return the transcript of a finished case by number."""
        rows = cast("list[StoredEntry]", self._read(_ENTRIES, case_id))
        return {row[1]: row for row in rows}

    def _case_of(self, case_id: str) -> Row:
        """Return the row of a finished case."""
        case = self._one(_CASE, case_id)
        if case is None:
            raise RecordError(f"{self.directory}: the case {case_id!r} is not finished.")
        return case

    def write_response(self, case_id: str, exchange: Exchange) -> None:
        """Store a response until the jury has judged it.

        So responses can run ahead of the jury, and a target's server can stop.
        """
        self._commits.add(("answers", (case_id, as_stored(exchange))))

    def response(self, case_id: str) -> Exchange | None:
        """Return what `write_response` stored, None if there is nothing."""
        found = self._commits.waiting("answers", case_id) or self._one(_ANSWER, case_id)
        if found is None:
            return None
        kept = self._decoded(found[-1], Exchange, f"the response of the case {case_id!r}")
        return placed(kept, self.directory / MEDIA)

    def forget_response(self, case_id: str) -> None:
        """Delete what `write_response` stored: the case's transcript has it now."""
        self._commits.add(("judged", (case_id,)))

    def finished(self, case_ids: Sequence[str]) -> Collection[str]:
        """Return those of some cases that earlier processes finished and that are not retried."""
        if not self.resumed:
            return ()
        these = f"AND case_id IN ({', '.join('?' * len(case_ids))})"
        found = self._read(f"SELECT case_id {self._finished} {these}", *case_ids)
        return {case_id for (case_id,) in found if case_id not in self._retried}

    def count_finished(self) -> int:
        """Count the cases that earlier processes finished and that are not retried."""
        others = self._retried.others()
        return int(self._read(f"SELECT count(*) {self._finished} {others}")[0][0])

    def keep_media(self, query: Query) -> Query:
        """Copy a query's media into the run, and return the query with the copies' paths.

        It may be called in a thread, since files take their time.
        """
        return with_media(query, self._keep)

    def retry_failed(self, asked: Iterable[str]) -> None:
        """Mark finished cases that lost a response or a ballot for a retry.

        These are cases whose response is an `error`, and those with a ballot that was
        lost in any round. Their results stay until they are finished again, and for good
        where the retry lacks more than the earlier attempt.

        Args:
            asked: The ids of all cases that the config asks; read where it asks not all.

        Raises:
            RecordError: The record cannot be changed.
        """
        try:
            self._retried.choose(asked if self.unasked else None)
            self._forget_empty()
        except sqlite3.Error as error:
            raise RecordError(
                f"{self.directory}: the record cannot be changed ({error})."
            ) from error

    def _forget_empty(self) -> None:
        self._retried.forget_empty()

    def _keep(self, media: Media) -> Media:
        kept = self.directory / MEDIA / media.sha256
        if not is_copied(media, kept):
            try:
                MediaBytes.of(media).copy(media, kept)
            except DatasetError as error:  # another picture would lie under its name for good
                raise RecordError(f"{error}.") from None
            except OSError as error:
                raise RecordError(
                    f"{kept}: cannot store a medium ({error.strerror}): free some space or fix the "
                    "directory, then repeat the command."
                ) from None
        return replace(media, path=str(kept))

    def _decoded(self, stored: object, kind: type[T], what: str) -> T:
        try:
            return msgspec.json.decode(cast("str | bytes", stored), type=kind)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise unreadable(self.directory, what, error) from None

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


@asynccontextmanager
async def open_record(
    directory: Path,
    identity: Mapping[str, object],
    meta: Mapping[str, str],
    *,
    grow: Grow | None = None,
) -> AsyncGenerator[Record, None]:
    """Open a run's record for writing: a new one, or that of the run to resume.

    Args:
        directory: The run's directory; created if missing.
        identity: All settings that determine a run's results, as plain data. A record
            with another identity is refused.
        meta: Further facts to store, such as versions; those of the latest opening
            replace earlier ones.
        grow: Says what is stored where the run was begun with another identity, which is
            refused without.

    Raises:
        RecordChangedError: The record was changed.
        RecordError: The directory cannot be used, another process writes to it, it
            belongs to another configuration, or rows cannot be written any more.
    """
    with locked(directory):
        refuse_copy(directory, "set run.record, or give this run another run.name")
        # Before anything is paid, and before this hides a change.
        grown = await looked_at(directory, grow)
        database, resumed = open_database(directory, identity, meta, grown)
        try:
            commits = GroupCommit(directory / RECORD, database, WRITE)
            record = Record(directory, database, commits, resumed=resumed, grown=grown)
            async with first_failure(), asyncio.TaskGroup() as group:
                watching = group.create_task(commits.watch())
                await asyncio.sleep(0)  # one that never began would not commit at its end
                try:
                    yield record
                finally:
                    watching.cancel()
        finally:
            database.close()
