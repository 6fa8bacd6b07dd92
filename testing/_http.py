"""A minimal HTTP/1.1 server for scripted models, as an asyncio protocol."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request.

    Attributes:
        method: Such as `POST`.
        path: Without the query string.
        authorization: Value of the header, empty if there is none.
        body: The bytes sent.
    """

    method: str
    path: str
    authorization: str
    body: bytes


class Handler(Protocol):
    """The interface of a request handler."""

    def opened(self, connection: "Connection") -> None:
        """Called for a new connection."""
        ...

    def requested(self, connection: "Connection", request: HttpRequest) -> None:
        """Answer `request` on `connection`, now or later."""
        ...

    def closed(self, connection: "Connection") -> None:
        """Called for a closed connection; its open request needs no answer."""
        ...


class Connection(asyncio.Protocol):
    """One client's connection; its requests are answered one at a time, in order."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._missing = 0
        self._busy = False
        self._continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._handler.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify the handler."""
        self._transport = None
        self._handler.closed(self)

    def data_received(self, data: bytes) -> None:
        """Collect bytes until a request is complete."""
        self._buffer += data
        self._missing -= len(data)
        if self._missing <= 0:
            self._advance()

    def _advance(self) -> None:
        while not self._busy and self._buffer:
            request = self._take()
            if request is None:
                return
            self._busy = True
            self._handler.requested(self, request)

    def _take(self) -> HttpRequest | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[: end + 2])
        lowered = head.lower()
        start = end + 4
        if b"\r\nexpect: 100-continue" in lowered and not self._continued:
            self._continued = True
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"\r\ntransfer-encoding: chunked" in lowered:
            found = _unchunk(self._buffer, start)
            if found is None:
                return None
            body, stop = found
        else:
            stop = start + int(_header(head, lowered, b"content-length") or 0)
            self._missing = stop - len(self._buffer)
            if self._missing > 0:
                return None
            body = bytes(memoryview(self._buffer)[start:stop])
        del self._buffer[:stop]
        self._continued = False
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        authorization = _header(head, lowered, b"authorization")
        return HttpRequest(method, target.partition("?")[0], authorization, body)

    def write(self, data: bytes) -> None:
        """Send raw bytes, unless the client is gone."""
        if self._transport is not None:
            self._transport.write(data)

    def respond(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
        truncate: bool = False,
    ) -> None:
        """Answer the current request and continue with the next.

        Args:
            status: HTTP status.
            body: The whole body.
            headers: Further headers; a `Content-Type` here replaces JSON's.
            chunked: Whether to send the body in chunks, without its length.
            truncate: Whether to close the connection half-way through the body.
        """
        fields = {"Content-Type": "application/json", **(headers or {})}
        if chunked:
            fields["Transfer-Encoding"] = "chunked"
        else:
            fields["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"HTTP/1.1 {status} {_phrase(status)}\r\n{lines}\r\n".encode("latin-1")
        sent = body[: len(body) // 2] if truncate else body
        if chunked:
            end = b"" if truncate else b"0\r\n\r\n"
            sent = b"".join(_chunk(sent[i : i + 4096]) for i in range(0, len(sent), 4096)) + end
        self.write(head + sent)
        if truncate:
            self.close()
            return
        self._busy = False
        if self._buffer:
            self._advance()

    def close(self) -> None:
        """Close the connection once all written bytes are sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()


def _header(head: bytes, lowered: bytes, name: bytes) -> str:
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return ""
    value = at + len(name) + 3
    return head[value : head.find(b"\r\n", value)].strip().decode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _unchunk(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """Decode a chunked body and return it with its end, None while it is incomplete."""
    body = bytearray()
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:line]).split(b";")[0], 16)
        stop = line + 2 + size + 2
        if len(buffer) < stop:
            return None
        if size == 0:
            return bytes(body), stop
        body += buffer[line + 2 : stop - 2]
        at = stop
    return None
