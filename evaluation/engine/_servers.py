"""The managed servers of a run, as its driver tells workers of them."""

from dataclasses import dataclass
from typing import Self

from ...targets import Fleet, ServerAddress


@dataclass(frozen=True, slots=True)
class RunServers:
    """The managed servers of a run; none where none was started.

    Attributes:
        addresses: Where they answer.
    """

    addresses: tuple[ServerAddress, ...]
    _fleet: Fleet | None

    @classmethod
    async def ready(cls, fleet: Fleet | None) -> Self:
        """Wait until all servers answer.

        Raises:
            FirstContactError: One does not start.
        """
        found = [] if fleet is None else [await fleet.address(name) for name in fleet.names]
        return cls(tuple(found), fleet)

    @property
    def key(self) -> str | None:
        """The API key that they all ask for."""
        if self._fleet is None or not self.addresses:
            return None
        return self._fleet.key_of(self.addresses[0].server)

    async def watch(self) -> None:
        """Raise why a server was given up, should one be.

        Raises:
            FirstContactError: It died too often.
        """
        if self._fleet is not None:
            await self._fleet.broken()
