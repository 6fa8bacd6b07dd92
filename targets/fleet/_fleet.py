"""Starts the vLLM servers of a run as there is room, watches them and stops them all."""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from ...common import ConfigurationError
from ...common.text import did_you_mean
from ...models import ChatModel, ModelSpec
from ..vllm import ManagedServer
from ._address import ServerAddress
from ._devices import Devices
from ._keeper import Keeper, WatchTimings
from ._plan import Placement, Plan, Pool, ServerUse, in_order, plan
from ._server import Server, ServerMaker
from ._uptime import Meter

_KEY = "VLLM_API_KEY"


class Fleet:
    """A fleet of vLLM servers that start as there is room for them.

    Servers that are kept are started at once and stay. The others follow in their
    order: each is started as soon as there is room, and makes room when it is
    released. On leaving, all are stopped.

    Args:
        servers: What is needed.
        devices: What there is to run them on.
        folder: Where the servers' logs go.
        notify: Called with a line of text for each event of the servers.
        keyed: Whether servers ask for a random key: others who can log in to this
            machine reach them too. A VLLM_API_KEY in the environment, or a server's
            own, comes before it.
        hang_timeout: Seconds without an answer or any work, while calls are in flight,
            after which a server counts as hung.
        probe_every: Seconds between two looks.
        grace: Seconds that a server has to end before it is killed.
        meter: Meters how long servers run, None for no metering.
        maker: Makes a server that runs elsewhere; on this machine unless given.
        api_key: The key that servers ask for; see `keyed` unless given.

    Raises:
        ConfigurationError: Two servers have one name, one needs more than there is,
            or the files of a model are missing.
    """

    def __init__(
        self,
        servers: Sequence[ServerUse],
        devices: Devices,
        *,
        folder: Path,
        notify: Callable[[str], None],
        keyed: bool = True,
        hang_timeout: float = 120.0,
        probe_every: float = 5.0,
        grace: float = 10.0,
        meter: Meter | None = None,
        maker: ServerMaker | None = None,
        api_key: str | None = None,
    ) -> None:
        self._plan = plan(servers, devices)
        self._devices = devices
        self._folder = folder
        made = api_key or os.environ.get(_KEY)
        self._key = made or (secrets.token_urlsafe() if keyed else None)
        self._maker = maker or self._local
        self._grace = grace
        self._line = _Line(Pool(devices))
        self._starting = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._going = set[str]()
        self._group = asyncio.TaskGroup()
        watch = WatchTimings(probe_every, hang_timeout)
        self._keepers = {
            use.name: Keeper(
                use,
                take=self._line.take,
                give=self._line.give,
                server=self._server(use),
                starting=self._lock,
                notify=notify,
                watch=watch,
                meter=meter,
            )
            for use in in_order(servers)
        }

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        for name, keeper in self._keepers.items():
            self._tasks[name] = self._group.create_task(keeper.keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in self._tasks:
            self._let_go(name)
        # The group would wrap the body's own error; keepers raise none.
        await self._group.__aexit__(None, None, None)

    @property
    def plan(self) -> Plan:
        """The plan: which servers run together and which wait."""
        return self._plan

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the servers, in the order in which they start."""
        return tuple(self._keepers)

    def model(self, spec: ModelSpec) -> ChatModel:
        """Return the model of a spec whose `server` belongs to this fleet.

        Raises:
            ConfigurationError: There is no such server.
        """
        from ._model import ManagedModel  # with a client, which plans do without

        keeper = self._keeper(spec.server or "")
        return ManagedModel(spec, keeper, api_key=self._key_of(keeper.use))

    async def ready(self, name: str) -> str:
        """Wait until a server answers and return the address of its API.

        Raises:
            ConfigurationError: There is no such server.
            FirstContactError: It does not start, or died or hung too often.
        """
        return (await self._keeper(name).ready()).url

    async def address(self, name: str) -> ServerAddress:
        """Wait until a server answers and return where other processes find it.

        Raises:
            ConfigurationError: There is no such server.
            FirstContactError: It does not start, or died or hung too often.
        """
        keeper = self._keeper(name)
        life = await keeper.ready()
        return ServerAddress.of(keeper.use, life.url)

    def key_of(self, name: str) -> str | None:
        """Return the API key that a server asks for, None for none.

        Raises:
            ConfigurationError: There is no such server.
        """
        return self._key_of(self._keeper(name).use)

    async def broken(self) -> None:
        """Wait until a server is given up; forever if all are healthy.

        Raises:
            FirstContactError: A server did not start, or died or hung too often.
        """
        kept = dict(self._tasks)
        while kept:
            await asyncio.wait(kept.values(), return_when=asyncio.FIRST_COMPLETED)
            for name, task in list(kept.items()):
                if task.cancelled():  # released
                    del kept[name]
                elif task.done():
                    await self.ready(name)
        await asyncio.Event().wait()

    def release(self, name: str) -> None:
        """Release a server that gets no more calls: it is stopped, and the next one starts.

        One that still waits for its turn is not started at all. One that is kept
        stays up.

        Raises:
            ConfigurationError: There is no such server.
        """
        keeper = self._keeper(name)
        if not keeper.use.keep and name in self._tasks:
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        # Once: a second cancellation would cut the stopping of the server short.
        if name not in self._going:
            self._going.add(name)
            self._tasks[name].cancel()

    def _keeper(self, name: str) -> Keeper:
        try:
            return self._keepers[name]
        except KeyError:
            hint = did_you_mean(name, self._keepers)
            raise ConfigurationError(f"there is no managed server {name!r}{hint}") from None

    def _server(self, use: ServerUse) -> Callable[[Placement], Server]:
        return lambda placement: self._maker(use, placement, self._key_of(use))

    def _local(self, use: ServerUse, placement: Placement, api_key: str | None) -> Server:
        return ManagedServer(
            use.name,
            use.spec,
            folder=self._folder,
            gpus=self._ids(placement),
            api_key=api_key,
            grace=self._grace,
        )

    def _ids(self, placement: Placement) -> list[str] | None:
        """Return the ids of a placement's GPUs; None on a machine without GPUs."""
        if not self._devices.gpus:
            return None
        ids = {gpu.index: gpu.id or str(gpu.index) for gpu in self._devices.gpus}
        return [ids[index] for index in placement.gpus]

    def _lock(self, placement: Placement) -> asyncio.Lock:
        # vLLM measures the memory that is free while it starts, so others that share
        # its GPU must not start meanwhile.
        return self._starting if placement.share < 1 else asyncio.Lock()

    def _key_of(self, use: ServerUse) -> str | None:
        return dict(use.spec.env).get(_KEY) or self._key


class _Line:
    """A first-in, first-out queue for places on GPUs and the CPU."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[ServerUse, asyncio.Future[Placement]]] = []

    async def take(self, use: ServerUse) -> Placement:
        place: asyncio.Future[Placement] = asyncio.get_running_loop().create_future()
        self._waiting.append((use, place))
        self._advance()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._pool.give(place.result())
            place.cancel()
            self._advance()
            raise

    def give(self, placement: Placement) -> None:
        self._pool.give(placement)
        self._advance()

    def _advance(self) -> None:
        waiting = [(use, place) for use, place in self._waiting if not place.done()]
        self._waiting = []
        full = set[bool]()  # those for the CPU do not wait for those for GPUs
        for use, place in waiting:
            on_gpus = self._pool.needs(use) > 0
            placement = None if on_gpus in full else self._pool.take(use)
            if placement is not None:
                place.set_result(placement)
            else:
                full.add(on_gpus)
                self._waiting.append((use, place))


async def serve(fleet: Fleet, announce: Callable[[str], None]) -> None:
    """Start all servers, announce their addresses, and wait until canceled.

    Args:
        fleet: The servers, not yet entered; all must find room at once.
        announce: Called for each server that answers, with a line of name and address.

    Raises:
        ConfigurationError: There is not room for all.
        FirstContactError: A server does not start, or died or hung too often.
    """
    if waiting := fleet.plan.waiting:
        names = ", ".join(placement.use.name for placement in waiting)
        raise ConfigurationError(f"there is no room for all servers at once: {names} would wait")

    async with fleet:
        try:
            async with asyncio.TaskGroup() as group:  # the first failed start is reported
                ready = {name: group.create_task(fleet.ready(name)) for name in fleet.names}
                for name, task in ready.items():
                    announce(f"{name}: {await task}")
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        await fleet.broken()
