"""A driver's connection to its database, which may go away for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from ....common import RecordError
from ....common.text import many
from ..postgres import Connection, Place, connect_async, errors, is_away, unusable, why
from ._leases import BREAK_OFF

T = TypeVar("T")

_LONGEST_S = 60.0
"""After so long without a reply to one transaction a connection is given up."""
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 10.0
_PAUSE_S = 1.0
_SAID_EVERY_S = 60.0


class Link:
    """A connection on which one thing is done at a time, and again where the connection broke.

    What is done must be the same however often it is done.

    Args:
        place: The database.
        lease: Seconds for which a driver is waited for.
        patience: Seconds for which it is waited for when it is away.
        tell: Told what is waited for.
    """

    def __init__(
        self, place: Place, lease: float, patience: float, tell: Callable[[str], None]
    ) -> None:
        self._place = place
        self._lease = lease
        self._patience = patience
        self._tell = tell
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self.is_away = False
        self.hurries = False
        """Whether a database that is away is not waited for any more."""
        self.on_return: Callable[[], None] = lambda: None
        """Called when it is there again."""

    async def do(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on the connection; where that is away, wait until it is there again.

        Raises:
            RecordError: The database was away for too long, or refuses it.
        """
        async with self._turn:
            since: float | None = None
            said, wait = 0.0, _FIRST_WAIT_S
            while True:
                try:
                    async with asyncio.timeout(_LONGEST_S):
                        connection = await self._connected()
                        if since is not None:
                            values = {"name": self._place.run, "lease": self._lease}
                            await connection.execute(BREAK_OFF, values)
                        found = await work(connection)
                except (errors(), OSError, TimeoutError) as error:
                    await self.close()
                    if not (isinstance(error, OSError | TimeoutError) or is_away(error)):
                        raise unusable(self._place, error) from None
                    now = time.monotonic()
                    since = now if since is None else since
                    if self.hurries or now - since >= self._patience:
                        self.hurries = True
                        raise self._gone(error, now - since) from None
                    self.is_away = True
                    if not said or now - said >= _SAID_EVERY_S:
                        said = now
                        self._tell(
                            f"Waiting for {self._place.shown}, which keeps the record "
                            f"({_said(error)}); calls under way end, and new ones wait"
                        )
                    await self._wait(min(wait, self._patience))
                    wait = min(2 * wait, _LONGEST_WAIT_S)
                else:
                    if since is not None:
                        self.is_away = False
                        self.on_return()
                        away = many(round(time.monotonic() - since), "second")
                        self._tell(f"{self._place.shown} is there again, after {away}")
                    return found

    async def pause(self, error: Exception, since: float) -> None:
        """Wait before something is done again that failed on a connection of its own.

        Args:
            error: What failed.
            since: When it was done first, as `time.monotonic` says it.

        Raises:
            RecordError: It failed for too long, or will not work again.
        """
        if not is_away(error):
            raise unusable(self._place, error) from None
        away = time.monotonic() - since
        if self.hurries or away >= self._patience:
            raise self._gone(error, away) from None
        await self._wait(min(_PAUSE_S, self._patience))

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(errors(), OSError):
                await connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = await connect_async(self._place)
        return self._connection

    async def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.hurries and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _FIRST_WAIT_S))

    def _gone(self, error: Exception, seconds: float) -> RecordError:
        return RecordError(
            f"{self._place.shown}: the database that keeps the record was away for "
            f"{many(round(seconds), 'second')} ({_said(error)}): start it and repeat the command, "
            "which goes on."
        )


def _said(error: Exception) -> str:
    return "no reply" if isinstance(error, TimeoutError) else why(error)
