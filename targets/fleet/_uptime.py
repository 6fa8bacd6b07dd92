"""The interface for metering how long servers run."""

from typing import Protocol

from ._plan import ServerUse


class Meter(Protocol):
    """Meters the uptime of servers; its methods never block."""

    def started(self, use: ServerUse, gpus: int) -> None:
        """Called before a server starts, and before each restart, with its number of GPUs."""
        ...

    def stopped(self, use: ServerUse) -> None:
        """Called when a server has stopped for good, even if it never started."""
        ...
