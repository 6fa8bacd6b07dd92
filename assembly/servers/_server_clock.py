"""What managed servers cost by the hour: charged and kept while they run."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from ...common import ConfigurationError, first_failure
from ...models import Budget
from ...targets import Placement, ServerUse

_EVERY_S = 1.0
_AHEAD_S = 10.0
"""Kept ahead while a server runs: where the process is killed, the server ends within that."""
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Uptime:
    """For how long a server ran, from one start of the run to its end.

    Attributes:
        life: Unique among all starts.
        server: Its name.
        gpus: How many GPUs it had.
        seconds: Until it stopped; while it runs, ten seconds beyond now.
        usd: US dollars for that.
    """

    life: str
    server: str
    gpus: int
    seconds: float
    usd: float


@dataclass(slots=True)
class _Life:
    name: str
    server: ServerUse
    gpus: int
    begun: float
    charged: float = 0.0


class ServerClock:
    """Charges a budget for the time of servers that have a price; see `Meter`.

    Args:
        budget: What they spend from.
        keep: Is told of each server once a second, so that a killed process has told it.
    """

    def __init__(self, budget: Budget, keep: Callable[[Uptime], None]) -> None:
        self._budget = budget
        self._keep = keep
        self._lives: dict[str, _Life] = {}

    def started(self, use: ServerUse, gpus: int) -> None:
        """Begin to charge for a server, unless it is charged for already."""
        if use.per_gpu_hour is not None and use.name not in self._lives:
            life = _Life(uuid4().hex, use, gpus, time.monotonic())
            self._lives[use.name] = life
            self._charge(life)

    def stopped(self, use: ServerUse) -> None:
        """Charge what a server took in the end."""
        if (life := self._lives.pop(use.name, None)) is not None:
            with suppress(ConfigurationError):  # whoever keeps it says what is wrong
                self._charge(life, ahead=0.0)

    async def run(self) -> None:
        """Charge for the servers that run, once a second.

        Raises:
            RecordError: What they took cannot be kept.
        """
        while True:
            await asyncio.sleep(_EVERY_S)
            for life in self._lives.values():
                self._charge(life)

    def _charge(self, life: _Life, *, ahead: float = _AHEAD_S) -> None:
        price = life.gpus * (life.server.per_gpu_hour or 0.0) / _HOUR_S
        seconds = time.monotonic() - life.begun
        self._budget.add_server_cost(seconds * price - life.charged)
        life.charged = seconds * price
        seconds += ahead
        self._keep(Uptime(life.name, life.server.name, life.gpus, seconds, seconds * price))


@asynccontextmanager
async def server_clock(
    budget: Budget,
    uses: Iterable[ServerUse],
    keep: Callable[[Uptime], None] | None = None,
) -> AsyncGenerator[ServerClock | None, None]:
    """Yield what charges for the time of servers, None where none has a price.

    Args:
        budget: What they spend from; it begins no case where it is used up already.
        uses: The servers.
        keep: See `ServerClock`; nobody unless given.

    Raises:
        RecordError: What they took cannot be kept.
    """
    if all(use.per_gpu_hour is None for use in uses):
        yield None
        return
    budget.add_server_cost(0.0)
    clock = ServerClock(budget, keep or _ignore)
    async with first_failure(), asyncio.TaskGroup() as group:
        running = group.create_task(clock.run())
        try:
            yield clock
        finally:
            running.cancel()


def _ignore(time: Uptime) -> None:
    """Take what nobody keeps."""


def check_priced(placements: Iterable[Placement]) -> None:
    """Check that all servers with a price by the hour are on GPUs.

    Raises:
        ConfigurationError: One is on the CPU, which has no such price.
    """
    for placement in placements:
        if placement.use.per_gpu_hour is not None and not placement.gpus:
            raise ConfigurationError(
                f"the server {placement.use.name!r} has a `price.per_gpu_hour:` and runs on the "
                "CPU, whose time has none: take the price out"
            )
