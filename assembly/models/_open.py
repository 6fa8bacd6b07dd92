"""The models of a command opened: within limits, a budget and a cache, on servers of our own."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...common import BudgetError, SafejuryError
from ...models import (
    Budget,
    ChatModel,
    Journal,
    Ledger,
    ModelRegistry,
    ModelSpec,
    PlaceLimits,
    ResponseCache,
    RetryPolicy,
)
from ..config import LimitsConfig, limits_of_places

if TYPE_CHECKING:
    from ...models import LeaseBook, Leaseholder
    from ...targets import Fleet, Meter, ServerUse
    from ..servers import Uptime


class CallStore(Journal, Ledger, Protocol):
    """Where calls are kept, and what they hold of the budget while they are under way."""


@dataclass(frozen=True, slots=True)
class OpenModels:
    """The ways to models, open.

    Attributes:
        registry: Opens the models.
        budget: What may be spent on them.
        policy: How often failed calls are tried again.
        fleet: The managed servers, None where none was started.
        book: Leases limits and budget to workers; None where there are none.
    """

    registry: ModelRegistry
    budget: Budget
    policy: RetryPolicy
    fleet: "Fleet | None"
    book: "LeaseBook | None" = None


class FleetMaker(Protocol):
    """Makes the fleet for some servers; see `make_fleet`."""

    async def __call__(
        self,
        uses: "Sequence[ServerUse]",
        folder: Path,
        notify: Callable[[str], None],
        *,
        clock: "Meter | None" = None,
    ) -> "Fleet": ...


@dataclass(frozen=True, slots=True)
class ManagedServers:
    """Servers that are started for a command.

    Attributes:
        uses: The servers; may be none.
        folder: Where their logs go into a folder.
        notify: Is told what happens to them, a line each.
        keep: Is told for how long each that has a price ran; nobody unless given.
        needed: Whether anything is left to do that needs them; else none starts, and models
            on them are known by name alone.
        tells_plan: Whether it is told beforehand which of them runs where.
        fleet: Makes the fleet where they run on other machines; on this one unless given.
    """

    uses: "Sequence[ServerUse]"
    folder: Path
    notify: Callable[[str], None]
    keep: "Callable[[Uptime], None] | None" = None
    needed: bool = True
    tells_plan: bool = False
    fleet: FleetMaker | None = None


@asynccontextmanager
async def open_models(
    limits: LimitsConfig,
    *,
    servers: ManagedServers | None = None,
    calls: CallStore | None = None,
    spent: tuple[int, float, int] | None = None,
    cache: str | None = None,
    answered: Collection[ModelSpec] = (),
    refusal: type[SafejuryError] = BudgetError,
    ends_at_once: bool = False,
    traced: Callable[[ChatModel, ModelSpec | None], ChatModel] | None = None,
    lends: bool = False,
    leases: "Leaseholder | None" = None,
    served: Callable[[ModelSpec], ChatModel] | None = None,
) -> AsyncGenerator[OpenModels]:
    """Open the ways to models, and close all in the end.

    Args:
        limits: What may be taken of endpoints, and spent.
        servers: Those that are started; none unless given, nor where nothing may be spent.
        calls: Keeps calls, which are paid for once; nowhere unless given.
        spent: Tokens, US dollars and calls of unknown price that were spent before.
        cache: A file of answers between runs, None for none.
        answered: Models that have answered before; see `ModelRegistry`.
        refusal: See `Budget`.
        ends_at_once: See `Budget`.
        traced: Wraps models in what records their calls; see `ModelRegistry`.
        lends: Whether workers of other processes get a part of limits and budget each.
        leases: Those of this worker; None where it shares no limit with others.
        served: Opens models on managed servers that another process keeps up.

    Raises:
        ConfigurationError: A server cannot be, or the cache cannot be used.
        RecordError: What servers took cannot be kept.
    """
    tokens, usd = limits.max_tokens_total, limits.max_cost_usd
    of_place = PlaceLimits(limits.concurrency, limits.requests_per_minute)
    places, book = limits_of_places(limits), None
    if leases is not None:
        budget = leases.budget(tokens, usd, keep=calls, refusal=refusal)
    elif lends:
        from ...models import LeaseBook, LendingBudget

        budget = LendingBudget(tokens, usd, keep=calls, refusal=refusal)
        book = LeaseBook(of_place, places, budget)
    else:
        budget = Budget(tokens, usd, ends_at_once=ends_at_once, keep=calls, refusal=refusal)
    if spent is not None:
        budget.add_earlier_cost(*spent)
    policy = RetryPolicy(attempts=limits.attempts)
    async with AsyncExitStack() as stack:
        fleet, managed = None, served
        if servers is not None and servers.uses:
            fleet, managed = await _start(servers, budget, stack)
        kept = None
        if cache is not None:
            kept = ResponseCache(cache)
            stack.callback(kept.close)
        registry = ModelRegistry(
            limits=of_place,
            places=places,
            policy=policy,
            outage_patience=limits.outage_patience,
            budget=budget,
            cache=kept,
            journal=calls,
            managed=managed,
            kept_elsewhere=served is not None,
            answered=answered,
            traced=traced,
            limiters=None if leases is None else leases.limiter,
        )
        await stack.enter_async_context(registry)
        yield OpenModels(registry, budget, policy, fleet, book)


async def _start(
    servers: ManagedServers, budget: Budget, stack: AsyncExitStack
) -> "tuple[Fleet | None, Callable[[ModelSpec], ChatModel]]":
    """Return the fleet, None where nothing is left to do, or to spend; and what opens models."""
    # Not for those who start none.
    from ...targets import render_plan
    from ..servers import make_fleet, server_clock
    from ._unserved import unserved

    charging = server_clock(budget, servers.uses, servers.keep)
    clock = await stack.enter_async_context(charging)
    if not servers.needed or budget.stopped is not None:
        return None, unserved(servers.uses)
    make = servers.fleet or make_fleet
    fleet = await make(servers.uses, servers.folder, servers.notify, clock=clock)
    for line in render_plan(fleet.plan) if servers.tells_plan else ():
        servers.notify(line)
    fleet = await stack.enter_async_context(fleet)
    return fleet, fleet.model
