"""`safejury view` as a process, and requests to it as they are on the wire."""

import re
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from preloaded import Forked
from workplace import Workplace

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]{40,}/")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to a request: its status, headers in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Viewed:
    """A served page.

    Attributes:
        url: Its address.
        process: The command.
    """

    url: str
    process: Forked

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 0

    @property
    def root(self) -> str:
        """The path of the page, with the token."""
        return urlsplit(self.url).path

    def raw(self, request: bytes, *, ends: bool = False) -> bytes:
        """Send bytes, which may be all that comes, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    def ask(
        self, path: str, *more: str, method: str = "GET", host: str = "", version: str = "1.1"
    ) -> Reply:
        """Send a request for a path, with further headers."""
        lines = [f"{method} {path} HTTP/{version}", f"Host: {host or f'127.0.0.1:{self.port}'}"]
        raw = self.raw("\r\n".join([*lines, "Connection: close", *more, "", ""]).encode())
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in rest)
        }
        return Reply(int(first.split()[1]), headers, body)

    def get(self, name: str, *more: str) -> Reply:
        """Ask for a name relative to the page."""
        return self.ask(f"{self.root}{name}", *more)


@contextmanager
def viewing(place: Workplace, *arguments: str | Path) -> Generator[Viewed]:
    """Serve runs as a user would, until the end of the block."""
    with place.start("view", "--no-open", *map(str, arguments)) as process:
        line = process.stdout.readline()
        assert _ADDRESS.fullmatch(line.strip()), line + process.stderr.read()
        yield Viewed(line.strip(), process)
        process.terminate()
        process.wait(30)
