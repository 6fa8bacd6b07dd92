"""A run's budget of tokens and money, reserved before each call."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from math import ceil
from typing import Any

from ...common import BudgetError, SafejuryError, first_failure
from ..chat import Charge
from ._ledger import Ledger
from ._reserved import OpenCase, Reservation

_LEARNING_CASES = 5
_UNKNOWN_TIMES = 10.0
"""Assumed ratio of actual to expected cost of a case, until the first cases have ended."""
_DUST_USD = 1e-9
"""What rounding leaves of sums."""
_LONGEST_CALL_ID = 3
"""Parts of a call's id after that of its case: round, seat and attempt."""


class Budget:
    """The budget of a run, shared by all its models.

    A call of unknown price is limited by tokens only. It is counted in
    `unknown_price_calls` and never treated as free. A call waits while the reservations of
    calls under way leave too little for it: so paid work is never lost because another call
    does not fit, and what fits does not depend on the number of concurrent calls.

    Args:
        max_tokens_total: Maximum tokens, None for no limit.
        max_cost_usd: Maximum US dollars, None for no limit.
        ends_at_once: Whether to stop at the first call that the budget does not cover, even
            if later ones cost less.
        keep: Persists the reservations of calls under way and charges by estimate, for calls
            with an id: no reply reports them, so a repeated command would not know them.
        refusal: The error raised for a call that is not covered; `BudgetError` is an
            outcome of that call, any other error ends the work that it is part of.
    """

    def __init__(
        self,
        max_tokens_total: int | None = None,
        max_cost_usd: float | None = None,
        *,
        ends_at_once: bool = False,
        keep: Ledger | None = None,
        refusal: type[SafejuryError] = BudgetError,
    ) -> None:
        self._max_tokens: int | None = max_tokens_total
        self._max_usd: float | None = max_cost_usd
        self._reserved_tokens: int = 0
        self._reserved_usd: float = 0.0
        self._spent_tokens: int = 0
        self._spent_usd: float = 0.0
        self._unknown = 0
        self._estimated = 0
        self._ends_at_once = ends_at_once
        self._keep = keep
        self._refusal = refusal
        self._end: str | None = None
        self._stopped: str | None = None
        self._held = 0
        """Calls under way."""
        self._cases: dict[str, OpenCase] = {}
        self._closed = 0
        self._dearest_tokens = 0
        self._dearest_usd = 0.0
        self._times = 1.0
        """The highest ratio of actual to expected cost of a case."""
        self._door = asyncio.Lock()
        self._waiting = list[asyncio.Future[None]]()
        self._elsewhere = Charge(0, 0.0)
        self._lacking = list[Charge]()
        self.asks: Callable[[], None] | None = None
        """Called when a call lacks what others hold; see `leave_to_others`."""

    @property
    def is_bound(self) -> bool:
        """Whether there is any limit."""
        return self._max_tokens is not None or self._max_usd is not None

    @property
    def spent_tokens(self) -> int:
        """Tokens spent so far."""
        return self._spent_tokens

    @property
    def spent_usd(self) -> float:
        """US dollars spent so far, without calls of unknown price."""
        return self._spent_usd

    @property
    def unknown_price_calls(self) -> int:
        """Calls whose price is unknown."""
        return self._unknown

    @property
    def estimated_calls(self) -> int:
        """Calls charged by estimate, because no credible usage was reported."""
        return self._estimated

    @property
    def stopped(self) -> str | None:
        """Why no new case is started, None while cases are."""
        return self._stopped

    def add_earlier_cost(self, tokens: int, usd: float, unknown_price_calls: int = 0) -> None:
        """Add the cost of earlier parts of the same run."""
        self._spent_tokens += tokens
        self._spent_usd += usd
        self._unknown += unknown_price_calls

    @property
    def held(self) -> Charge:
        """What calls under way reserve."""
        return Charge(self._reserved_tokens, max(0.0, self._reserved_usd))

    @property
    def has_cases(self) -> bool:
        """Whether cases are under way."""
        return bool(self._cases)

    @property
    def least_lacking(self) -> Charge | None:
        """The least that a call waits for, None where none waits."""
        return min(self._lacking, key=self._share, default=None)

    def leave_to_others(self, held: Charge) -> None:
        """Leave a part of the limit to other processes, which a call waits for if it lacks it."""
        self._elsewhere = held
        self._notify_change()

    def add_server_cost(self, usd: float) -> None:
        """Add the hourly cost of managed servers; no case is started once the limit is reached."""
        self._spent_usd += usd
        if self._max_usd is not None and self._spent_usd >= self._max_usd and not self._stopped:
            self._refused(
                f"limits.max_cost_usd of {self._max_usd:g} is reached ({self._spent_usd:.4f} "
                "spent, with the time of servers); raise it to continue"
            )

    async def unless_stopped(self, waited: Coroutine[Any, Any, object]) -> None:
        """Wait for something that cases need, but stop waiting once no case is started anymore.

        Raises:
            BudgetError: No further case is begun.
        """
        async with first_failure(), asyncio.TaskGroup() as group:
            task = group.create_task(waited)
            while self._stopped is None and not task.done():
                await asyncio.wait({task, self._change()}, return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
        if self._stopped is not None:
            raise BudgetError(self._stopped)

    async def begin_case(self, case_id: str, expected: Charge, *, paid: bool = False) -> None:
        """Reserve the likely cost of a case until `end_case`.

        While open cases hold what this one may take, it waits. The last ones before the
        end go one at a time: each takes what is left. As long as no case has ended, each
        may cost ten times the estimate, because it is not known yet how much the
        models think. So hardly a response is paid for that the jury cannot hear any more.

        Args:
            case_id: What the ids of its calls begin with.
            expected: About the most that it takes; less is held once cases have ended
                that took less, and more once one took more.
            paid: Whether its response is paid for already: then it does not wait.

        Raises:
            BudgetError: A call was refused, so that no further case is begun.
        """
        if case_id in self._cases:
            return
        async with AsyncExitStack() as stack:
            if not paid:
                await stack.enter_async_context(self._door)
                await self._room(expected)
            if self._stopped is not None:
                raise BudgetError(self._stopped)
            self._open_case(case_id, expected)

    def _open_case(self, case_id: str, expected: Charge) -> None:
        self._cases[case_id] = OpenCase(expected)

    def end_case(self, case_id: str) -> None:
        """Release what is left of a case's reservation."""
        case = self._cases.pop(case_id, None)
        if case is None:
            return
        if case.tokens:  # all its calls may have come from a journal
            self._closed += 1
            self._times = max(self._times, case.times)
            self._dearest_tokens = max(self._dearest_tokens, case.tokens)
            self._dearest_usd = max(self._dearest_usd, case.usd)
        self._notify_change()

    async def _room(self, expected: Charge) -> None:
        while self._stopped is None and not self._has_room(expected):
            self._ask()
            await self._change()

    def _has_room(self, expected: Charge) -> bool:
        """Return whether a case is covered beside those that are open, if there are any."""
        likely = self._likely(expected, 0, 0.0)
        return not self._cases or self._lack(likely, beside_cases=True) is None

    def _likely(self, expected: Charge, tokens: int, usd: float) -> Charge:
        """Return the unused rest of a case's reservation."""
        times = self._times if self._closed else _UNKNOWN_TIMES
        most, most_usd = expected.tokens * times, (expected.usd or 0.0) * times
        if self._closed >= _LEARNING_CASES:
            most, most_usd = min(most, self._dearest_tokens), min(most_usd, self._dearest_usd)
        return Charge(max(0, ceil(most) - tokens), max(0.0, most_usd - usd))

    async def reserve(
        self, estimate: Charge, call_id: str = "", *, keep: bool = True
    ) -> Reservation:
        """Reserve `estimate` for one call; `settle` or `release` must follow.

        Args:
            estimate: The most that it is expected to take.
            call_id: The call's id, empty if it has none.
            keep: Whether it is charged for if this process is killed meanwhile.

        Raises:
            BudgetError: What is left does not cover it, and no call is under way that
                may leave more; nothing is set aside. Another error is raised where the
                budget was told so.
        """
        if self._end is not None or self._lack(estimate) is not None:
            await self._cover(estimate)
        kept = None
        if keep and self._keep is not None and call_id:
            kept = self._keep.hold(call_id, estimate, self._share(estimate))
        self._held += 1
        self._take(estimate.tokens, estimate.usd, call_id)
        reserved = Reservation(estimate, call_id, kept)
        if call_id and self._keep is not None and self._keep.is_behind:
            await self._stored(reserved, self._keep)
        return reserved

    async def _stored(self, reserved: Reservation, ledger: Ledger) -> None:
        """Wait until what a call holds is stored, as far as it must be."""
        try:
            await ledger.caught_up()
        except BaseException:
            self.release(reserved)
            raise

    async def _cover(self, estimate: Charge) -> None:
        """Wait until the budget covers a call.

        Raises:
            BudgetError: It never will.
        """
        self._lacking.append(estimate)
        try:
            while (lack := self._end or self._lack(estimate)) is not None:
                if not self._held and not self._is_elsewhere:
                    self._refused(lack)
                    raise self._refusal(lack)
                self._ask()
                await self._change()
        finally:
            self._lacking.remove(estimate)

    @property
    def _is_elsewhere(self) -> bool:
        return self._elsewhere.tokens > 0 or (self._elsewhere.usd or 0.0) > _DUST_USD

    def _ask(self) -> None:
        if self.asks is not None and self._is_elsewhere:
            self.asks()

    def _share(self, estimate: Charge) -> float:
        """Return an estimate as a share of the limit, 0 if there is no limit."""
        tokens = estimate.tokens / self._max_tokens if self._max_tokens else 0.0
        usd = (estimate.usd or 0.0) / self._max_usd if self._max_usd else 0.0
        return max(tokens, usd)

    def _refused(self, lack: str) -> None:
        if self._ends_at_once:
            self._end = lack
        self._stopped = self._stopped or lack
        self._notify_change()

    def _lack(self, estimate: Charge, *, beside_cases: bool = False) -> str | None:
        """Return why the budget does not cover a call now, None if it does."""
        others = self._elsewhere
        tokens = self._spent_tokens + self._reserved_tokens + estimate.tokens + others.tokens
        usd = self._spent_usd + self._reserved_usd + (estimate.usd or 0.0) + (others.usd or 0.0)
        if beside_cases:
            for case in self._cases.values():
                left = self._likely(case.expected, case.tokens, case.usd)
                tokens, usd = tokens + left.tokens, usd + (left.usd or 0.0)
        if self._max_tokens is not None and tokens > self._max_tokens:
            return (
                f"limits.max_tokens_total of {self._max_tokens:,} does not cover a call of up to"
                f" {estimate.tokens:,} tokens ({self._spent_tokens:,} spent); raise it to continue"
            )
        # What costs nothing is not for the limit of money to refuse.
        if self._max_usd is not None and usd > self._max_usd and estimate.usd != 0:
            return (
                f"limits.max_cost_usd of {self._max_usd:g} does not cover a call of up to"
                f" {estimate.usd or 0.0:.4f} USD ({self._spent_usd:.4f} spent); raise it to"
                " continue"
            )
        return None

    def _change(self) -> asyncio.Future[None]:
        """Return a future that resolves when a call or a case ends."""
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        return change

    def _notify_change(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():  # the waiting call may be canceled
                change.set_result(None)

    def _take(self, tokens: int, usd: float | None, call_id: str) -> None:
        """Book a call's reservation, also against that of its case."""
        self._reserved_tokens += tokens
        self._reserved_usd += usd or 0.0
        self._charge_case(tokens, usd, call_id)

    def _charge_case(self, tokens: int, usd: float | None, call_id: str) -> None:
        if not self._cases:
            return
        name = call_id
        for _ in range(_LONGEST_CALL_ID):
            name = name.rpartition("/")[0]
            if (case := self._cases.get(name)) is not None:
                case.tokens += tokens
                case.usd += usd or 0.0
                return

    def settle(
        self, reserved: Reservation, spent: Charge, *, guessed: Charge | None = None
    ) -> None:
        """Replace a call's reservation by its actual cost.

        Args:
            reserved: What `reserve` returned.
            spent: What it took.
            guessed: The part of `spent` that is an estimate, None if the reply says all.
        """
        # First: what is kept next is kept together with it, so that none is charged twice.
        self._let_go(reserved)
        self._spent_tokens += spent.tokens
        if spent.usd is None:
            self._unknown += 1
        else:
            self._spent_usd += spent.usd
        if guessed is not None:
            self._estimated += 1
            if self._keep is not None and reserved.call_id:
                self._keep.charge(reserved.call_id, guessed)
        self._charge_case(spent.tokens, spent.usd, reserved.call_id)
        self._give_back(reserved)

    def release(self, reserved: Reservation) -> None:
        """Release the reservation of a call that cost nothing."""
        self._let_go(reserved)
        self._give_back(reserved)

    def _let_go(self, reserved: Reservation) -> None:
        if reserved.kept is not None and self._keep is not None:
            self._keep.let_go(reserved.kept)

    def _give_back(self, reserved: Reservation) -> None:
        tokens, usd = reserved.estimate.tokens, reserved.estimate.usd
        self._held -= 1
        self._take(-tokens, None if usd is None else -usd, reserved.call_id)
        self._notify_change()
