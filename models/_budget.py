"""What a run may spend, reserved before each call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import msgspec

from ..datasets import BudgetError
from ._around import Around
from ._chat import AudioPart, ChatModel, ChatRequest, Completion, ImagePart, Usage

_BYTES_PER_TOKEN = 3
_TOKENS_PER_MEDIUM = 1600
_TOKENS_PER_MESSAGE = 8
_UNCAPPED_REPLY = 2048


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

    def of(self, usage: Usage) -> float | None:
        """Return the US dollars that `usage` costs, None where it is unknown."""
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
    """

    def __init__(
        self,
        max_tokens_total: int | None = None,
        max_cost_usd: float | None = None,
        *,
        ends_at_once: bool = False,
    ) -> None:
        self._max_tokens = max_tokens_total
        self._max_usd = max_cost_usd
        self._reserved_tokens = 0
        self._reserved_usd = 0.0
        self._spent_tokens = 0
        self._spent_usd = 0.0
        self._unknown = 0
        self._ends_at_once = ends_at_once
        self._end: str | None = None
        self._held = 0
        """Calls under way."""
        self._waiting = list[asyncio.Future[None]]()

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

    def add_spent(self, tokens: int, usd: float, unknown_price_calls: int = 0) -> None:
        """Count what earlier parts of the same run spent."""
        self._spent_tokens += tokens
        self._spent_usd += usd
        self._unknown += unknown_price_calls

    async def reserve(self, estimate: Spending) -> None:
        """Set `estimate` aside for one call; `settle` or `release` must follow.

        Raises:
            BudgetError: What is left does not cover it, and no call is under way that
                may leave more; nothing is set aside.
        """
        while (lack := self._end or self._lack(estimate)) is not None:
            if not self._held:
                if self._ends_at_once:
                    self._end = lack
                raise BudgetError(lack)
            await self._next_change()
        self._held += 1
        self._reserved_tokens += estimate.tokens
        self._reserved_usd += estimate.usd or 0.0

    def _lack(self, estimate: Spending) -> str | None:
        """Return why the budget does not cover a call now, None where it does."""
        tokens = self._spent_tokens + self._reserved_tokens + estimate.tokens
        if self._max_tokens is not None and tokens > self._max_tokens:
            return (
                f"limits.max_tokens_total of {self._max_tokens:,} does not cover a call of up to"
                f" {estimate.tokens:,} tokens ({self._spent_tokens:,} spent); raise it to go on"
            )
        usd = self._spent_usd + self._reserved_usd + (estimate.usd or 0.0)
        if self._max_usd is not None and usd > self._max_usd:
            return (
                f"limits.max_cost_usd of {self._max_usd:g} does not cover a call of up to"
                f" {estimate.usd or 0.0:.4f} USD ({self._spent_usd:.4f} spent); raise it to go on"
            )
        return None

    async def _next_change(self) -> None:
        """Wait until a call under way ends."""
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def settle(self, estimate: Spending, spent: Spending) -> None:
        """Put what a call really took in the place of its `estimate`."""
        self._spent_tokens += spent.tokens
        if spent.usd is None:
            self._unknown += 1
        else:
            self._spent_usd += spent.usd
        self.release(estimate)

    def release(self, estimate: Spending) -> None:
        """Give back what was set aside for a call that took nothing."""
        self._held -= 1
        self._reserved_tokens -= estimate.tokens
        self._reserved_usd -= estimate.usd or 0.0
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():  # whoever waited may be cancelled
                change.set_result(None)


class Budgeted(Around):
    """A chat model that spends from a budget.

    Each call first reserves the most that it is expected to take: a token for
    three bytes of text, 1600 for a picture or a sound, and `max_tokens` (2048
    where a request has no cap) for the reply.

    Args:
        model: What to call.
        budget: Shared by all models of a run.
        price: The model's price, None where it is unknown.
        find_price: Looks the price up before the first call, where it is not given.
    """

    def __init__(
        self,
        model: ChatModel,
        budget: Budget,
        price: Price | None = None,
        *,
        find_price: Callable[[], Awaitable[Price | None]] | None = None,
    ) -> None:
        super().__init__(model)
        self._budget = budget
        self._price = price
        self._find_price = find_price if price is None else None

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the model's reply with its cost.

        Raises:
            BudgetError: The budget does not cover the call, which was not made.
            ModelError: The call failed; nothing is charged for it.
        """
        if self._find_price is not None:
            self._price = await self._find_price()
            self._find_price = None
        estimate = self._estimate(request)
        await self._budget.reserve(estimate)
        spent: Spending | None = None
        try:
            completion = await self._model.complete(request)
            if not completion.reused:
                completion = self._priced(completion)
                spent = _spent(completion, estimate)
            return completion
        finally:
            if spent is None:
                self._budget.release(estimate)
            else:
                self._budget.settle(estimate, spent)

    def _priced(self, completion: Completion) -> Completion:
        if completion.cost_usd is not None or self._price is None:
            return completion
        return replace(completion, cost_usd=self._price.of(completion.usage))

    def _estimate(self, request: ChatRequest) -> Spending:
        prompt, reply = estimate_prompt_tokens(request), request.max_tokens or _UNCAPPED_REPLY
        usage = Usage(prompt_tokens=prompt, completion_tokens=reply)
        return Spending(prompt + reply, self._price.of(usage) if self._price else None)


def _spent(completion: Completion, estimate: Spending) -> Spending:
    """Return what a call took, the estimate where the provider did not say."""
    tokens, usd = completion.usage.total_tokens, completion.cost_usd
    return Spending(
        estimate.tokens if tokens is None else tokens,
        estimate.usd if usd is None else usd,
    )


def estimate_prompt_tokens(request: ChatRequest) -> int:
    """Return about the most tokens that a request takes, before its reply."""
    size, media = 0, 0
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ImagePart | AudioPart):
                media += 1
            else:
                size += len(part.text.encode("utf-8", "replace"))
    if request.json_schema is not None:
        size += len(msgspec.json.encode(request.json_schema.schema))
    fixed = media * _TOKENS_PER_MEDIUM + len(request.messages) * _TOKENS_PER_MESSAGE
    return -(-size // _BYTES_PER_TOKEN) + fixed
