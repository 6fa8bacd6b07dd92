"""Speaks HTTP/1.1 on one connection: a request, then its reply."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ._content import Inflater
from ._outbox import Outbox
from ._reply import Headers, is_events

_MOST_HEAD_BYTES = 64 * 1024
_TOGETHER_BYTES = 2**21
"""Bytes of a large body that are left to the event loop at a time, which sends them by itself."""
JOINED_BYTES = 64 * 1024
"""A body up to this goes out with its head in one piece."""
_BODILESS = (204, 304)


class BrokenError(Exception):
    """The connection ended before a reply began."""


class CutShortError(Exception):
    """A reply began and is not whole, or cannot be read to its end."""


class NotHttpError(Exception):
    """What came is not an HTTP reply."""


class TooLongError(Exception):
    """A reply is longer than one may be."""


class Wire(asyncio.Protocol):
    """A connection that carries one exchange at a time.

    Args:
        most: Longest body that is read, in bytes.
        outbox: Sends requests that are not long.

    Attributes:
        status: Status of the reply; 0 until it is known.
        fields: Header fields of the reply, by name in lower case.
        complete: Whether the whole reply is there.
        reusable: Whether another exchange may follow.
        begun: Whether any byte came since the request.
    """

    def __init__(self, most: int, outbox: Outbox) -> None:
        self._most, self._outbox = most, outbox
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        # As lenient as aiohttp is with servers.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._waiter: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._paused = self._asked = self._listens = self._shows = False
        self._unsent = b""  # what is in the outbox
        self.reusable = True
        self._clear()

    def _clear(self) -> None:
        self.status = 0
        self.fields = dict[bytes, bytes]()
        self._chunks = list[bytes]()
        self._shown = self._size = self._raw = self._head_size = 0
        self._headed = self.complete = self.begun = False
        self._inflater: Inflater | None = None
        self._error: Exception | None = None

    # The caller's side.

    def ask(self, head: bytes, body: bytes | Sequence[bytes], *, listens: bool) -> bool:
        """Begin an exchange; return whether its request was sent, else `send` it.

        Args:
            head: The request line and headers, up to the empty line.
            body: In one piece or several.
            listens: Whether `piece` waits for each piece of a stream of events.
        """
        self._clear()
        self._asked, self._listens = True, listens
        if isinstance(body, bytes) and len(body) < JOINED_BYTES:
            self._unsent = head + body
            self._outbox.put(self)
            return True
        return False

    def send_off(self) -> None:
        """Send what `ask` put into the outbox, unless the connection ended meanwhile."""
        request, self._unsent = self._unsent, b""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(request)

    async def send(self, head: bytes, body: bytes | Sequence[bytes]) -> None:
        """Send a large request, as fast as the server takes it and until it has replied."""
        for pieces in _together(head, body):
            while self._paused and not self.complete and self._error is None:
                await self._wait()
            if self.complete or self._error is not None or self._transport is None:
                self.reusable = False  # the server did not wait for the rest
                return
            self._transport.writelines(pieces)

    async def reply(self) -> bytes:
        """Return the body of the reply once it is complete.

        Raises:
            CutShortError: It ended too early.
            NotHttpError: It is not HTTP.
            TooLongError: It is too long.
            BrokenError: None came.
            TimeoutError: It took too long.
        """
        while not self.complete and self._error is None:
            await self._wait()
        if self._error is not None:
            raise self._error
        self._asked = False
        if self._paused:
            self.reusable = False  # the server did not wait for the rest
        chunks = self._chunks
        self._chunks = []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def piece(self) -> bytes:
        """Return the next piece of a stream of events, empty where no more will come."""
        while self._shown == len(self._chunks) or not self._shows:
            if self.complete or self._error is not None:
                return b""
            await self._wait()
        self._shown += 1
        return self._chunks[self._shown - 1]

    def fail(self, error: Exception) -> None:
        """End the exchange with an error, unless it has ended."""
        if not self.complete and self._error is None:
            self._error = error
        self._wake()

    def abort(self) -> None:
        """Close the connection at once."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """Forget an error that was raised: its traceback refers to this connection."""
        self._error = None

    async def close(self) -> None:
        """Close the connection and wait until it is."""
        if self._transport is None:
            return
        if self._gone is None:
            self._gone = self._loop.create_future()
        self.abort()
        await asyncio.shield(self._gone)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # The event loop's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(0)  # paused while anything is left to send

    def pause_writing(self) -> None:
        """Wait before more is sent."""
        self._paused = True

    def resume_writing(self) -> None:
        """Send more."""
        self._paused = False
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Read more of the reply."""
        parser = self._parser
        if parser is None:
            return
        if not self._asked or self._unsent or self.complete:  # nobody asked for that
            self.abort()
            return
        if self._error is not None:
            return
        self.begun = True
        self._raw += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            self.reusable = False
        except HttpParserError as error:
            self.reusable = False
            if self.complete:  # what comes after it says that its length is a lie
                self._error = NotHttpError(f"after the reply: {error}")
            self.fail((CutShortError if self._headed else NotHttpError)(str(error)))
        if not self.complete and self._raw > _MOST_HEAD_BYTES + 16 * self._size:
            # Heads, trailers or the edges of chunks without end.
            what = "its chunks hold next to nothing" if self._headed else "its head has no end"
            self.fail((CutShortError if self._headed else NotHttpError)(what))

    def eof_received(self) -> None:
        """Note that the server is done with this connection; it is closed then."""
        self.reusable = False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange, with the reply where only the end of the connection ends it."""
        self._transport = self._parser = None  # the parser refers to us
        self.reusable = False
        if self._asked and not self.complete:
            if self._headed and exc is None and self._ends_with_connection():
                self._end()
            elif self._headed:
                said = f"{self._size:,} bytes of the body came" if exc is None else str(exc)
                self.fail(CutShortError(said))
            else:
                self.fail(BrokenError(str(exc or "Server disconnected")))
        self._wake()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _ends_with_connection(self) -> bool:
        codings = self.fields.get(b"transfer-encoding", b"").lower()
        return b"content-length" not in self.fields and b"chunked" not in codings

    # The parser's side.

    def on_message_begin(self) -> None:
        """Note that another reply begins where none was asked for."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field; what trails a body is passed over."""
        if self._headed:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > _MOST_HEAD_BYTES:
            self.fail(NotHttpError("its head is too long"))
        elif b"\0" in value:
            self.fail(NotHttpError("a header holds a NUL"))
        else:
            name = name.lower()
            first = self.fields.setdefault(name, value)
            if first is not value and name == b"transfer-encoding":
                self.fields[name] = first + b", " + value  # all of them are the body's

    def on_headers_complete(self) -> None:
        """Get ready for the body."""
        if self.complete:
            return
        self._headed = True
        self.status = cast("HttpResponseParser", self._parser).get_status_code()
        if self._listens:
            self._shows = is_events(self.status, Headers(self.fields))
        encoding = self.fields.get(b"content-encoding")
        if encoding is not None and self.status not in _BODILESS:
            self._unpack(encoding.strip().lower())

    def _unpack(self, encoding: bytes) -> None:
        if encoding in (b"gzip", b"x-gzip", b"deflate"):
            self._inflater = Inflater(gzip=encoding != b"deflate", most=self._most + 1)
        elif encoding in (b"br", b"zstd"):
            name = encoding.decode()
            self.fail(NotHttpError(f"it is compressed with {name}, which was not asked for"))

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        if self.complete or self._error is not None:
            return
        if self._inflater is None:
            self._keep(data)
            return
        try:
            for piece in self._inflater.feed(data):
                self._keep(piece)
                if self._error is not None:
                    return
        except zlib.error as error:
            self.fail(CutShortError(f"it cannot be decompressed: {error}"))

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            self.fail(TooLongError())
            return
        self._chunks.append(data)
        if self._shows:
            self._wake()

    def on_message_complete(self) -> None:
        """End the exchange."""
        if self.complete:
            return
        if 100 <= self.status < 200 and self.status != 101:
            self.fields.clear()  # the reply is yet to come
            self._headed = False
            return
        if not cast("HttpResponseParser", self._parser).should_keep_alive():
            self.reusable = False
        self._end()

    def _end(self) -> None:
        if self._inflater is not None and not self._inflater.ended:
            self.fail(CutShortError("its compressed body has no end"))
            return
        self.complete = True
        self._wake()


def _together(head: bytes, body: bytes | Sequence[bytes]) -> Iterator[Sequence[bytes | memoryview]]:
    """Yield what is written at a time."""
    together: list[bytes | memoryview] = [head]
    size = 0
    for piece in (body,) if isinstance(body, bytes) else body:
        view = memoryview(piece)
        for at in range(0, len(view), _TOGETHER_BYTES):
            part = view[at : at + _TOGETHER_BYTES]
            if size and size + len(part) > _TOGETHER_BYTES:
                yield together
                together, size = [], 0
            together.append(part)
            size += len(part)
    yield together
