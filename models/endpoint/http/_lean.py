"""Sends requests over plain HTTP/1.1 with little work of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from yarl import URL

from ....common import ModelError
from ._faults import Faults, words_of
from ._pool import Pool
from ._reply import Headers, HttpReply
from ._wire import JOINED_BYTES, BrokenError, CutShortError, NotHttpError, TooLongError, Wire

_MOST_HEADS = 64
_FRAMING = {"content-length", "transfer-encoding"}  # what the body alone decides


class LeanTransport:
    """Connections to one server, kept alive between exchanges.

    Args:
        origin: The server's scheme, host and port.
        headers: Sent with each request.
        faults: How errors are told.
    """

    def __init__(self, origin: URL, headers: Mapping[str, str], faults: Faults) -> None:
        self._origin, self._headers, self._faults = origin, headers, faults
        self._heads = dict[tuple[str, URL], bytes]()
        self._pool: Pool | None = None

    async def exchange(
        self,
        method: str,
        url: URL,
        body: bytes | Sequence[bytes] | None,
        on_data: Callable[[bytes], None] | None,
    ) -> HttpReply:
        """Send a request and return the reply."""
        pool = self._current()
        began = pool.loop.time()
        head = self._heads.get((method, url)) or self._head(method, url)
        if body is None:
            head, body = head + b"\r\n", b""
        else:
            size = len(body) if isinstance(body, bytes) else sum(map(len, body))
            head = b"%bContent-Length: %d\r\n\r\n" % (head, size)
            if size < JOINED_BYTES and not isinstance(body, bytes):
                body = b"".join(body)
        again = False
        while True:
            wire = None if again else pool.idle()
            kept = wire is not None
            if wire is None:
                wire = await pool.connected(began)
            try:
                pool.begin(wire, began)
                return await _carried(wire, head, body, on_data)
            except BrokenError as error:
                # A server may close a connection while it is idle. Only a request that
                # changes nothing is repeated then: the server may have received it.
                again = method == "GET" and kept and not wire.begun
                if not again:
                    raise self._told(wire, error) from error
            except (CutShortError, NotHttpError, TooLongError, TimeoutError) as error:
                raise self._told(wire, error) from error
            finally:
                pool.put_back(wire)

    async def is_near(self) -> bool:
        """Return whether the server is on this machine or a private network.

        Raises:
            TransportError: It cannot be found.
        """
        return await self._current().is_near()

    async def aclose(self) -> None:
        """Close the connections."""
        pool, self._pool = self._pool, None
        if pool is not None and pool.loop is asyncio.get_running_loop():
            await pool.aclose()

    def _current(self) -> Pool:
        pool = self._pool
        if pool is None or pool.loop is not asyncio.get_running_loop():
            # What an event loop has opened ends with it, and stays in its process.
            pool = self._pool = Pool(self._origin, self._faults)
        return pool

    def _head(self, method: str, url: URL) -> bytes:
        """Return the lines of a request up to its `Content-Length`."""
        if len(self._heads) == _MOST_HEADS:
            self._heads.clear()
        # A near server would compress for nothing.
        ours = {"Host": url.host_port_subcomponent or "", "Accept-Encoding": "identity"}
        given = {name.lower() for name in self._headers}
        lines = [f"{method} {url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {ours[name]}" for name in ours if name.lower() not in given]
        lines += [
            f"{name}: {value}"
            for name, value in self._headers.items()
            if name.lower() not in _FRAMING
        ]
        head = self._heads[method, url] = "".join(f"{line}\r\n" for line in lines).encode()
        return head

    def _told(self, wire: Wire, error: Exception) -> ModelError:
        faults = self._faults
        match error:
            case TimeoutError():
                return faults.late_reply()
            case CutShortError():
                return faults.cut_short(words_of(error))
            case NotHttpError():
                return faults.not_http(words_of(error))
            case TooLongError():
                return faults.too_long(wire.status)
            case _:
                return faults.broke(words_of(error))


async def _carried(
    wire: Wire,
    head: bytes,
    body: bytes | Sequence[bytes],
    on_data: Callable[[bytes], None] | None,
) -> HttpReply:
    """Do an exchange on a connection, which ends as well if the exchange does not succeed."""
    try:
        if not wire.ask(head, body, listens=on_data is not None):
            await wire.send(head, body)
        if on_data is not None:
            while piece := await wire.piece():
                on_data(piece)
        read = await wire.reply()
        return HttpReply(wire.status, Headers(wire.fields), read)
    except BaseException:
        wire.abort()  # or a canceled call's reply would be taken for another's
        raise
