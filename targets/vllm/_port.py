"""Reserves a port from before a server listens on it until after."""

import socket
import sys

from ._spec import LOOPBACK


class PortTaken(Exception):
    """The port is in use, or reserved by another run of safejury."""


class HeldPort:
    """A reserved port on this machine, held until it is closed.

    Between the choice of a free port and its server's first word lie seconds in which
    another program could be given the same one. So a socket stays bound to it, which
    does not listen: the system does not hand the port out as a free one, and lets a
    server that names it listen. Two runs that name one port are kept apart by a second
    socket's name, which is free again once its process has ended, however it did.

    Args:
        number: The port; 0 takes a free one.
        host: The address of this machine on which the server will listen.

    Raises:
        PortTaken: It is in use.
    """

    def __init__(self, number: int = 0, host: str = LOOPBACK) -> None:
        self._bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._name = socket.socket(socket.AF_UNIX)
        try:
            # As servers do: connections that just ended do not count.
            self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._bound.bind((host, number))
            self.number = int(self._bound.getsockname()[1])
            if sys.platform.startswith("linux"):
                self._name.bind(f"\0safejury-port-{self.number}")
        except OSError:
            self.close()
            raise PortTaken from None

    def close(self) -> None:
        """Release the port; may be called twice."""
        self._bound.close()
        self._name.close()


def hold_port(wished: int | None, host: str = LOOPBACK) -> HeldPort:
    """Reserve the requested port, or any free one if it is in use or none is requested.

    Raises:
        PortTaken: There is none.
    """
    try:
        return HeldPort(wished or 0, host)
    except PortTaken:
        return HeldPort(0, host)
