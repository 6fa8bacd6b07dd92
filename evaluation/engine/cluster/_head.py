"""The head of a cluster, without which Ray ends this process; it does not import Ray."""

import asyncio

from ....common import OutageError

_LOOK_S = 2.0
"""Between two looks."""
_CONNECT_S = 3.0
_PATIENCE_S = 20.0
"""For which a head may be out of reach; after 60 seconds Ray would end this process at once."""
_FEWEST_LOOKS = 4


class Head:
    """The head of a cluster.

    Args:
        address: Where it answers, as `HOST:PORT`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._host, _, self._port = address.rpartition(":")
        self._missed, self._away = 0, 0.0

    async def look(self) -> bool:
        """Return whether it is there, a moment after the last look.

        Raises:
            OutageError: It has been away for too long.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(_LOOK_S)
        if await self.answers():
            self._missed, self._away = 0, 0.0
            return True
        self._missed += 1
        self._away += loop.time() - begun
        # Counted, so that a pause of this process is no absence of the head.
        if self._away >= _PATIENCE_S and self._missed >= _FEWEST_LOOKS:
            raise OutageError(
                f"the head of the Ray cluster at {self._address} does not answer any more. "
                "Finished cases are kept: start a cluster and repeat the command."
            )
        return False

    async def answers(self) -> bool:
        """Return whether it is there now."""
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(self._host.strip("[]"), int(self._port))
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
