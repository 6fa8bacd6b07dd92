"""Sends HTTP requests to an endpoint, by one of two transports."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from yarl import URL

from ....common import ConfigurationError
from ._faults import ConnectionOptions, Faults
from ._reply import HttpReply

if TYPE_CHECKING:
    import aiohttp

    from ._lean import LeanTransport

_SETTING = "SAFEJURY_TRANSPORT"


class Transport(Protocol):
    """A way to send requests."""

    async def exchange(
        self,
        method: str,
        url: URL,
        body: bytes | Sequence[bytes] | None,
        on_data: Callable[[bytes], None] | None,
    ) -> HttpReply:
        """Send a request and return the reply; its errors are those of `Connection.post`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Connection:
    """An HTTP connection to one server; its errors say what to change.

    Plain HTTP to this machine and private networks, where inference servers are, has a lean
    transport. All else goes through aiohttp, which knows TLS, proxies and what stands in the
    way on public networks: `SAFEJURY_TRANSPORT=aiohttp` sends everything through it.

    Args:
        name: The model's name, for errors.
        headers: Sent with each request.
        reach: How the server is reached.
        max_reply_bytes: Longest body that is read.
        session: A session of the caller's, which then closes it; None opens what is
            needed at the first post.

    Raises:
        ConfigurationError: `SAFEJURY_TRANSPORT` names no transport.
    """

    def __init__(
        self,
        name: str,
        headers: Mapping[str, str],
        reach: ConnectionOptions,
        *,
        max_reply_bytes: int,
        session: "aiohttp.ClientSession | None" = None,
    ) -> None:
        self._headers, self._faults = headers, Faults(name, reach, max_reply_bytes)
        self._session = session
        self._may_be_lean = _is_lean_allowed() and session is None and reach.proxy is None
        self._ways = dict[URL, Transport]()
        self._lean = dict[URL, "LeanTransport"]()  # by origin
        self._general: Transport | None = None

    async def post(
        self,
        url: URL,
        body: bytes | Sequence[bytes],
        *,
        on_event_data: Callable[[bytes], None] | None = None,
    ) -> HttpReply:
        """Post `body` and return the reply, whatever its status; redirects are not followed.

        Args:
            url: Where it goes.
            body: What is sent, in one piece or in several; long ones are not copied.
            on_event_data: Is given the bytes of a stream of events as they come.

        Raises:
            TransportError: Nothing came back, or not all; permanent where waiting
                won't help.
            RequestError: The proxy refuses us.
            BadReplyError: The reply is too long or not HTTP.
        """
        way = self._ways.get(url) or await self._way(url)
        return await way.exchange("POST", url, body, on_event_data)

    async def get(self, url: URL) -> HttpReply:
        """Get `url`; see `post`."""
        way = self._ways.get(url) or await self._way(url)
        return await way.exchange("GET", url, None, None)

    async def aclose(self) -> None:
        """Close the connections, unless the session is the caller's."""
        opened: list[Transport] = [*self._lean.values()]
        if self._general is not None:
            opened.append(self._general)
        self._ways.clear()
        self._lean.clear()
        self._general = None
        for way in opened:
            await way.aclose()

    async def _way(self, url: URL) -> Transport:
        """Return the transport for a URL, and keep it."""
        lean = self._lean_to(url.origin())
        if lean is not None and await lean.is_near():
            way: Transport = lean
        else:
            way = self._with_aiohttp()
        self._ways[url] = way
        return way

    def _lean_to(self, origin: URL) -> "LeanTransport | None":
        if not self._may_be_lean or origin.scheme != "http":
            return None
        if origin not in self._lean:
            try:
                from ._lean import LeanTransport
            except ImportError:  # httptools is missing
                return None
            self._lean[origin] = LeanTransport(origin, self._headers, self._faults)
        return self._lean[origin]

    def _with_aiohttp(self) -> Transport:
        from ._with_aiohttp import AiohttpTransport  # heavy, and local servers need it not

        if self._general is None:
            self._general = AiohttpTransport(self._headers, self._faults, self._session)
        return self._general


def _is_lean_allowed() -> bool:
    """Whether the environment leaves the choice to us.

    Raises:
        ConfigurationError: It names no transport.
    """
    said = os.environ.get(_SETTING, "").strip().lower()
    if said not in ("", "aiohttp", "lean"):
        raise ConfigurationError(
            f"{_SETTING} is {said!r}, which is no transport; set it to aiohttp, or unset it"
        )
    return said != "aiohttp"
