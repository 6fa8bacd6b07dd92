"""Retries finished cases that lost a response or a ballot.

The earlier transcript and result of a case stay until the case is finished again, so that
neither a kill nor another outage can take a verdict away.
"""

import sqlite3
from collections.abc import Callable, Iterable

import msgspec

from ...common import RecordError
from ...models import Completion
from ...targets import ResponseOutcome
from ..metrics import TOKENS_USED
from ..trials import CaseResult
from ._ballots_by_juror import BALLOTS_OF, RevealedBallots, add_ballots_by_juror
from ._group_commit import Row

Read = Callable[..., list[tuple[str, ...]]]
"""Runs an SQL query with values and returns its rows."""

_CHOSEN = "CREATE TEMP TABLE again (case_id TEXT PRIMARY KEY) WITHOUT ROWID"
_CHOOSE = """
INSERT INTO temp.again
SELECT case_id FROM cases WHERE response_outcome = 'error'
UNION
SELECT case_id FROM cases JOIN entries USING (case_id), json_each(entries.body, '$.ballots')
WHERE entries.kind = 'BallotsRevealed'
    AND json_extract(json_each.value, '$.outcome') IN ('transport_error', 'budget_stop')
UNION
SELECT case_id FROM cases
WHERE json_extract(result, '$.decision') IN ('transport_error', 'budget_stop')
"""
_ASKED = "CREATE TEMP TABLE asked (case_id TEXT PRIMARY KEY) WITHOUT ROWID"
_TAKE = "INSERT OR IGNORE INTO temp.asked VALUES (?)"
_DROP = "DELETE FROM temp.again WHERE case_id NOT IN (SELECT case_id FROM temp.asked)"
# A kill may have left a reply next to the earlier error: only empty ones are asked for again.
_EMPTY = """
FROM calls JOIN cases ON call_id = case_id || '/target' JOIN temp.again USING (case_id)
WHERE response_outcome = 'error' AND is_empty(completion)
"""
# What they took was spent all the same.
_SPENT_EMPTY = f"""
SELECT call_id, case_id, 'forgotten', {TOKENS_USED}, json_extract(completion, '$.cost_usd')
{_EMPTY}
"""
_CHARGE_EMPTY = f"INSERT INTO charges {_SPENT_EMPTY}"
# An empty reply is an error, and was kept as a call: it would come again.
_FORGET_EMPTY = f"DELETE FROM calls WHERE call_id IN (SELECT call_id {_EMPTY})"


class RetriedCases:
    """The cases to retry: those that lost a response or a ballot to failed calls or the budget.

    Args:
        database: The record's, open for writing.
        read: Reads rows of it.
    """

    def __init__(self, database: sqlite3.Connection, read: Read) -> None:
        self._database = database
        self._read = read
        self._entries: dict[str, list[Row]] = {}  # of cases under way
        self._chosen = 0

    def choose(self, asked: Iterable[str] | None = None) -> None:
        """Choose the cases to retry.

        Args:
            asked: The only cases that are meant, None for all.
        """
        self._database.create_function("is_empty", 1, _is_empty)
        with self._database:
            self._database.execute(_CHOSEN)
            self._chosen = self._database.execute(_CHOOSE).rowcount
            if asked is not None:
                self._database.execute(_ASKED)
                self._database.executemany(_TAKE, ((case_id,) for case_id in asked))
                self._chosen -= self._database.execute(_DROP).rowcount

    def forget_empty(self) -> None:
        """Let the calls of the chosen cases be made again whose replies were empty."""
        with self._database:
            self._database.execute(_CHARGE_EMPTY)
            self._database.execute(_FORGET_EMPTY)

    def empty(self) -> list[Row]:
        """Return those calls, as they are to be charged for."""
        return self._database.execute(_SPENT_EMPTY).fetchall()

    def __contains__(self, case_id: str) -> bool:
        if not self._chosen:
            return False
        return bool(self._read("SELECT 1 FROM temp.again WHERE case_id = ?", case_id))

    def others(self) -> str:
        """Return an SQL condition that excludes the chosen cases, to follow a `WHERE` clause."""
        return " AND case_id NOT IN (SELECT case_id FROM temp.again)" if self._chosen else ""

    def hold_back(self, case_id: str, entry: Row) -> None:
        """Hold a row of the new transcript until the case is finished; the first begins anew."""
        if not entry[1]:
            self._entries.pop(case_id, None)
        self._entries.setdefault(case_id, []).append(entry)

    def settle(self, case_id: str, result: CaseResult) -> list[Row] | None:
        """Return the new transcript, None where the earlier one stays."""
        entries = self._entries.pop(case_id, [])
        return entries if _replaces(result, self._earlier(case_id)) else None

    def _earlier(self, case_id: str) -> CaseResult:
        ((result,),) = self._read("SELECT result FROM cases WHERE case_id = ?", case_id)
        try:
            found = msgspec.json.decode(result, type=CaseResult)
            bodies = self._read(BALLOTS_OF, case_id)
            rounds = [msgspec.json.decode(body, type=RevealedBallots) for (body,) in bodies]
        except msgspec.MsgspecError as error:
            raise RecordError(
                f"the record's result of the case {case_id!r} cannot be read ({error}): restore "
                "record.sqlite from a copy"
            ) from None
        return add_ballots_by_juror(found, rounds)


def _is_empty(completion: str) -> bool:
    return msgspec.json.decode(completion, type=Completion).is_empty


def _replaces(new: CaseResult, old: CaseResult) -> bool:
    """Return whether a retry counts: it lacks nothing, or no more than the earlier attempt."""
    if _has_response(new) and not new.lost_ballots:
        return True
    return _worth(new) >= _worth(old)


def _worth(result: CaseResult) -> tuple[bool, bool, int]:
    return _has_response(result), result.finding is not None, -result.lost_ballots


def _has_response(result: CaseResult) -> bool:
    return result.response_outcome is not ResponseOutcome.ERROR
