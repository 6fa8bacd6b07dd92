"""Stands in for the record where a worker examines trials: collects its rows, in order."""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from ...datasets import Media, Query
from ...deliberation import CaseOpened, Entry
from ...models import Charge, Completion, Ledger
from ..record import StoredCall, as_stored, stored_call, stored_entry
from ..trials import CaseResult, Exchange
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

_MOST_BYTES = 4 << 20
"""Of one report, but for a row that is longer by itself."""


class StandIn(Ledger):
    """Collects what a record would have been given, until the driver takes it.

    Args:
        added: Called when a row was added.
    """

    def __init__(self, added: Callable[[], None]) -> None:
        self._added = added
        self._rows = deque[Row]()
        self._holds: dict[int, HoldRow] = {}  # those that the driver does not know yet
        self._number = 0
        self._calls: dict[str, dict[str, StoredCall]] = {}
        self._sent: dict[str, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def begin(self, case_id: str, calls: Iterable[StoredCall], media: Iterable[Media]) -> None:
        """Take in what the record keeps of a case.

        Args:
            case_id: The case's id.
            calls: Its calls.
            media: The media that the driver sent with it.
        """
        self._calls[case_id] = {call[0]: call for call in calls}
        self._sent[case_id] = frozenset(medium.sha256 for medium in media)

    def end(self, case_id: str) -> None:
        """Drop what `begin` took in."""
        self._calls.pop(case_id, None)
        self._sent.pop(case_id, None)

    def find(self, call_id: str, key: str) -> Completion | None:
        """Return the stored completion of a call; see `Journal.find`."""
        for calls in self._calls_near(call_id):
            found = calls.get(call_id)
            if found is not None and found[1] == key:
                return msgspec.json.decode(found[2], type=Completion)
        return None

    def _calls_near(self, call_id: str) -> Iterable[dict[str, StoredCall]]:
        name = call_id
        while name := name.rpartition("/")[0]:
            if calls := self._calls.get(name):
                yield calls

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        """Store the completion of a call; see `Journal.write`."""
        self._add(CallRow(stored_call(call_id, key, completion)))

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        """Store what a call in progress holds; see `Ledger.hold`."""
        self._number += 1
        held_row = HoldRow(self._number, call_id, held.tokens, held.usd, share)
        self._holds[self._number] = held_row
        return self._number

    def let_go(self, number: int) -> None:
        """Delete what `hold` stored; see `Ledger.let_go`."""
        if self._holds.pop(number, None) is None:
            self._add(LetGoRow(number))

    def charge(self, call_id: str, guessed: Charge) -> None:
        """Store a charge by estimate; see `Ledger.charge`."""
        self._add(ChargeRow(call_id, guessed.tokens, guessed.usd))

    def write_entry(self, entry: Entry) -> None:
        """Store an entry of a transcript, and the media that were made for it."""
        if isinstance(entry, CaseOpened):
            self._send_made(entry.case_id, Exchange(entry.case.query, entry.case.response))
        self._add(EntryRow(stored_entry(entry)))

    def write_response(self, case_id: str, exchange: Exchange) -> None:
        """Store a response until the jury has judged it."""
        self._send_made(case_id, exchange)
        self._add(ResponseRow(case_id, as_stored(exchange)))

    def note_placed(self, case_id: str) -> None:
        """Say that the media of a case are here."""
        self._add(PlacedRow(case_id))

    def keep_media(self, query: Query) -> Query:
        """Return the query: the driver has stored its media."""
        return query

    def finish(self, case_id: str, result: CaseResult, *, doubtful: bool) -> None:
        """Store the result of a case."""
        self._add(ResultRow(case_id, as_stored(result), doubtful))

    def leave(self, case_id: str, why: str, *, outage: bool, asked: bool) -> None:
        """Say that a case is left as if it had not been started."""
        self._add(LeftRow(case_id, why, outage, asked))

    def take(self) -> list[Row]:
        """Return the next rows, which are then the driver's."""
        rows: list[Row] = [*self._holds.values()]
        self._holds.clear()
        size = 0
        while self._rows and size < _MOST_BYTES:
            rows.append(self._rows.popleft())
            size += _size(rows[-1])
        return rows

    def _add(self, row: Row) -> None:
        self._rows.append(row)
        self._added()

    def _send_made(self, case_id: str, exchange: Exchange) -> None:
        """Send the media of an exchange that did not come from the driver."""
        sent, known = exchange.response.sent, self._sent.get(case_id, frozenset())
        made = () if sent is None else sent.media
        for medium in {one.sha256: one for one in made if one.sha256 not in known}.values():
            self._add(MediumRow(medium.media_type, medium.read()))


def _size(row: Row) -> int:
    match row:
        case CallRow():
            return len(row.call[2])
        case EntryRow():
            return len(row.entry[3])
        case MediumRow():
            return len(row.content)
        case ResponseRow():
            return len(row.exchange)
        case ResultRow():
            return len(row.result)
        case _:
            return 0
