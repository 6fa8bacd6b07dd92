"""Plans which servers run together and which wait for others."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from ...common import ConfigurationError
from ..vllm import VllmSpec, check_model
from ._devices import Devices

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ServerUse:
    """A server, and how long it is needed.

    Attributes:
        name: Unique among the servers of a run.
        spec: Its specification.
        keep: Whether it stays up for the whole run, as jurors' servers do.
        per_gpu_hour: US dollars per hour for each of its GPUs, None if not given.
    """

    name: str
    spec: VllmSpec
    keep: bool = False
    per_gpu_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a server runs, and when.

    Attributes:
        use: The server.
        gpus: Indices of its GPUs; none is the CPU.
        share: How much of each GPU it takes, in (0, 1].
        after: Servers that are stopped first, if they are done in the order of the
            config; none if it starts at once.
    """

    use: ServerUse
    gpus: tuple[int, ...]
    share: float
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Which servers run together and which wait, in the order in which they start.

    Attributes:
        devices: What there is to run them on.
        placements: Where each runs, and when.
        unplaced: Why servers have no place here, a line each; only where that is asked for.
    """

    devices: Devices
    placements: tuple[Placement, ...]
    unplaced: tuple[str, ...] = ()

    @property
    def waiting(self) -> tuple[Placement, ...]:
        """The servers that wait for others."""
        return tuple(placement for placement in self.placements if placement.after)


class Pool:
    """Tracks which GPUs, and the CPU, are in use."""

    def __init__(self, devices: Devices) -> None:
        self._free = {gpu.index: 1.0 for gpu in devices.gpus}
        self._used = {gpu.index: gpu.total_bytes - gpu.free_bytes for gpu in devices.gpus}
        self._cpu_is_free = True

    def take(self, use: ServerUse) -> Placement | None:
        """Reserve a place for a server, None if there is no room now."""
        count = self.needs(use)
        if count == 0:
            if not use.keep:
                if not self._cpu_is_free:
                    return None
                self._cpu_is_free = False
            return Placement(use, (), 1.0)
        share = use.spec.share
        # The fullest that will do first, so that whole GPUs stay whole; among equals the
        # one that other programs use the least.
        fitting = sorted(
            (round(free, 6), self._used[index], index)
            for index, free in self._free.items()
            if free + _ROUNDING >= share
        )
        if len(fitting) < count:
            return None
        taken = tuple(sorted(index for *_, index in fitting[:count]))
        for index in taken:
            self._free[index] -= share
        return Placement(use, taken, share)

    def give(self, placement: Placement) -> None:
        """Free a place that `take` returned."""
        if not placement.gpus and not placement.use.keep:
            self._cpu_is_free = True
        for index in placement.gpus:
            self._free[index] += placement.share

    def needs(self, use: ServerUse) -> int:
        """Return how many GPUs a server needs on this machine; 0 means the CPU."""
        if use.spec.gpus is not None:
            return use.spec.gpus
        return use.spec.parallel if self._free else 0


def in_order(servers: Sequence[ServerUse]) -> list[ServerUse]:
    """Return servers in starting order: first those needed throughout."""
    return sorted(servers, key=lambda use: not use.keep)


def plan(servers: Sequence[ServerUse], devices: Devices, *, whole: bool = True) -> Plan:
    """Plan which of `servers` run together on `devices`, and which wait.

    Servers that are kept come first. The others follow in their order, each as soon as
    there are GPUs for it; on the CPU one at a time, for its memory. Servers with a
    `gpu-memory-utilization` share a GPU as far as these add up to at most 1.

    Args:
        servers: What is needed.
        devices: What there is.
        whole: Whether all must have a place; else the plan says which have none, as for
            another machine than the one at hand.

    Raises:
        ConfigurationError: Two have one name, the files of a model are missing, or one needs
            more than there is.
    """
    for use in servers:
        check_model(use.spec)
    names = [use.name for use in servers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"two servers are named {twice[0]!r}: give each its own name")
    pool = Pool(devices)
    running = list[Placement]()
    placements, unplaced = list[Placement](), list[str]()
    for use in in_order(servers):
        before = deepcopy(pool), [*running]
        try:
            placement = _placed(use, pool, devices, running)
        except ConfigurationError as error:
            if whole:
                raise
            pool, running = before
            unplaced.append(str(error))
            continue
        running.append(placement)
        placements.append(placement)
    return Plan(devices, tuple(placements), tuple(unplaced))


def _placed(use: ServerUse, pool: Pool, devices: Devices, running: list[Placement]) -> Placement:
    """Place a server; those stopped to make room for it are removed from `running`."""
    on_cpu = pool.needs(use) == 0
    after = list[str]()
    while (placement := pool.take(use)) is None:
        oldest = next((p for p in running if not p.use.keep and (not p.gpus) == on_cpu), None)
        if oldest is None:
            raise _too_many(use, pool.needs(use), devices, running)
        running.remove(oldest)
        pool.give(oldest)
        after.append(oldest.use.name)
    return replace(placement, after=tuple(after))


def _too_many(
    use: ServerUse, count: int, devices: Devices, running: Sequence[Placement]
) -> ConfigurationError:
    have, wanted = len(devices.gpus), format_gpus(count)
    kept = [placement for placement in running if placement.use.keep and placement.gpus]
    if count <= have and kept:
        names = ", ".join(placement.use.name for placement in kept)
        return ConfigurationError(
            f"the server {use.name!r} needs {wanted}, but of the {have} here some stay with "
            f"{names} for the whole run; set gpu-memory-utilization under `args:` of these servers "
            "to share a GPU, or take fewer"
        )
    there = "none" if not have else f"only {have}"
    why = f" ({devices.reason})" if devices.reason else ""
    return ConfigurationError(
        f"the server {use.name!r} needs {wanted}, and this machine has {there}{why}; lower "
        "`gpus:`, or leave it out"
    )


def format_gpus(count: int) -> str:
    """Format a number of GPUs: `1 GPU`, `2 GPUs`."""
    return "1 GPU" if count == 1 else f"{count} GPUs"
