"""Writes the rows of workers into the record, as if this process had made them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from ... import deliberation
from ...deliberation import Entry
from ...models import Charge
from ..plan import RunPlan
from ..record import RunRecord, StoredEntry
from ..runner import CaseWatcher, Observer
from ..trials import CaseResult, Exchange, Trial
from ._giving import OnTheWay
from ._messages import (
    CallRow,
    ChargeRow,
    EntryRow,
    HoldRow,
    LeftRow,
    LetGoRow,
    MediumRow,
    PlacedRow,
    ResponseRow,
    ResultRow,
    Row,
)


@dataclass(slots=True)
class Outstanding:
    """What a worker has under way, as far as it was reported.

    Attributes:
        trials: Its trials by case, with their lanes.
        holds: What its calls hold: by its own number that of the record, and the call.
    """

    trials: dict[str, tuple[Trial, int]] = field(default_factory=dict[str, tuple[Trial, int]])
    holds: dict[int, tuple[int, HoldRow]] = field(default_factory=dict[int, tuple[int, HoldRow]])

    @property
    def unpriced(self) -> int:
        """Calls under way whose price is unknown."""
        return sum(row.usd is None for _, row in self.holds.values())


class RowWriter:
    """Writes rows into a run's record.

    Args:
        plan: The run.
        record: Its record.
        observer: Told of finished cases.
        watcher: Told of what happens in cases.
        on_the_way: Told which media are there.

    Attributes:
        finished: Finished cases.
    """

    def __init__(
        self,
        plan: RunPlan,
        record: RunRecord,
        observer: Observer | None,
        watcher: CaseWatcher | None,
        on_the_way: OnTheWay,
    ) -> None:
        self._record = record
        self._media = plan.media
        self._kept = {*plan.hosts, *plan.functions}
        self._observer = observer
        self._watcher = watcher
        self._on_the_way = on_the_way
        self._doubtful: list[tuple[Trial, CaseResult]] = []
        self.finished = 0

    def write(self, of: Outstanding, rows: Iterable[Row]) -> list[tuple[Trial, int, LeftRow]]:
        """Write rows of a worker, in order; return the cases that it left, with their lanes.

        Args:
            of: What the worker has under way; brought up to date.
            rows: The rows.
        """
        left = list[tuple[Trial, int, LeftRow]]()
        for row in rows:
            match row:
                case CallRow():
                    self._record.write_stored_call(row.call)
                case EntryRow():
                    self._record.write_stored_entry(row.entry)
                    self._tell(row.entry)
                case HoldRow():
                    held = Charge(row.tokens, row.usd)
                    number = self._record.hold(row.call_id, held, row.share)
                    of.holds[row.number] = number, row
                case LetGoRow():
                    self._record.let_go(of.holds.pop(row.number)[0])
                case ChargeRow():
                    self._record.charge(row.call_id, Charge(row.tokens, row.usd))
                case ResponseRow():
                    exchange = msgspec.json.decode(row.exchange, type=Exchange)
                    self._record.write_response(row.case_id, exchange)
                case MediumRow():
                    self._media.keep(row.content, row.media_type)
                case PlacedRow():
                    self._on_the_way.arrived(row.case_id)
                case ResultRow():
                    self._take_result(of, row)
                case LeftRow():
                    self.left(row.case_id)
                    left.append((*of.trials.pop(row.case_id), row))
        return left

    def _take_result(self, of: Outstanding, row: ResultRow) -> None:
        trial, _ = of.trials.pop(row.case_id)
        result = msgspec.json.decode(row.result, type=CaseResult)
        self.left(row.case_id)
        if row.doubtful:
            self._doubtful.append((trial, result))
        else:
            self._finish(trial, result)

    def charge_held(self, of: Outstanding) -> Charge:
        """Charge what calls of a worker that is gone held: nobody knows what they took."""
        total = Charge(0, 0.0)
        for number, row in of.holds.values():
            held = Charge(row.tokens, row.usd)
            self._record.let_go(number)
            self._record.charge(row.call_id, held)
            total += Charge(row.tokens, row.usd or 0.0)
        of.holds.clear()
        return total

    def finish_doubtful(self) -> None:
        """Write the results that count because no endpoint turned out to be down."""
        with self._record.together():
            for trial, result in self._doubtful:
                self._finish(trial, result)
        self._doubtful.clear()

    def left(self, case_id: str) -> None:
        """Tell that a case is no longer under way."""
        self._on_the_way.arrived(case_id)
        if self._watcher is not None:
            self._watcher.left(case_id)

    def _finish(self, trial: Trial, result: CaseResult) -> None:
        self._record.write_result(trial.case_id, result)
        if trial.target in self._kept:
            self._record.forget_response(trial.case_id)
        self.finished += 1
        if self._observer is not None:
            self._observer.case_finished(result)

    def _tell(self, entry: StoredEntry) -> None:
        if self._watcher is not None:
            kind: type[Entry] = getattr(deliberation, entry[2])
            self._watcher.heard(msgspec.json.decode(entry[3], type=kind))
