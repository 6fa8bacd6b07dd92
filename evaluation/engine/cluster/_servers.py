"""Managed servers on the nodes of a cluster, each an actor in a placement group of its own."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....assembly.servers import SERVER_LOGS, check_priced
from ....common import ConfigurationError, FirstContactError
from ....common.files import make_private, private_folder
from ....targets import Devices, Fleet, Gpu, Meter, Placement, ServerUse
from ._errors import why_lost
from ._placing import Placed
from ._server_actor import ServerActor

_ROOM_S = 30
"""For which a node's GPUs are waited for: others may hold them."""
_STOP_S = 60.0
_ENV = {"RAY_kill_child_processes_on_worker_exit": "0"}
"""Else Ray kills the server's watchdog before it has stopped the server's descendants."""


class RemoteServer:
    """A managed server on a node of the cluster; see `targets.Server`.

    Args:
        ray: The module.
        run: Unique name of the run of this process.
        placed: The server and its node.
        key: The API key that it asks for; it goes to the server's actor in a call, which Ray
            keeps nowhere.
        folder: Where its log is put when it has ended.
    """

    def __init__(self, ray: Any, run: str, placed: Placed, key: str, folder: Path) -> None:
        self._ray, self._run, self._key = ray, run, key
        self._placed = placed
        self._spec = placed.use.spec
        self._folder = folder
        self._group: Any = None
        self._actor: Any = None
        self._ending: Any = None
        self._ended: str | None = "it was not started"
        self._url: str | None = None

    @property
    def log(self) -> Path:
        """The log of the server on this machine, once it has ended."""
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in self._placed.use.name)
        return self._folder / f"{name}.log"

    @property
    def url(self) -> str | None:
        """The API's address; a restart does not change it."""
        return self._url

    @property
    def ended(self) -> str | None:
        """How and why it ended, on one line; None while it runs."""
        return self._ended

    async def start(self) -> None:
        """Start the server on its node, and wait until it answers.

        Raises:
            ConfigurationError: The node has no room, or the server cannot be.
            FirstContactError: It did not answer, or its node is gone.
        """
        await self.stop()
        node, gpus = self._placed.node, self._placed.gpus
        await self._reserve()
        strategy = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
        # Not detached: it ends with the process of the command, however that ends.
        made = self._ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0)
        self._actor = (
            made(ServerActor)
            .options(
                scheduling_strategy=strategy(placement_group=self._group),
                runtime_env={"env_vars": _ENV},
            )
            .remote(self._run)
        )
        given = (self._placed.use.name, self._spec, gpus, node.address, self._key, str(self.log))
        try:
            url, why = await self._actor.start.remote(*given)
        except self._ray.exceptions.RayError as error:
            raise FirstContactError(f"{self._named}: {why_lost(error)}") from None
        if not url:
            kind, _, said = why.partition(" ")
            known = ConfigurationError if kind == "ConfigurationError" else FirstContactError
            raise known(f"on {node.name}: {said}")
        self._url, self._ended = url, None
        self._spec = replace(self._spec, port=int(url.rpartition(":")[2].partition("/")[0]))
        self._ending = self._actor.wait.remote()

    async def stop(self) -> None:
        """Stop the server, and give back what it took of its node."""
        self._ending, actor, self._actor = None, self._actor, None
        self._ended = self._ended or "it was stopped"
        if actor is not None:
            with suppress(self._ray.exceptions.RayError, TimeoutError, OSError):
                async with asyncio.timeout(_STOP_S):
                    self._keep_log(await actor.stop.remote())
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(actor)
        group, self._group = self._group, None
        if group is not None:
            with suppress(self._ray.exceptions.RayError):
                self._ray.util.remove_placement_group(group)

    async def wait(self) -> None:
        """Wait until the server has ended."""
        if self._ending is None or self._ended is not None:
            return
        try:
            self._ended = await self._ending
        except self._ray.exceptions.RayError as error:
            self._ended = f"{why_lost(error)} ({self._placed.node.name})"

    async def healthy(self, timeout: float = 10.0) -> bool:
        """Return whether the server reports within `timeout` seconds that it is healthy."""
        return bool(await self._asked("healthy", timeout))

    async def work_done(self, timeout: float = 10.0) -> float | None:
        """Return a counter of the server's work, None if it does not say so."""
        return await self._asked("work_done", timeout)

    async def _asked(self, what: str, timeout: float) -> Any:
        try:
            async with asyncio.timeout(2 * timeout):
                return await getattr(self._actor, what).remote(timeout)
        except (self._ray.exceptions.RayError, TimeoutError, AttributeError):
            return None

    async def _reserve(self) -> None:
        """Reserve the server's part of its node.

        Raises:
            ConfigurationError: It is not free, or Ray cannot reserve it.
        """
        node, gpus = self._placed.node, self._placed.gpus
        bundle = {"CPU": 1.0, **({"GPU": float(gpus)} if gpus else {})}
        try:
            self._group = self._ray.util.placement_group(
                [bundle],
                strategy="STRICT_PACK",
                bundle_label_selector=[{"ray.io/node-id": node.id}],
            )
        except TypeError:
            raise ConfigurationError(
                f"{self._named}: Ray {self._ray.__version__} cannot place it on a node: install "
                "Ray 2.60 or later on every node"
            ) from None
        for _ in range(_ROOM_S):
            if await asyncio.to_thread(self._group.wait, 1):
                return
        what = "a CPU" if not gpus else f"GPUs ({gpus}) and a CPU"
        raise ConfigurationError(
            f"{self._named} finds no {what} free on {node.name}: other work on the cluster holds "
            "them, or the node is gone; repeat the command when they are free"
        )

    @property
    def _named(self) -> str:
        return f"the server {self._placed.use.name!r}"

    def _keep_log(self, text: bytes) -> None:
        if text:
            private_folder(self._folder)
            make_private(self.log)
            with self.log.open("ab") as file:
                file.write(text)


def cluster_fleet(
    ray: Any,
    run: str,
    placed: Sequence[Placed],
    folder: Path,
    notify: Callable[[str], None],
    *,
    clock: Meter | None,
) -> Fleet:
    """Return the fleet of servers that have each a place on a cluster, with none started yet.

    Args:
        ray: The module.
        run: Unique name of the run of this process.
        placed: The servers and their nodes.
        folder: The run's directory; logs go into a folder there.
        notify: Is told what happens to the servers, a line each.
        clock: Charges for their time, None where nobody does.

    Raises:
        ConfigurationError: A model's folder is not there, or a server has a price per GPU hour
            and no GPU.
    """
    where = {one.use.name: one for one in placed}
    logs = folder / SERVER_LOGS

    def made(use: ServerUse, placement: Placement, key: str | None) -> RemoteServer:
        assert key is not None
        return RemoteServer(ray, run, where[use.name], key, logs)

    gpus = tuple(Gpu(number, "", 0, 0) for number in range(sum(one.gpus for one in placed)))
    fleet = Fleet(
        # All at once: who waits for another's place would need to know of nodes.
        [replace(one.use, keep=True, spec=replace(one.use.spec, gpus=one.gpus)) for one in placed],
        Devices(gpus),
        folder=logs,
        notify=notify,
        meter=clock,
        maker=made,
        api_key=secrets.token_urlsafe(),
    )
    if clock is not None:
        check_priced(fleet.plan.placements)
    for one in placed:
        notify(str(one))
    return fleet
