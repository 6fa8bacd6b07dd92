"""Looks up the addresses of a host."""

import asyncio
import socket
from ipaddress import ip_address
from typing import cast

from .._transport import is_near

_KEPT_S = 10.0  # as long as aiohttp keeps them
_OF_THIS_HOSTS_FAMILIES = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", ~0)

AddressInfo = tuple[int, int, int, str, tuple[str | int, ...]]


class Addresses:
    """The addresses of a host; those of a name are looked up again from time to time.

    Args:
        host: Its name or address.
        port: The port on it.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._found: list[AddressInfo] = []
        self._until = 0.0

    async def find(self) -> list[AddressInfo]:
        """Return the addresses to connect to; each time another one comes first.

        So the servers behind one name share the connections, as they do with aiohttp.

        Raises:
            OSError: There is none.
        """
        async with self._lock:  # many calls begin at the same time
            if self._loop.time() >= self._until or not self._found:
                literal = _is_address(self._host)
                found = await self._loop.getaddrinfo(
                    self._host,
                    self._port,
                    type=socket.SOCK_STREAM,
                    flags=socket.AI_NUMERICHOST if literal else _OF_THIS_HOSTS_FAMILIES,
                )
                self._found = cast("list[AddressInfo]", found)
                self._until = self._loop.time() + (float("inf") if literal else _KEPT_S)
            first, *others = self._found
            self._found = [*others, first]
            return [first, *others]

    async def are_near(self) -> bool:
        """Return whether they are of this machine or a private network, by name or all.

        Raises:
            OSError: There is none.
        """
        return is_near(self._host) or all(
            is_near(str(address[0])) for *_, address in await self.find()
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
