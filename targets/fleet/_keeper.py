"""Keeps one server of a fleet running, from its turn until it is released."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ...common import ConfigurationError, FirstContactError
from ..vllm import PROBE_S
from ._plan import Placement, ServerUse
from ._server import Server
from ._uptime import Meter

_BEAT_S = 30.0
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class WatchTimings:
    """The timings of the health checks.

    Attributes:
        probe_every: Seconds between two looks at a server with calls in flight.
        hang_timeout: Seconds without an answer, or without any work on its calls, after
            which it counts as hung; the second at least as long as a call may take.
    """

    probe_every: float = 5.0
    hang_timeout: float = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class ServerLifetime:
    """One lifetime of a server, from a start to its end.

    Attributes:
        url: The API's address.
        server: The server.
    """

    url: str
    server: Server


class Keeper:
    """Starts a server when it is its turn, and restarts it when it dies or hangs.

    Args:
        use: The server.
        take: Waits for its place.
        give: Gives the place back.
        server: Makes the server for a place.
        starting: Held while it starts, so that servers on one GPU start one by one.
        notify: Called with a line of text for each event.
        watch: How closely it is watched.
        meter: Meters how long it runs, None for no metering.
    """

    def __init__(
        self,
        use: ServerUse,
        *,
        take: Callable[[ServerUse], Awaitable[Placement]],
        give: Callable[[Placement], None],
        server: Callable[[Placement], Server],
        starting: Callable[[Placement], asyncio.Lock],
        notify: Callable[[str], None],
        watch: WatchTimings,
        meter: Meter | None = None,
    ) -> None:
        self.use = use
        self._take = take
        self._give = give
        self._server = server
        self._starting = starting
        self._notify = notify
        self._watch = watch
        self._meter = meter
        self._life: ServerLifetime | None = None
        self._failure: str | None = None
        self._changed = asyncio.Event()
        self._in_flight = 0
        self._longest_call = 0.0
        self._answered = self._worked = 0.0  # when it last did, on the loop's clock
        self._work: float | None = None
        self._heart: asyncio.TimerHandle | None = None

    async def keep(self) -> None:
        """Keep the server running until this call is canceled."""
        try:
            placement = await self._take(self.use)
            try:
                await self._serve(placement)
            finally:
                self._give(placement)
        except (ConfigurationError, OSError) as error:
            self._set(None, f"{error}")
        finally:
            if self._failure is None:
                self._set(None, _done(self.use))

    async def ready(self) -> ServerLifetime:
        """Wait until the server answers.

        Raises:
            FirstContactError: It does not start, or died or hung too often.
        """
        while True:
            if self._life is not None:
                return self._life
            if self._failure is not None:
                raise FirstContactError(self._failure)
            await self._changed.wait()

    async def is_over(self, life: ServerLifetime) -> bool:
        """Return whether the server that failed a call is gone; False once it is known healthy."""
        self._in_flight += 1  # or the watch would take a hung server for an idle one
        try:
            while self._life is life:
                if life.server.ended is None and self._works() and await life.server.healthy():
                    return self._life is not life
                # It is dead, about to die, or hung: the watch decides.
                changed = self._changed
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_S):
                        await changed.wait()
            return True
        finally:
            self._in_flight -= 1

    @contextmanager
    def call(self, timeout: float) -> Generator[None]:
        """Count a call as in flight, during which the server must make progress.

        Args:
            timeout: Seconds that the call may take.
        """
        if not self._in_flight:
            self._worked = self._now()
        self._in_flight += 1
        self._longest_call = max(self._longest_call, timeout)
        try:
            yield
            self._worked = self._now()
        finally:
            self._in_flight -= 1

    def _set(self, life: ServerLifetime | None, failure: str | None = None) -> None:
        self._life, self._failure = life, failure
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _serve(self, placement: Placement) -> None:
        server = self._server(placement)
        left = self.use.spec.restarts
        try:
            await self._start(server, placement)
            while True:
                why = await self._trouble(server)
                self._set(None)
                await server.stop()
                left = await self._restart(server, placement, why, left)
        finally:
            if self._life is not None:
                self._notify(f"{self.use.name}: stopping")
                self._set(None, _done(self.use))
            try:
                await server.stop()
            finally:
                if self._meter is not None:
                    self._meter.stopped(self.use)

    async def _restart(self, server: Server, placement: Placement, why: str, left: int) -> int:
        """Restart the server and return how many restarts are left."""
        while left > 0:
            left -= 1
            self._notify(f"{self.use.name}: restarting ({left} restarts left): {why}")
            try:
                await self._start(server, placement)
            except FirstContactError as error:
                why = str(error)
            else:
                return left
        raise FirstContactError(_worn_out(self.use, why))

    async def _start(self, server: Server, placement: Placement) -> None:
        async with self._starting(placement):
            begun = self._now()
            if self._meter is not None:
                self._meter.started(self.use, len(placement.gpus))
            self._notify(f"{self.use.name}: loading {self.use.spec.model} (log: {server.log})")
            self._beat(begun)
            try:
                await server.start()
            finally:
                if self._heart is not None:
                    self._heart.cancel()
        assert server.url is not None
        self._notify(f"{self.use.name}: up at {server.url} after {self._now() - begun:.0f} s")
        self._set(ServerLifetime(server.url, server))

    def _beat(self, begun: float) -> None:
        """Report from time to time how long the server has been loading."""
        loop = asyncio.get_running_loop()
        if (seconds := loop.time() - begun) >= _BEAT_S:
            self._notify(f"{self.use.name}: still loading after {seconds:.0f} s")
        self._heart = loop.call_later(_BEAT_S, self._beat, begun)

    async def _trouble(self, server: Server) -> str:
        """Wait until the server must be restarted, and return why."""
        self._answered = self._worked = self._now()
        self._work = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._watch.probe_every):
                    await server.wait()
            if (ended := server.ended) is not None:
                return ended
            if not self._in_flight:
                self._answered = self._worked = self._now()
            elif (hang := await self._hang(server)) is not None:
                return f"{hang} (log: {server.log})"

    async def _hang(self, server: Server) -> str | None:
        """Return how the server hangs, None if it may still be working."""
        limit = self._watch.hang_timeout
        patience = min(PROBE_S, limit)
        if not await server.healthy(patience):
            silent = self._now() - self._answered
            return f"it did not answer for {silent:.0f} s" if silent >= limit else None
        self._answered = self._now()
        work = await server.work_done(patience)
        if work is None or work != self._work:
            self._work, self._worked = work, self._now()
        idle = self._now() - self._worked
        if idle < max(limit, self._longest_call):
            return None
        return f"it did no work for {idle:.0f} s, with {self._in_flight} calls in flight"

    def _works(self) -> bool:
        """Return whether the server recently worked or had nothing to do."""
        return self._now() - self._worked < 2 * self._watch.probe_every

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _done(use: ServerUse) -> str:
    return f"the server {use.name!r} was stopped, because its work was done"


def _worn_out(use: ServerUse, why: str) -> str:
    count = use.spec.restarts
    times = "once" if count == 1 else f"{count} times"
    tried = f"restarted {times} (restarts: {count})" if count else "not restarted (restarts: 0)"
    return f"the server {use.name!r} failed and was {tried}: {why}"
