"""The durable store of a run: one directory with a SQLite file and the media.

Rows are committed in groups, within 0.25 s and 100 rows after they were written.
A process that is killed loses only what came after the last commit, and a case
without its last entry is heard again from the calls that were kept.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from ...assembly.servers import Uptime
from ...common import RecordError, first_failure
from ...common.files import replacing
from ...datasets import Media, Query, with_media
from ...deliberation import BallotsRevealed, CaseOpened, Entry, VerdictAnnounced
from ...models import Charge, Completion, redactor
from ..trials import CaseResult, Exchange, case_of
from ._chain import START, head, link
from ._file import RECORD, locked, open_database, unreadable
from ._group_commit import GroupCommit, Row
from ._portable import MEDIA, placed, portable
from ._reader import refuse_changed
from ._rehearing import Rehearing

T = TypeVar("T")

_CALL = "SELECT completion FROM calls WHERE call_id = ? AND key = ?"
_ANSWER = "SELECT case_id, body FROM answers WHERE case_id = ?"
# A result without the last entry of its transcript was cut off between two commits.
_FINISHED = """
SELECT 1 FROM cases JOIN entries USING (case_id)
WHERE case_id = ? AND kind = 'VerdictAnnounced'
"""
_COUNT_FINISHED = """
SELECT count(*) FROM cases JOIN entries USING (case_id) WHERE kind = 'VerdictAnnounced'
"""
_LEAST_ROW = "SELECT coalesce(min(rowid), 0) FROM charges"
_WRITE = {
    # First: what was heard of a case before makes way for what is heard now.
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
    "heard": ("DELETE FROM answers WHERE case_id IN ({})", "?"),
}
_MOST_LOST = 0.01
"""Of a limit: what calls hold together that a process which is killed may not have kept."""
_encoder = msgspec.json.Encoder()


class Record:
    """The open record of a run that this process writes; see `open_record`.

    It is the run's `Journal` too: calls that an earlier process made are found
    again by their id and the hash of their request. And it is its `Ledger`: what calls
    hold that were under way when a process was killed, the next one charges.
    """

    def __init__(
        self, directory: Path, database: sqlite3.Connection, commits: GroupCommit, *, resumed: bool
    ) -> None:
        self.directory = directory
        self.resumed = resumed
        self._database = database
        self._again = Rehearing(database, self._read)
        self._commits = commits
        self._links: dict[str, bytes] = {}  # the last of each case under way
        self._last: dict[str, Row] = {}  # last entries, which go with their results
        self._holds = int(database.execute(_LEAST_ROW).fetchone()[0])

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return what a call of an earlier process returned; see `Journal.find`.

        Raises:
            RecordError: What the call would return could not be kept.
        """
        self._commits.check()
        found = self._one(_CALL, call_id, key) if self.resumed else None
        return None if found is None else self._decoded(found[0], Completion, f"call {call_id!r}")

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Keep what a call returned; see `Journal.write`."""
        self._commits.add(("calls", (call_id, key, _text(completion))))

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Keep what a call under way holds; see `Ledger.hold`.

        Raises:
            RecordError: It cannot be kept, so that the call must not be made.
        """
        self._holds -= 1  # below all others: SQLite numbers its own above them
        row = (self._holds, call_id, case_of(call_id), held.tokens, held.usd)
        self._commits.hold("holds", row, risk=share / _MOST_LOST)
        return self._holds

    def let_go(self, number: int) -> None:
        """Take back what `hold` kept; see `Ledger.let_go`."""
        self._commits.let_go("ended", number)

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Keep what a call was charged by estimate: its reply, if any, does not say it."""
        row = (call_id, case_of(call_id), "estimated", guessed.tokens, guessed.usd)
        self._commits.add(("charges", row))

    def keep_uptime(self, uptime: Uptime) -> None:
        """Keep what a managed server took until now, in the place of what it took before."""
        row = (uptime.life, uptime.server, uptime.gpus, uptime.seconds, uptime.usd)
        self._commits.add(("servers", row))

    def write_entry(self, entry: Entry) -> None:
        """Keep one entry of a transcript; a case's opening replaces an unfinished one.

        The last entry is held back until `write_result`, and so are all entries of a case
        that is heard again.
        """
        body = _text(portable(entry))
        row = (entry.case_id, entry.number, type(entry).__name__, body)
        before = self._links.get(entry.case_id, START) if entry.number else START
        self._links[entry.case_id] = link(before, *row)
        if entry.case_id in self._again:
            self._again.hold_back(entry.case_id, row)
        elif isinstance(entry, VerdictAnnounced):
            self._last[entry.case_id] = row
        elif isinstance(entry, CaseOpened) and self.resumed:
            self._commits.add(("restarts", (entry.case_id,)), ("entries", row))
        else:
            self._commits.add(("entries", row))

    def write_result(self, case_id: str, result: CaseResult) -> None:
        """Keep the result of a case, which is then finished.

        A case that was heard again keeps its former transcript and result if the new
        ones lack more, see `hear_failed_again`.
        """
        rows: list[tuple[str, Row]] = []
        linked, last = self._links.pop(case_id, START), self._last.pop(case_id, None)
        if case_id in self._again:
            entries = self._again.settle(case_id, result)
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
            _text(result),
        )
        self._commits.add(*rows, ("cases", (*row, head(linked, row))))

    def write_answer(self, case_id: str, exchange: Exchange) -> None:
        """Keep what a target returned until the jury has heard it.

        So responses can run ahead of the jury, and a target's server can go.
        """
        self._commits.add(("answers", (case_id, _text(exchange))))

    def answer(self, case_id: str) -> Exchange | None:
        """Return what `write_answer` kept, None where nothing is kept."""
        found = self._commits.waiting("answers", case_id) or self._one(_ANSWER, case_id)
        if found is None:
            return None
        kept = self._decoded(found[-1], Exchange, f"the response of the case {case_id!r}")
        return placed(kept, self.directory / MEDIA)

    def forget_answer(self, case_id: str) -> None:
        """Let go of what `write_answer` kept: the case's transcript has it now."""
        self._commits.add(("heard", (case_id,)))

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
        return with_media(query, self._keep)

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

    def _keep(self, media: Media) -> Media:
        kept = self.directory / MEDIA / media.sha256
        if not kept.exists():
            try:
                content = media.read()
                # Else another picture would lie under its name for good.
                if hashlib.sha256(content).hexdigest() != media.sha256:
                    raise RecordError(
                        f"{media.path}: changed since the dataset was read: repeat the command."
                    )
                with replacing(kept, private=True) as file:
                    file.write(content)
            except OSError as error:
                raise RecordError(f"{kept}: cannot keep a medium ({error.strerror}).") from None
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
    directory: Path, identity: Mapping[str, object], meta: Mapping[str, str]
) -> AsyncGenerator[Record, None]:
    """Open a run's record to write it: a new one, or the one to go on with.

    Args:
        directory: The run's directory; made if it is not there.
        identity: All that decides what a run's results mean, as plain data. A
            record that was made with another one is refused.
        meta: Further facts to keep, such as versions; the latest opening's stay.

    Raises:
        RecordChangedError: The record is not as it was written.
        RecordError: The directory cannot be used, another process writes to it, it was
            made with another configuration, or what is written cannot be kept any more.
    """
    with locked(directory):
        refuse_changed(directory)  # before anything is paid, and before this hides it
        database, resumed = open_database(directory, identity, meta)
        try:
            commits = GroupCommit(directory / RECORD, database, _WRITE)
            record = Record(directory, database, commits, resumed=resumed)
            async with first_failure(), asyncio.TaskGroup() as group:
                watching = group.create_task(commits.watch())
                await asyncio.sleep(0)  # one that never began would not commit at its end
                try:
                    yield record
                finally:
                    watching.cancel()
        finally:
            database.close()


def _text(data: object) -> str:
    # Words are evidence and stay exact, but for keys that a server may echo.
    text = _encoder.encode(data).decode()
    if not redactor.knows(text):
        return text
    hidden = redactor.redact_fields(data)
    if isinstance(hidden, BallotsRevealed):  # the seals are of what is kept
        hidden = replace(hidden, seals=tuple(ballot.seal() for ballot in hidden.ballots))
    return _encoder.encode(hidden).decode()
