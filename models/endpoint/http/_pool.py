"""Keeps the open connections to a server."""

import asyncio
import math
from collections.abc import Generator
from contextlib import contextmanager

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]
from yarl import URL

from ._addresses import Addresses
from ._faults import IDLE_S, Faults, words_of
from ._outbox import Outbox
from ._wire import BrokenError, Wire

_NEXT_ADDRESS_S = 0.25  # as aiohttp waits for one address before it tries another, too


class Pool:
    """The connections that one event loop has to a server; opened as they are needed.

    Args:
        origin: The server's scheme, host and port.
        faults: How errors are told, and how long things may take.
    """

    def __init__(self, origin: URL, faults: Faults) -> None:
        self.loop = asyncio.get_running_loop()
        self._faults = faults
        self._timeout, self._connect_s = faults.reach.timeout, faults.reach.connect_timeout
        self._outbox = Outbox(self.loop)
        self._addresses = Addresses(origin.raw_host or "", origin.port or 80)
        self._idle = list[tuple[float, Wire]]()  # the last one used is at the end
        self._busy = dict[Wire, float]()
        """When each exchange must be over."""
        self._timer: asyncio.TimerHandle | None = None
        self._next = math.inf
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def is_near(self) -> bool:
        """Return whether the server is on this machine or a private network.

        Raises:
            TransportError: It cannot be found.
        """
        with self._explained():
            async with asyncio.timeout(self._connect_s):
                return await self._addresses.are_near()

    def idle(self) -> Wire | None:
        """Take a connection that is open already, None if there is none."""
        while self._idle:
            since, wire = self._idle.pop()
            if wire.reusable and self.loop.time() - since < IDLE_S:
                return wire
            wire.abort()
        return None

    async def connected(self, began: float) -> Wire:
        """Open a connection.

        Args:
            began: When the exchange began, in the event loop's time.

        Raises:
            TransportError: That failed.
        """
        left = began + self._timeout - self.loop.time()
        with self._explained():
            async with asyncio.timeout(min(self._connect_s, left)):
                found = await self._addresses.find()
                sock = await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_S)
                try:
                    _, wire = await self.loop.create_connection(
                        lambda: Wire(self._faults.max_reply_bytes, self._outbox), sock=sock
                    )
                except BaseException:
                    sock.close()
                    raise
        return wire

    @contextmanager
    def _explained(self) -> Generator[None]:
        faults = self._faults
        try:
            yield
        except OSError as error:
            if isinstance(error, TimeoutError) and not error.errno:  # ours, not the system's
                late = self._connect_s < self._timeout
                raise (faults.late_connection() if late else faults.late_reply()) from error
            raise faults.unreachable(error, words_of(error)) from error

    def begin(self, wire: Wire, began: float) -> None:
        """Bound the time of an exchange that began in the event loop's time."""
        due = self._busy[wire] = began + self._timeout
        if due < self._next:
            self._arm(due)

    def put_back(self, wire: Wire) -> None:
        """Keep a connection for another exchange, if it is fit for one."""
        del self._busy[wire]
        if not wire.reusable or self._closed:
            wire.abort()
            wire.forget()
            return
        self._idle.append((self.loop.time(), wire))
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(IDLE_S, self._sweep)

    async def aclose(self) -> None:
        """Close all connections."""
        self._closed = True
        for timer in (self._timer, self._sweeper):
            if timer is not None:
                timer.cancel()
        wires = [*self._busy, *(wire for _, wire in self._idle)]
        self._idle.clear()
        for wire in wires:
            wire.fail(BrokenError("it was closed here"))
            await wire.close()

    def _sweep(self) -> None:
        """Close what was idle for long."""
        self._sweeper = None
        old, kept = self.loop.time() - IDLE_S, list[tuple[float, Wire]]()
        for since, wire in self._idle:
            if since > old and wire.reusable:
                kept.append((since, wire))
            else:
                wire.abort()
        self._idle = kept
        if kept:
            self._sweeper = self.loop.call_at(kept[0][0] + IDLE_S, self._sweep)

    def _arm(self, due: float) -> None:
        """Wake up when an exchange must be over: one timer serves all of them."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._next = self.loop.call_at(due, self._expire), due

    def _expire(self) -> None:
        self._timer, self._next = None, math.inf
        now, ahead = self.loop.time(), math.inf
        for wire, due in self._busy.items():
            if due > now:
                ahead = min(ahead, due)
            else:
                wire.fail(TimeoutError())
        if ahead < math.inf:
            self._arm(ahead)
