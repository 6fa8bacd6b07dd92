"""What a record says of others that write it, where one process does alone."""

from collections.abc import Collection, Sequence

from ....models import Budget


class SoleDriver:
    """The only driver of a run."""

    async def take(self, case_ids: Sequence[str], *, finished: bool = False) -> Collection[str]:
        """Return the cases whose trials this process may examine: all of them."""
        return case_ids

    async def share(
        self, budget: Budget, max_tokens_total: int | None, max_cost_usd: float | None
    ) -> None:
        """Leave the budget as it is: there are no others."""

    async def wait_for_others(self) -> bool:
        """Return whether others left trials: there are no others."""
        return False
