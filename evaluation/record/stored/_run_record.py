"""What a run needs of its record, whatever keeps it."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ....assembly.models import CallStore
from ....assembly.servers import Uptime
from ....datasets import Query
from ....deliberation import Entry
from ....models import Budget
from ...trials import CaseResult, Exchange
from ._rows import StoredCall, StoredEntry


class TrialRecord(CallStore, Protocol):
    """What is needed to examine trials, by a process that need not own the record.

    Of its methods none waits, but for `keep_media`, which is called in a thread.
    """

    def write_entry(self, entry: Entry) -> None:
        """Store an entry of a transcript."""
        ...

    def write_response(self, case_id: str, exchange: Exchange) -> None:
        """Store a response until the jury has judged it."""
        ...

    def keep_media(self, query: Query) -> Query:
        """Store a query's media, and return the query with their paths."""
        ...


class RunRecord(TrialRecord, Protocol):
    """What is needed to run: which cases are finished, and what belongs together."""

    directory: Path
    resumed: bool
    unasked: int
    left: Sequence[str]

    def together(self) -> AbstractContextManager[None]:
        """Store all that is written within the block as one group, or nothing of it."""
        ...

    def write_stored_call(self, call: StoredCall) -> None:
        """Store the completion of a call that is JSON already."""
        ...

    def write_stored_entry(self, entry: StoredEntry) -> None:
        """Store an entry that is JSON already; see `write_entry`."""
        ...

    def stored_calls(self, case_id: str) -> list[StoredCall]:
        """Return the calls of a case that are committed."""
        ...

    def write_result(self, case_id: str, result: CaseResult) -> None:
        """Store the result of a case, which is then finished."""
        ...

    def response(self, case_id: str) -> Exchange | None:
        """Return what `write_response` stored, None if there is nothing."""
        ...

    def forget_response(self, case_id: str) -> None:
        """Delete what `write_response` stored."""
        ...

    def finished(self, case_ids: Sequence[str]) -> Collection[str]:
        """Return those of some cases that earlier processes finished and that are not retried."""
        ...

    def count_finished(self) -> int:
        """Count the cases that earlier processes finished and that are not retried."""
        ...

    def retry_failed(self, asked: Iterable[str]) -> None:
        """Mark finished cases that lost a response or a ballot for a retry."""
        ...

    def keep_uptime(self, uptime: Uptime) -> None:
        """Store the time of a managed server up to now."""
        ...

    def commit(self) -> None:
        """Commit all that was written."""
        ...

    async def take(self, case_ids: Sequence[str], *, finished: bool = False) -> Collection[str]:
        """Return those of some cases whose trials this driver may examine, and no other does.

        Args:
            case_ids: Their ids.
            finished: Whether they are finished, and something is added to them.
        """
        ...

    async def share(
        self, budget: Budget, max_tokens_total: int | None, max_cost_usd: float | None
    ) -> None:
        """Let a budget hold for all drivers together from now on.

        Args:
            budget: That of this driver, which knows what was spent before.
            max_tokens_total: Its limit of tokens, None for no limit.
            max_cost_usd: Its limit of US dollars, None for no limit.
        """
        ...

    async def wait_for_others(self) -> bool:
        """Wait until other drivers finish or leave their trials; return whether they left any."""
        ...

    async def settle(self) -> None:
        """Store all that was written, and have here what other drivers wrote."""
        ...
