"""What each worker may take of a run's limits: an equal share."""

from dataclasses import dataclass

from ...assembly.config import RunLimitsConfig
from ...models import Budget


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker may take.

    Attributes:
        limits: Its limits.
        tokens: Tokens of the budget, None without a limit.
        usd: US dollars of the budget, None without a limit.
    """

    limits: RunLimitsConfig
    tokens: int | None
    usd: float | None


def most_workers(limits: RunLimitsConfig, wanted: int) -> int:
    """Return how many workers may share limits: each must be allowed one call at a time."""
    places = [limits, *limits.endpoints.values()]
    bounds = [one.concurrency for one in places] + [one.requests_per_minute for one in places]
    return max(1, min([wanted, *(bound for bound in bounds if bound is not None)]))


class Shares:
    """Shares limits between workers, and takes the share of a lost one back.

    Args:
        limits: The run's.
        workers: How many share them.
        budget: The run's budget, with what was spent before.
    """

    def __init__(self, limits: RunLimitsConfig, workers: int, budget: Budget) -> None:
        self._limits = limits
        self._workers = self._unserved = workers
        tokens, usd = limits.max_tokens_total, limits.max_cost_usd
        self._tokens = None if tokens is None else tokens - budget.spent_tokens
        self._usd = None if usd is None else usd - budget.spent_usd

    def take(self, number: int) -> Share:
        """Return the share of a worker.

        Args:
            number: Its number, from 0.
        """
        unserved = max(1, self._unserved)
        self._unserved -= 1
        tokens = usd = None
        if self._tokens is not None:
            tokens = max(0, self._tokens // unserved)
            self._tokens -= tokens
        if self._usd is not None:
            usd = max(0.0, self._usd / unserved)
            self._usd -= usd
        return Share(self._limits_of(number, tokens, usd), tokens, usd)

    def give_back(self, share: Share, tokens: int, usd: float) -> None:
        """Take back the share of a worker that was lost.

        Args:
            share: Its share.
            tokens: Tokens of it that were spent.
            usd: US dollars of it that were spent.
        """
        self._unserved += 1
        if self._tokens is not None and share.tokens is not None:
            self._tokens += share.tokens - tokens
        if self._usd is not None and share.usd is not None:
            self._usd += share.usd - usd

    def _limits_of(self, number: int, tokens: int | None, usd: float | None) -> RunLimitsConfig:
        limits = self._limits
        endpoints = {
            name: own.model_copy(
                update={key: self._part(getattr(own, key), number) for key in own.model_fields_set}
            )
            for name, own in limits.endpoints.items()
        }
        changed: dict[str, object] = {
            "concurrency": self._part(limits.concurrency, number),
            "requests_per_minute": self._part(limits.requests_per_minute, number),
            "endpoints": endpoints,
            "max_tokens_total": None if tokens is None else max(1, tokens),
            "max_cost_usd": None if usd is None else max(1e-9, usd),
        }
        return limits.model_copy(update=changed)

    def _part(self, whole: int | None, number: int) -> int | None:
        if whole is None:
            return None
        return max(1, whole // self._workers + (number < whole % self._workers))
