"""Workers, as a driver sees them: where they run is for an engine to say."""

from collections.abc import Mapping
from typing import Protocol

from ...assembly.models import FleetMaker


class WorkerLost(Exception):
    """A worker is gone, and with it what it had not reported; says why."""


class Link(Protocol):
    """The way to one worker.

    Attributes:
        name: What it is called in messages, such as `worker 2`.
        node: The machine that it is on, empty until that is known.
    """

    name: str
    node: str

    async def start(self, setup: bytes, server_key: str | None) -> None:
        """Wait until there is room for the worker, and let it begin.

        Args:
            setup: A `Setup`.
            server_key: The API key of this run's managed servers, None where there are none. It
                goes to the worker alone, and lies nowhere on its way.

        Raises:
            WorkerLost: It is gone.
            ConfigurationError: It cannot be a worker of this run; says why.
        """
        ...

    def give(self, data: bytes, media: Mapping[str, object]) -> None:
        """Send it a `Work`, with references to media by SHA-256; does not wait."""
        ...

    async def take(self) -> bytes:
        """Return its next `Report`.

        Raises:
            WorkerLost: It is gone.
        """
        ...

    async def close(self) -> None:
        """End it, whatever it does; nothing of it is left."""
        ...


class Pool(Protocol):
    """The workers of a run.

    Attributes:
        silence: Seconds without a report after which a worker that was ready is lost.
        fleet: Makes the run's managed servers where workers reach them; None where there can be
            none.
        room: About how many bytes of media may wait for workers, and how many may be kept at hand
            beside them: what `keep` keeps without a need to move it to a disk.
    """

    silence: float
    room: int

    @property
    def fleet(self) -> FleetMaker | None: ...

    @property
    def lacking(self) -> int:
        """How many of them there is no room for until machines are added."""
        ...

    def number(self) -> int:
        """Return how many there are to be now, at least 1; it never becomes less."""
        ...

    async def watch(self) -> None:
        """Watch over the machines of the workers until this call is canceled.

        Raises:
            OutageError: They are out of reach.
        """
        ...

    def open(self, number: int) -> Link:
        """Return the way to a new worker.

        Args:
            number: Its number, from 0; that of a worker which was lost is given again.
        """
        ...

    async def keep(self, content: bytes) -> object:
        """Return a reference with which every worker can fetch bytes.

        They are kept as long as the reference is, and travel to a node once.

        Raises:
            OutageError: There is no room for them.
        """
        ...
