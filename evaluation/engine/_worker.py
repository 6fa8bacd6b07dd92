"""Examines the trials that a driver gives, in whatever process: a worker without its cluster."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ...common import SafejuryError, first_failure
from ...models import Leaseholder, redactor
from ..runner import watched
from ._lanes import Lanes
from ._messages import Ended, Report, Row, Setup, Spent, Work
from ._opened import Fetch, Opened, open_worker
from ._stand_in import StandIn

_MANY_ROWS = 256
_SILENT_S = 0.5
"""Between two reports while there is nothing to say."""
_ABANDONED = 60
"""Seconds without a word from the driver after which a worker ends: nobody would keep what it
pays for."""


class Worker:
    """Examines trials, and reports their rows.

    `work` runs as long as the worker; meanwhile the driver gives trials with `give`, and takes
    what comes of them with `take`. All three are called in one event loop.

    Args:
        folder: Where it may put media and modules; on one node several may share it.
        fetch: Fetches media.
    """

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        self._folder = folder
        self._fetch = fetch
        self._called = asyncio.Event()
        self._stand_in = StandIn(self._row_added)
        self._opened: Opened | None = None
        self._lanes: Lanes | None = None
        self._ended: Ended | None = None
        self._pace = 0.0
        self._taken_at = self._heard_at = time.monotonic()
        self._told = [0]
        self._canceled = asyncio.Event()
        self._leases: Leaseholder | None = None
        self._is_granted = True

    async def work(self, setup: bytes, server_key: str | None = None) -> None:
        """Examine trials until the driver says that no more follow.

        Args:
            setup: A `Setup`.
            server_key: The API key of managed servers, None where there are none.
        """
        try:
            async with first_failure(), asyncio.TaskGroup() as group:
                work = group.create_task(self._examine_all(setup, server_key))
                watch = group.create_task(self._end_alone(work))
                await work
                watch.cancel()
            self._ended = Ended()
        except SafejuryError as error:
            self._ended = Ended(type(error).__name__, redactor.redact(str(error)))
        except asyncio.CancelledError:
            why = "it was ended" if self._canceled.is_set() else "it heard nothing of the driver"
            self._ended = Ended("CancelledError", why)
            if not self._canceled.is_set():
                raise
        except Exception as error:  # noqa: BLE001 - the driver raises it
            # Only this process knows its keys, which may be others than the driver's.
            self._ended = Ended("", redactor.redact(f"{type(error).__name__}: {error}"))
        finally:
            self._called.set()

    async def _examine_all(self, data: bytes, server_key: str | None) -> None:
        setup = msgspec.msgpack.decode(data, type=Setup)
        self._pace = setup.pace
        leases = Leaseholder(setup.worker, self._called.set)
        opening = open_worker(setup, self._folder, self._stand_in, leases, server_key)
        async with opening as opened:
            self._opened, self._leases = opened, leases
            self._lanes = Lanes(setup.lanes, setup.cases, opened, self._stand_in, self._called.set)
            self._called.set()
            async with watched(opened.models.registry, None):
                await self._lanes.work()
            leases.close()

    async def _end_alone(self, work: asyncio.Task[None]) -> None:
        """End the work when it is canceled, or once the driver seems to be gone."""
        heard_at, silent = self._heard_at, 0
        # Counted, since what keeps this process from hearing is no silence of the driver.
        while silent < _ABANDONED:
            try:
                await asyncio.wait_for(self._canceled.wait(), timeout=1.0)
                break
            except TimeoutError:
                silent = silent + 1 if heard_at == self._heard_at else 0
                heard_at = self._heard_at
        work.cancel()

    async def give(self, data: bytes, media: Mapping[str, object]) -> None:
        """Take trials.

        Args:
            data: A `Work`.
            media: References to the media of its trials, by SHA-256.
        """
        self._heard_at = time.monotonic()
        work = msgspec.msgpack.decode(data, type=Work)
        if work.canceled:
            self._canceled.set()
        if work.grant is not None and self._leases is not None:
            self._is_granted = True
            self._leases.accept(work.grant)
        if self._lanes is not None and self._opened is not None:
            self._opened.shelf.offer(media, self._fetch)
            self._lanes.take_in(work)

    async def take(self) -> bytes:
        """Return a `Report` as soon as there is something to say, and twice a second."""
        self._heard_at = time.monotonic()
        await self._something()
        self._taken_at = self._heard_at = time.monotonic()
        return msgspec.msgpack.encode(self._report())

    async def _something(self) -> None:
        """Wait until a report is due: at once in a hurry, else a moment after the first row."""
        while self._ended is None and len(self._stand_in) < _MANY_ROWS and not self._is_hungry:
            pause = self._pace if len(self._stand_in) or self._is_new else _SILENT_S
            left = self._taken_at + pause - time.monotonic()
            if self._leases is not None and self._is_granted:
                left = min(left, self._leases.due_in)
            if left <= 0:
                return
            self._called.clear()
            try:
                await asyncio.wait_for(self._called.wait(), timeout=left)
            except TimeoutError:
                return

    @property
    def _is_hungry(self) -> bool:
        return self._lanes is not None and self._lanes.is_hungry

    @property
    def _is_new(self) -> bool:
        """Whether the driver does not know yet for how many trials there is room."""
        return self._lanes is not None and self._lanes.takes != self._told

    def _report(self) -> Report:
        opened, lanes = self._opened, self._lanes
        rows: list[Row] = self._stand_in.take()
        is_last = self._ended is not None and not len(self._stand_in)
        if lanes is not None:
            self._told = lanes.tell()
        lease = None
        if self._leases is not None and self._is_granted and not is_last:
            lease, self._is_granted = self._leases.report(), False
        return Report(
            rows=rows,
            takes=[] if lanes is None else self._told,
            spent=Spent() if opened is None else opened.spent(),
            cases=0 if lanes is None else lanes.under_way,
            waits=[] if opened is None or self._ended else opened.models.registry.waits(),
            ready=lanes is not None,
            ended=self._ended if is_last else None,
            lease=lease,
        )

    def _row_added(self) -> None:
        if len(self._stand_in) in (1, _MANY_ROWS):
            self._called.set()
