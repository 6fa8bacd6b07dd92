"""Who is told for how long the servers of a fleet run."""

from typing import Protocol

from ._plan import ServerUse


class Meter(Protocol):
    """Is told when a server starts and when it has stopped; its methods never wait."""

    def started(self, use: ServerUse, gpus: int) -> None:
        """Be told that a server is about to start on so many GPUs; each restart tells it again."""
        ...

    def stopped(self, use: ServerUse) -> None:
        """Be told that a server has stopped for good; one that never started may be told of."""
        ...
