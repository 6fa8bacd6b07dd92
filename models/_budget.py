"""What a run may spend, reserved before each call."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ..datasets import BudgetError, SafejuryError
from ._chat import Usage

_CASES_LEARNT_FROM = 5
_LONGEST_CALL_ID = 3
"""Parts of a call's id behind its case's: round, seat and attempt."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    Attributes:
        input_per_million: For tokens of the request.
        output_per_million: For tokens of the reply.
        cached_input_per_million: For tokens of the request that came from a prefix
            cache; None where they cost as much as the others.
    """

    input_per_million: float
    output_per_million: float
    cached_input_per_million: float | None = None

    @property
    def is_free(self) -> bool:
        """Whether calls cost nothing, however many tokens they take."""
        return not (
            self.input_per_million or self.output_per_million or self.cached_input_per_million
        )

    def of(self, usage: Usage) -> float | None:
        """Return the US dollars that `usage` costs, None where it is unknown."""
        if self.is_free:
            return 0.0
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
        cached_price = self.cached_input_per_million
        if cached_price is None:
            cached_price = self.input_per_million
        millionths = (
            (usage.prompt_tokens - cached) * self.input_per_million
            + cached * cached_price
            + usage.completion_tokens * self.output_per_million
        )
        return millionths / 1e6


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens and money, expected or spent.

    Attributes:
        tokens: Of request and reply together.
        usd: US dollars, None where the price is unknown.
    """

    tokens: int
    usd: float | None

    def __add__(self, other: "Spending") -> "Spending":
        """Return both together; of unknown price if one of them is."""
        unknown = self.usd is None or other.usd is None
        usd = None if unknown else (self.usd or 0.0) + (other.usd or 0.0)
        return Spending(self.tokens + other.tokens, usd)


@dataclass(slots=True)
class _OpenCase:
    """What is kept for a case, and what its calls took or hold of it."""

    expected: Spending
    tokens: int = 0
    usd: float = 0.0

    @property
    def tokens_left(self) -> int:
        return max(0, self.expected.tokens - self.tokens)

    @property
    def usd_left(self) -> float:
        return max(0.0, (self.expected.usd or 0.0) - self.usd)


class Budget:
    """The most that a run may spend; whoever spends shares one budget.

    A call whose price is unknown is bounded by tokens alone. It is counted in
    `unknown_price_calls` and never taken for free. A call waits while those under way
    hold what it needs: so nothing that is paid for is given up because another call
    does not fit, and how much fits does not depend on how many are made at once.

    Args:
        max_tokens_total: Most tokens, None for no bound.
        max_cost_usd: Most US dollars, None for no bound.
        ends_at_once: Whether the first call that it does not cover is the last that is
            asked for, however little a later one takes.
        keep: Is told of what is charged by estimate, with the call's id: no reply says
            it, so that a repeat would not know of it.
        refusal: What is raised for a call that it does not cover; `BudgetError` is an
            outcome of that call, another error ends what the call is part of.
    """

    def __init__(
        self,
        max_tokens_total: int | None = None,
        max_cost_usd: float | None = None,
        *,
        ends_at_once: bool = False,
        keep: Callable[[str, Spending], None] | None = None,
        refusal: type[SafejuryError] = BudgetError,
    ) -> None:
        self._max_tokens = max_tokens_total
        self._max_usd = max_cost_usd
        self._reserved_tokens = 0
        self._reserved_usd = 0.0
        self._spent_tokens = 0
        self._spent_usd = 0.0
        self._unknown = 0
        self._estimated = 0
        self._ends_at_once = ends_at_once
        self._keep = keep
        self._refusal = refusal
        self._end: str | None = None
        self._stopped: str | None = None
        self._held = 0
        """Calls under way."""
        self._cases: dict[str, _OpenCase] = {}
        self._closed = 0
        self._dearest_tokens = 0
        self._dearest_usd = 0.0
        self._door = asyncio.Lock()
        self._waiting = list[asyncio.Future[None]]()

    @property
    def is_bound(self) -> bool:
        """Whether there is a limit at all."""
        return self._max_tokens is not None or self._max_usd is not None

    @property
    def spent_tokens(self) -> int:
        """Tokens spent so far."""
        return self._spent_tokens

    @property
    def spent_usd(self) -> float:
        """US dollars spent so far, calls of unknown price left out."""
        return self._spent_usd

    @property
    def unknown_price_calls(self) -> int:
        """Calls whose price is unknown."""
        return self._unknown

    @property
    def estimated_calls(self) -> int:
        """Calls that were charged by estimate, because no credible usage came back."""
        return self._estimated

    @property
    def stopped(self) -> str | None:
        """Why no further case is begun, None while cases are."""
        return self._stopped

    def add_spent(self, tokens: int, usd: float, unknown_price_calls: int = 0) -> None:
        """Count what earlier parts of the same run spent."""
        self._spent_tokens += tokens
        self._spent_usd += usd
        self._unknown += unknown_price_calls

    async def begin_case(self, case_id: str, expected: Spending, *, paid: bool = False) -> None:
        """Hold what a case may take until `end_case`, so that no other is begun at its cost.

        While open cases hold what this one may take, it waits. The last ones before the
        end go one at a time: each takes what is left. So hardly a response is paid for
        that the jury cannot hear any more.

        Args:
            case_id: What the ids of its calls begin with.
            expected: About the most that it takes; less is held once cases have ended
                that took less.
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
            self._cases[case_id] = _OpenCase(self._likely(expected))

    def end_case(self, case_id: str) -> None:
        """Give back what is left of what was held for a case."""
        case = self._cases.pop(case_id, None)
        if case is None:
            return
        if case.tokens:  # all its calls may have come from a journal
            self._closed += 1
            self._dearest_tokens = max(self._dearest_tokens, case.tokens)
            self._dearest_usd = max(self._dearest_usd, case.usd)
        self._tell_of_change()

    async def _room(self, expected: Spending) -> None:
        while True:
            if self._stopped is not None or not self._cases:
                return
            if self._lack(self._likely(expected), beside_cases=True) is None:
                return
            await self._next_change()

    def _likely(self, expected: Spending) -> Spending:
        """Return what is held for a case: what the dearest case took, once that is known."""
        if self._closed < _CASES_LEARNT_FROM:
            return expected
        usd = None if expected.usd is None else min(expected.usd, self._dearest_usd)
        return Spending(min(expected.tokens, self._dearest_tokens), usd)

    async def reserve(self, estimate: Spending, call_id: str = "") -> None:
        """Set `estimate` aside for one call; `settle` or `release` must follow.

        Raises:
            BudgetError: What is left does not cover it, and no call is under way that
                may leave more; nothing is set aside. Another error is raised where the
                budget was told so.
        """
        while (lack := self._end or self._lack(estimate)) is not None:
            if not self._held:
                self._refused(lack)
                raise self._refusal(lack)
            await self._next_change()
        self._held += 1
        self._take(estimate.tokens, estimate.usd, call_id)

    def _refused(self, lack: str) -> None:
        if self._ends_at_once:
            self._end = lack
        self._stopped = self._stopped or lack
        self._tell_of_change()

    def _lack(self, estimate: Spending, *, beside_cases: bool = False) -> str | None:
        """Return why the budget does not cover a call now, None where it does."""
        tokens = self._spent_tokens + self._reserved_tokens + estimate.tokens
        usd = self._spent_usd + self._reserved_usd + (estimate.usd or 0.0)
        if beside_cases:
            tokens += sum(case.tokens_left for case in self._cases.values())
            usd += sum(case.usd_left for case in self._cases.values())
        if self._max_tokens is not None and tokens > self._max_tokens:
            return (
                f"limits.max_tokens_total of {self._max_tokens:,} does not cover a call of up to"
                f" {estimate.tokens:,} tokens ({self._spent_tokens:,} spent); raise it to go on"
            )
        if self._max_usd is not None and usd > self._max_usd:
            return (
                f"limits.max_cost_usd of {self._max_usd:g} does not cover a call of up to"
                f" {estimate.usd or 0.0:.4f} USD ({self._spent_usd:.4f} spent); raise it to go on"
            )
        return None

    async def _next_change(self) -> None:
        """Wait until a call under way ends, or a case."""
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def _tell_of_change(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():  # whoever waited may be cancelled
                change.set_result(None)

    def _take(self, tokens: int, usd: float | None, call_id: str) -> None:
        """Count what is set aside for a call, against what is held for its case too."""
        self._reserved_tokens += tokens
        self._reserved_usd += usd or 0.0
        self._charge_case(tokens, usd, call_id)

    def _charge_case(self, tokens: int, usd: float | None, call_id: str) -> None:
        name = call_id
        for _ in range(_LONGEST_CALL_ID if self._cases else 0):
            name = name.rpartition("/")[0]
            if (case := self._cases.get(name)) is not None:
                case.tokens += tokens
                case.usd += usd or 0.0
                return

    def settle(
        self,
        estimate: Spending,
        spent: Spending,
        *,
        guessed: Spending | None = None,
        call_id: str = "",
    ) -> None:
        """Put what a call took in the place of its `estimate`.

        Args:
            estimate: What was set aside for it.
            spent: What it took.
            guessed: The part of `spent` that is an estimate, None where the reply says all.
            call_id: The call's id.
        """
        self._spent_tokens += spent.tokens
        if spent.usd is None:
            self._unknown += 1
        else:
            self._spent_usd += spent.usd
        if guessed is not None:
            self._estimated += 1
            if self._keep is not None and call_id:
                self._keep(call_id, guessed)
        self._charge_case(spent.tokens, spent.usd, call_id)
        self.release(estimate, call_id)

    def release(self, estimate: Spending, call_id: str = "") -> None:
        """Give back what was set aside for a call that took nothing."""
        self._held -= 1
        self._take(-estimate.tokens, None if estimate.usd is None else -estimate.usd, call_id)
        self._tell_of_change()
