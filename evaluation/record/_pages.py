"""Reads the finished cases of a record piece by piece, in the order in which they were finished."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from ...datasets import Media
from ...deliberation import CaseOpened, Entry
from ..trials import CaseResult

ENTRIES: dict[str, type[Entry]] = {kind.__name__: kind for kind in get_args(Entry)}
"""The entries of a transcript by their names in a record."""
_PLACES = "SELECT rowid FROM cases"
_RESULTS = """
SELECT case_id, result, json_extract(body, '$.case.response.latency_s')
FROM cases LEFT JOIN entries USING (case_id)
WHERE cases.rowid BETWEEN ? AND ? AND coalesce(number, 0) = 0 ORDER BY cases.rowid
"""
_OPENINGS = """
SELECT case_id, body FROM cases JOIN entries USING (case_id)
WHERE cases.rowid BETWEEN ? AND ? AND number = 0 ORDER BY cases.rowid
"""
_HEADS = "SELECT case_id, result, {head} FROM cases WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
_TRANSCRIPT = "SELECT kind, body FROM entries WHERE case_id = ? ORDER BY number"
_LATENCIES = """
SELECT target, json_extract(result, '$.condition'),
       json_extract(body, '$.case.response.latency_s')
FROM cases JOIN entries USING (case_id) WHERE number = 0
"""
Rows = Callable[..., Iterator[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """A finished case, with all that was said in it.

    Attributes:
        result: Its result.
        entries: Its transcript.
        head: The head of its chain, None where an earlier version recorded it.
    """

    result: CaseResult
    entries: tuple[Entry, ...]
    head: str | None

    @property
    def media(self) -> tuple[Media, ...]:
        """Its pictures and sounds: those of the query, and those that were sent instead."""
        case = next((entry.case for entry in self.entries if isinstance(entry, CaseOpened)), None)
        if case is None:
            return ()
        sent = case.response.sent
        return tuple(dict.fromkeys((*case.query.media, *(() if sent is None else sent.media))))


class CasePages:
    """The finished cases of a record by place: 0 is the one that was finished first.

    Args:
        rows: Runs a query with its values.
        decoder: Returns what decodes stored JSON into a type, told the case's id.
        chained: Whether the record has a column for heads of chains.
    """

    def __init__(self, rows: Rows, decoder: Callable[[Any], Any], *, chained: bool) -> None:
        self._rows = rows
        self._decoder = decoder
        self._head = "head" if chained else "NULL"
        # 8 bytes a case: that is all that is kept of any.
        self._places = array("q", sorted(int(place) for (place,) in rows(_PLACES)))

    def __len__(self) -> int:
        return len(self._places)

    def results(self, start: int, stop: int) -> Iterator[tuple[CaseResult, float | None]]:
        """Yield the results from `start` up to `stop`, each with its target's seconds.

        These are None where nothing was measured, as for recorded responses.
        """
        decode = self._decoder(CaseResult)
        for case_id, stored, seconds in self._between(_RESULTS, start, stop):
            yield decode(case_id, stored), _measured(seconds)

    def openings(self, start: int, stop: int) -> Iterator[CaseOpened]:
        """Yield what opened each case from `start` up to `stop`."""
        decode = self._decoder(CaseOpened)
        for case_id, body in self._between(_OPENINGS, start, stop):
            yield decode(case_id, body)

    def cases(self, start: int, stop: int) -> Iterator[RecordedCase]:
        """Yield the cases from `start` up to `stop` with their transcripts."""
        decode_result = self._decoder(CaseResult)
        decoders = {name: self._decoder(kind) for name, kind in ENTRIES.items()}
        for case_id, stored, head in self._between(_HEADS.format(head=self._head), start, stop):
            said = self._rows(_TRANSCRIPT, case_id)
            entries = (decoders[kind](case_id, body) for kind, body in said if kind in decoders)
            yield RecordedCase(decode_result(case_id, stored), tuple(entries), head)

    def latencies(self) -> dict[tuple[str, str], "array[float]"]:
        """Return the seconds of all responses, sorted, by target and condition.

        A target without a measured one is not among them.
        """
        found: dict[tuple[str, str], array[float]] = {}
        for target, condition, seconds in self._rows(_LATENCIES):
            if (measured := _measured(seconds)) is not None:
                found.setdefault((target, condition or ""), array("d")).append(measured)
        return {group: array("d", sorted(seconds)) for group, seconds in found.items()}

    def _between(self, query: str, start: int, stop: int) -> Iterator[tuple[Any, ...]]:
        places = self._places[start:stop]
        return self._rows(query, places[0], places[-1]) if places else iter(())


def _measured(seconds: object) -> float | None:
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
