"""Reads a run's record, for reports, replays and resuming."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ...common import RecordChangedError, RecordError
from ...deliberation import CaseOpened, Entry
from ..metrics import (
    CASE_OF,
    IS_OF_AUDIT,
    Estimated,
    RunCost,
    read_estimated,
    read_run_cost,
    read_total,
)
from ..trials import CaseResult, SkippedLists
from ._ballots_by_juror import BALLOTS_OF, RevealedBallots, add_ballots_by_juror
from ._deliberated import (
    ASKED,
    DISCUSSED,
    DISCUSSIONS,
    DISTINCT,
    GIVEN_UP,
    GROUPS,
    LABELS,
    OF_TARGET,
    OPENING,
    ROUNDS,
    SAID,
    TRANSCRIPT_OF,
    AskedCase,
    Deliberated,
    Discussion,
    QueryOf,
    ResponseOf,
    deliberated,
    describe_changed,
)
from ._file import FORMAT, open_read_only, record_in
from ._meta import Meta, RunData
from ._pages import ENTRIES, CasePages
from ._schema import HAS_TABLE, NATURAL, ORDERS, VALUES, check_schema, has_heads
from .growth import KeptCases
from .integrity import ChangedCase, CheckedCase, Integrity, Terms, check_record, helpers_for

if TYPE_CHECKING:
    from ..metrics import TargetResponse

T = TypeVar("T")
E = TypeVar("E", bound=Entry)

_CASES = """
SELECT case_id, target, query_id, epoch, scenario, intent, response_outcome, finding, rating,
       result, {head} FROM cases {where} ORDER BY {order}
"""
_RESULTS = "SELECT case_id, result FROM cases ORDER BY query_id, case_id"
_OF_KIND = "SELECT body FROM entries WHERE case_id = ? AND kind = ? ORDER BY number"
_TRANSCRIPTS = "SELECT case_id, number, kind, body FROM entries {where} ORDER BY case_id, number"
_NAMED = 3
"""Changed cases that an error names."""
_CALL_LIKE = "SELECT 1 FROM calls WHERE call_id GLOB ? LIMIT 1"
_CHARGES = "SELECT call_id, case_id, kind, tokens, usd FROM charges ORDER BY 1, 2, 3, 4, 5"
_UPTIMES = "SELECT life, server, gpus, seconds, usd FROM servers ORDER BY 1"


class RecordReader:
    """Reads a run's record, also while the run is in progress.

    It sees the record as of its opening, so figures come from the data that were checked,
    even if another process writes to the record meanwhile.

    Args:
        directory: The run's directory.

    Raises:
        RecordError: There is no readable record.
    """

    def __init__(self, directory: Path) -> None:
        path = record_in(directory)
        if not path.is_file():
            raise RecordError(
                f"{directory}: there is no run here: name the directory that holds record.sqlite."
            )
        try:
            self._database = open_read_only(path)
        except sqlite3.Error as error:
            raise RecordError(f"{path}: not a record that can be read ({error}).") from None
        try:
            self._database.execute("BEGIN")  # one view of all tables until it is closed
            check_schema(self._database, whole=True)
            self._chained = has_heads(self._database)
            found = dict(self._database.execute("SELECT key, value FROM meta").fetchall())
            self.meta = Meta.decode(found)
        except (sqlite3.Error, ValueError) as error:
            self.close()
            raise RecordError(f"{path}: not a record that can be read ({error}).") from None
        if self.meta.format != FORMAT:
            self.close()
            raise RecordError(
                f"{path}: has format {self.meta.format}, and this version reads {FORMAT}: read it "
                "with the version of safejury that wrote it, or give the run another run.name."
            )
        self._path = path
        for function in (CASE_OF, IS_OF_AUDIT, NATURAL):
            self._database.create_function(*function, deterministic=True)

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return self._path.parent

    @cached_property
    def left_out(self) -> SkippedLists:
        """What was skipped when files were read."""
        return SkippedLists(self._path.parent)

    def pages(self) -> CasePages:
        """Return the finished cases by their place."""
        return CasePages(self._rows, self._decoder, chained=self._chained)

    def results(self) -> Iterator[CaseResult]:
        """Yield the results of finished cases, sorted by query, so that repeats are adjacent."""
        decode, decode_round = self._decoder(CaseResult), self._decoder(RevealedBallots)
        for case_id, stored in self._rows(_RESULTS):
            result = decode(case_id, stored)
            if result.ballots and not result.by_juror:  # as an earlier version stored it
                bodies = self._rows(BALLOTS_OF, case_id)
                rounds = (decode_round(case_id, body) for (body,) in bodies)
                result = add_ballots_by_juror(result, rounds)
            yield result

    def deliberated(self) -> Iterator[Deliberated]:
        """Yield what the jury said in each finished case, sorted by query.

        Each case is checked against its chain as it is read, which is quicker than to check the
        whole record before.

        Raises:
            RecordChangedError: Something was changed; cases before it were yielded.
        """
        about = self.meta.problem(chained=self._chained)
        if about is not None:
            found = Integrity(0, 0, 0, 0, 0, 0, "", about)
            raise RecordChangedError(describe_changed(self.directory, (), found))

        def refuse(changed: ChangedCase) -> None:
            found = Integrity(0, 0, 0, 0, 0, 1, "")
            raise RecordChangedError(describe_changed(self.directory, (changed,), found))

        cases = self._rows(self._cases("", "query_id, case_id"))
        yield from deliberated(cases, self._transcript, self.check_case, refuse)

    def responses(self) -> "Iterator[TargetResponse]":
        """Yield the responses of finished cases, in no order."""
        from ..metrics import TargetResponse  # for a report, not for what begins a run

        decode = self._decoder(ResponseOf)
        for case_id, target, epoch, body in self._rows(ASKED):
            yield TargetResponse(target, epoch, decode(case_id, body).case.response)

    def asked(self, target: str, condition: str | None) -> Iterator[AskedCase]:
        """Yield the finished cases of a target, under a condition or all, sorted by query."""
        decode, decode_query = self._decoder(CaseResult), self._decoder(QueryOf)
        for case_id, stored in self._rows(OF_TARGET, target, condition):
            (body,) = next(self._rows(OPENING, case_id), (None,))
            yield AskedCase(decode(case_id, stored), decode_query(case_id, body).case.query)

    def groups(self) -> dict[tuple[str, str], int]:
        """Count the finished cases by target and condition."""
        return {(target, condition): n for target, condition, n in self._rows(GROUPS)}

    def label_names(self, target: str) -> list[str]:
        """Return the names of the labels that the queries of a target have."""
        return [name for (name,) in self._rows(LABELS, target)]

    def distinct(self) -> int:
        """Count the different questions among finished cases.

        A query in one epoch under one condition is one, whichever target it was put to.
        """
        return int(next(self._rows(DISTINCT))[0])

    def count_given_up(self) -> int:
        """Count the finished cases in which an attack found nothing to ask."""
        return int(next(self._rows(GIVEN_UP))[0])

    def counts(self) -> tuple[int, int]:
        """Count the finished cases, and those with a verdict."""
        row = next(self._rows("SELECT count(*), count(finding) FROM cases"))
        return int(row[0]), int(row[1])

    def has_call(self, like: str) -> bool:
        """Return whether the record has a call whose id matches a pattern of `*` and `?`."""
        return next(self._rows(_CALL_LIKE, like), None) is not None

    def case_ids(self, order: str = "query") -> Iterator[str]:
        """Yield the ids of finished cases in one of `ORDERS`: natural by query and target."""
        yield from (case_id for (case_id,) in self._rows(ORDERS[order]))

    def values(self, what: str, label: str = "") -> list[str]:
        """Return the different values of one of `VALUES`, sorted; or those of a label."""
        rows = self._rows(VALUES[what], *([label] if label else []))
        return sorted(str(value) for (value,) in rows)

    def result(self, case_id: str) -> CaseResult:
        """Return the result of a finished case, as it is stored."""
        row = next(self._rows("SELECT result FROM cases WHERE case_id = ?", case_id), None)
        if row is None:
            raise RecordError(f"{self._path.parent}: no finished case has the id {case_id!r}")
        return self._decoder(CaseResult)(case_id, row[0])

    def discussed(self) -> Iterator[tuple[str, str]]:
        """Yield the finished cases that were discussed, each with its query, in no order."""
        yield from ((str(case_id), str(query)) for case_id, query in self._rows(DISCUSSED))

    def discussions(self) -> Iterator[Discussion]:
        """Yield what was voted and said in the cases that were discussed, sorted by query."""
        for case_id, query, target, result in self._rows(DISCUSSIONS):
            said = tuple((str(kind), body) for kind, body in self._rows(SAID, case_id))
            yield Discussion(case_id, query, target, result, said)

    def rounds(self, kind: type[T]) -> Iterator[tuple[str, T]]:
        """Yield query and `BallotsRevealed` of each round, decoded as `kind`, sorted by query."""
        decode = self._decoder(kind)
        for case_id, query, body in self._rows(ROUNDS):
            yield query, decode(case_id, body)

    def entries_of(self, case_id: str, kind: type[E]) -> list[E]:
        """Return the entries of one kind in the transcript of a case."""
        decode = self._decoder(kind)
        return [decode(case_id, body) for (body,) in self._rows(_OF_KIND, case_id, kind.__name__)]

    @property
    def kept(self) -> KeptCases:
        """What is kept of its cases, to be compared with what is asked now."""
        return KeptCases(self._database)

    def entries(self, case_id: str) -> list[Entry]:
        """Return the transcript of a case, empty where there is none."""
        rows = self._rows(
            "SELECT kind, body FROM entries WHERE case_id = ? ORDER BY number", case_id
        )
        return [self._decoder(ENTRIES.get(kind, CaseOpened))(case_id, body) for kind, body in rows]

    def check(
        self,
        report: Callable[[ChangedCase], None],
        *,
        read_media: bool = False,
        media_may_be_gone: bool = False,
        helpers: int | None = None,
    ) -> Integrity:
        """Check that no case was changed; see `check_record`.

        Args:
            report: Called with each changed case.
            read_media: Whether to read and hash all media, which takes time, rather than
                only check that they exist.
            media_may_be_gone: Whether that is not checked either.
            helpers: Processes that help, None for as many as so many cases are worth.
        """
        return check_record(
            self._rows(self._cases("")),
            self._rows(_TRANSCRIPTS.format(where="")),
            self._run_data(),
            self._terms(read=read_media, gone=media_may_be_gone),
            report,
            helpers=helpers_for(self.counts()[0]) if helpers is None else helpers,
        )

    def check_case(self, case_id: str) -> CheckedCase:
        """Check that a case and its media were not changed."""
        where = "WHERE case_id = ?"
        return CheckedCase(
            case_id,
            next(self._rows(self._cases(where), case_id), None),
            self._rows(_TRANSCRIPTS.format(where=where), case_id),
            self._terms(read=True).media(),
            sealed=self.meta.sealed,
        )

    def _terms(self, *, read: bool, gone: bool = False) -> Terms:
        meta, directory = self.meta, bytes(self.directory.absolute())
        return Terms(directory, meta.sealed, meta.pruned_media, read, gone)

    def check_unchanged(self, *, media_may_be_gone: bool = False) -> Integrity:
        """Check all cases without reading media, and refuse a changed record.

        Args:
            media_may_be_gone: Whether a missing medium is no change.

        Raises:
            RecordChangedError: Something was changed; the error names the first cases.
        """
        changed: list[ChangedCase] = []
        found = self.check(
            lambda one: changed.append(one) if len(changed) < _NAMED else None,
            media_may_be_gone=media_may_be_gone,
        )
        if found.is_changed:
            raise RecordChangedError(describe_changed(self._path.parent, changed, found))
        return found

    def about(self) -> list[str]:
        """Return the facts on the run as a whole, as its digest binds them."""
        return self._run_data().read()[0]

    def _run_data(self) -> RunData:
        charges = self._rows(_CHARGES) if self._has_charges else ()
        servers = self._rows(_UPTIMES) if self._has_servers else ()
        return RunData(self.meta, self._chained, charges, servers, self.left_out.hashes)

    def _cases(self, where: str, order: str = "case_id") -> str:
        head = "head" if self._chained else "NULL"
        return _CASES.format(head=head, where=where, order=order)

    def total_cost(self) -> tuple[int, float, int]:
        """Return tokens, US dollars and calls of unknown price over all calls.

        Calls that were charged by estimate count with their charge.
        """
        return read_total(self._rows, has_charges=self._has_charges, has_servers=self._has_servers)

    def run_cost(self) -> RunCost:
        """Return the total cost of the run, and the parts that no target's figures include."""
        return read_run_cost(
            self._rows,
            has_charges=self._has_charges,
            limits=self.meta.limits,
            served=self.meta.served if self._has_servers else None,
            functions=self.meta.identity.get("functions", ()),
        )

    def estimated(self) -> dict[tuple[str, str] | None, Estimated]:
        """Return estimated charges by target and condition, for unfinished cases under None."""
        return read_estimated(self._rows) if self._has_charges else {}

    @property
    def _has_charges(self) -> bool:  # as not all versions that wrote records
        return self._has("charges")

    @property
    def _has_servers(self) -> bool:
        return self._has("servers")

    def _has(self, table: str) -> bool:
        return next(self._rows(HAS_TABLE, table), None) is not None

    def interrupt(self) -> None:
        """Let what is being read in another thread fail."""
        with suppress(sqlite3.Error):  # it may be closed
            self._database.interrupt()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _decoder(self, kind: type[T]) -> Callable[[str, Any], T]:
        decode = _decode_of(kind)

        def decoded(case_id: str, stored: Any) -> T:
            try:
                return decode(stored)
            except (msgspec.MsgspecError, RecursionError, TypeError, ValueError) as error:
                raise RecordChangedError(
                    f"{self._path.parent}: the case {case_id!r} cannot be read ({error}): "
                    f"restore {self._path.name} from a copy"
                ) from None

        return decoded

    def _transcript(self, case_id: str) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(TRANSCRIPT_OF, (case_id,)).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _rows(self, query: str, *values: str | int | None) -> Iterator[tuple[Any, ...]]:
        try:
            for row in self._database.execute(query, values):  # noqa: UP028 - not to close it
                yield row
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> RecordError:
        return RecordError(f"{self._path}: cannot be read ({error}); is it damaged?")


@cache
def _decode_of(kind: type[T]) -> Callable[[Any], T]:
    return msgspec.json.Decoder(kind).decode
