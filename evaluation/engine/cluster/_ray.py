"""The cluster: the only module that imports Ray."""

import asyncio
import signal
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from ....common import ConfigurationError, OutageError, import_extra
from ....common.text import many
from ....models import ModelSpec
from ....targets import Fleet, Meter, ServerUse
from ...plan import RunPlan
from .._pool import WorkerLost
from .._travel import check_travels
from ._actor import WorkerActor
from ._address import ray_at
from ._errors import first_line, why_lost
from ._facts import facts_here
from ._head import Head
from ._placing import Node, Placed, place
from ._servers import cluster_fleet

_NODE_S = 60.0
"""For which a node is waited for to say what is installed on it."""
_SILENCE_S = 120.0
_STORE_SHARE = 4
"""The part of this node's object store that waits for workers, and that is kept at hand; the rest
is for what workers send, and for others."""
_FULL_S = 300.0
"""For which room in the object store is waited for."""
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class RayPool:
    """Workers as actors of a Ray cluster; see `Pool`.

    Args:
        ray: The module.
        wanted: How many there are to be; None for one for each CPU, also of nodes that come.
        most: How many there are to be at most.
        servers: The managed servers, which take a CPU each.
        store: Size of this node's object store, in bytes.
    """

    silence = _SILENCE_S

    def __init__(
        self, ray: Any, wanted: int | None, most: int, servers: Sequence[Placed], store: int
    ) -> None:
        self.room = store // _STORE_SHARE
        self.servers = servers
        self._wanted, self._most, self._number = wanted, most, 1
        self._ray = ray
        self._cpus = _cpus(ray)
        self._head = Head(ray.get_runtime_context().gcs_address)
        self._run = uuid.uuid4().hex
        # Not detached: they end with the process of the command, however that ends.
        self._actors = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(WorkerActor)

    def number(self) -> int:
        """Return how many workers there are to be now."""
        wanted = self._wanted or self._cpus - len(self.servers)
        self._number = max(self._number, min(wanted, self._most))
        return self._number

    @property
    def lacking(self) -> int:
        """How many workers have no CPU that they could take; see `Pool`."""
        return max(0, self.number() - max(0, self._cpus - len(self.servers)))

    async def watch(self) -> None:
        """Look for CPUs that come, and for the head of the cluster; see `Pool`."""
        while True:
            if await self._head.look() and self._wanted is None:
                self._cpus = await asyncio.to_thread(_cpus, self._ray)

    async def fleet(
        self,
        uses: Sequence[ServerUse],
        folder: Path,
        notify: Callable[[str], None],
        *,
        clock: Meter | None = None,
    ) -> Fleet:
        """Return the fleet of this run's servers; see `make_fleet`."""
        return cluster_fleet(self._ray, self._run, self.servers, folder, notify, clock=clock)

    def open(self, number: int) -> "_RayLink":
        """Return the way to a new worker, for which a CPU is found sooner or later."""
        actor = self._actors.options(name=None).remote(self._run)
        return _RayLink(self._ray, self._head, actor, number)

    async def keep(self, content: bytes) -> object:
        """Put bytes into the object store of this node, from which others fetch them."""
        until = asyncio.get_running_loop().time() + _FULL_S
        full = (self._ray.exceptions.ObjectStoreFullError, self._ray.exceptions.OutOfDiskError)
        while True:
            try:
                return await asyncio.to_thread(self._ray.put, content)
            except full as error:
                if asyncio.get_running_loop().time() >= until:
                    raise OutageError(
                        "the object store of this node stays full, and so does the disk that it "
                        "spills to: start Ray with a larger --object-store-memory or free some "
                        f"space in its --temp-dir, then repeat the command ({first_line(error)})"
                    ) from None
            await asyncio.sleep(1.0)


class _RayLink:
    def __init__(self, ray: Any, head: Head, actor: Any, number: int) -> None:
        self.name, self.node = f"worker {number + 1}", ""
        self._ray, self._head = ray, head
        self._actor = actor
        self._work: Any = None
        self._taking: Any = None
        self._unsent: str | None = None

    async def start(self, setup: bytes, server_key: str | None) -> None:
        host, process = await self._answer(self._actor.where.remote())
        self.node = f"{host} (process {process})"
        self._work = self._actor.work.remote(setup, server_key)

    def give(self, data: bytes, media: Mapping[str, object]) -> None:
        try:
            self._actor.give.remote(data, dict(media))
        except self._ray.exceptions.RayError as error:  # such as an object store that is full
            self._unsent = first_line(error)

    async def take(self) -> bytes:
        if self._unsent is not None:
            raise WorkerLost(f"it could not be sent a message: {self._unsent}")
        # Who is canceled here asks again, and gets the report that was on its way.
        if self._taking is None:
            self._taking = self._actor.take.remote()
        report = await self._answer(self._taking)
        self._taking = None
        return report

    async def close(self) -> None:
        # Without a head, Ray would not return and then end this process.
        if await self._head.answers():
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(self._actor)

    async def _answer(self, reference: Any) -> Any:
        try:
            return await reference
        except self._ray.exceptions.RayActorError as error:
            raise WorkerLost(why_lost(error)) from None
        except self._ray.exceptions.RayError as error:
            raise WorkerLost(first_line(error)) from None


@asynccontextmanager
async def open_ray(plan: RunPlan) -> AsyncGenerator[RayPool]:
    """Open the cluster of a run, whose nodes have been looked at.

    Args:
        plan: The run, with the address and the number of workers that it is to have.

    Raises:
        ConfigurationError: There is no cluster, what is installed there differs, a node lacks a
            key, or workers cannot do what the plan says.
    """
    check_travels(plan)
    with _connected(await ray_at(plan.options.address), plan.options.address) as ray:
        await _check_nodes(ray, plan.models)
        servers = place(plan.servers, _nodes(ray))
        most = max(1, plan.total)
        yield RayPool(ray, plan.options.workers, most, servers, _store_size(ray))


async def describe_cluster(plan: RunPlan) -> list[str]:
    """Describe the cluster and the workers of a run for `--plan`, a line each.

    Raises:
        ConfigurationError: See `open_ray`.
    """
    async with open_ray(plan) as pool:
        ray = import_extra("--engine ray", "ray")
        hosts = Counter(node.name for node in _nodes(ray))
        named = ", ".join(sorted(hosts))
        on = f"{many(hosts.total(), 'node')} with {many(_cpus(ray), 'CPU')} ({named})"
        placed = [f"server {server}" for server in pool.servers]
        waits = f"; {pool.lacking} wait for a CPU" if pool.lacking else ""
        return [f"engine ray: {many(pool.number(), 'worker')} on {on}{waits}", *placed]


class _Nothing(list[str]):
    """Stays empty: workers would import what lies in the current folder, before what is installed.

    A file of the user's that is named as some module would keep them from beginning.
    """

    def extend(self, _: object) -> None:
        """Take nothing."""


@contextmanager
def _connected(ray: Any, address: str | None) -> Generator[Any]:
    """Connect this process with a cluster within the block.

    Raises:
        ConfigurationError: It has another version of Python or Ray, or cannot be used.
    """
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        job = ray.job_config.JobConfig()
        job._py_driver_sys_path = _Nothing()  # nothing public is there for it
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", job_config=job)
    except SystemExit:  # so Ray ends on SIGTERM meanwhile
        raise KeyboardInterrupt from None
    except Exception as error:  # noqa: BLE001 - whatever Ray may raise
        with suppress(Exception):
            ray.shutdown()
        said = " ".join(str(error).split())
        if "ersion mismatch" in said:
            raise ConfigurationError(
                f"the cluster has another version of Ray or Python than this command: {said}"
            ) from None
        raise ConfigurationError(
            f"the Ray cluster at {address or 'this machine'} cannot be used: {said}"
        ) from None
    finally:
        for number, handler in handlers.items():  # Ray would end this process at once
            signal.signal(number, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


def _nodes(ray: Any) -> list[Node]:
    alive = [node for node in ray.nodes() if node["Alive"]]
    return [
        Node(
            node["NodeID"],
            node["NodeManagerHostname"],
            node["NodeManagerAddress"],
            int(node["Resources"].get("CPU", 0)),
            int(node["Resources"].get("GPU", 0)),
        )
        for node in alive
    ]


def _store_size(ray: Any) -> int:
    """Return the size of the object store of this node, into which the driver puts media."""
    here = ray.get_runtime_context().get_node_id()
    resources = next(node["Resources"] for node in ray.nodes() if node["NodeID"] == here)
    return int(resources["object_store_memory"])


def _cpus(ray: Any) -> int:
    return int(ray.cluster_resources().get("CPU", 0))


async def _check_nodes(ray: Any, models: Sequence[ModelSpec]) -> None:
    """Check that each node has what this process has, and the keys of a run.

    Raises:
        ConfigurationError: One differs or lacks a key; says which.
    """
    names = sorted({variable for spec in models for _, variable in spec.variables})
    here = facts_here()

    def look(package: str, variables: list[str]) -> Any:  # sent as it stands
        from importlib import import_module

        try:
            return import_module(package).facts_here(variables)
        except ImportError as error:
            return str(error)

    affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    looking = ray.remote(num_cpus=0, max_retries=0)(look)
    asked = {
        node: looking.options(scheduling_strategy=affinity(node.id, soft=False)).remote(
            __package__, names
        )
        for node in _nodes(ray)
    }
    problems = list[str]()
    for node, reference in asked.items():
        try:
            async with asyncio.timeout(_NODE_S):
                found = await reference
        except (ray.exceptions.RayError, TimeoutError) as error:
            if node.id not in [one.id for one in _nodes(ray)]:  # it has gone meanwhile
                continue
            problems.append(f"the node {node.name} does not answer ({first_line(error)})")
        else:
            problems += here.problems(found, node.name)
    if problems:
        raise ConfigurationError("; ".join(dict.fromkeys(problems)))
