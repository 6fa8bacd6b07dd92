"""Reads and encodes media for requests, once for all that show the same one at a time."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from weakref import WeakValueDictionary

import msgspec

from ...common import DatasetError
from ..query import Media

_PIECE = 3 * 2**16
"""Bytes encoded at a time: whole groups of three, and no more than other threads can wait for."""
_READ_AT_ONCE = 2**16
"""Largest file that is read on the event loop, because a thread would cost more."""


class MediaBytes:
    """The bytes of a medium in base64, read when they are first needed.

    All that show the same medium share one, for as long as any of them holds it: a case holds
    its media while it is under way, so that its target and all jurors get what was read once.
    """

    __slots__ = ("__weakref__", "_encoded", "_turn")

    def __init__(self) -> None:
        self._encoded: tuple[bytes, ...] | None = None
        self._turn = threading.Lock()

    @classmethod
    def of(cls, media: Media) -> "MediaBytes":
        """Return what all share that hold this medium; nothing is read yet."""
        with _guard:
            shared = _held.get(media.sha256)
            if shared is None:
                _held[media.sha256] = shared = cls()
            return shared

    async def load(self, media: Media) -> None:
        """Read and encode the file unless that was done; a large one in a thread.

        Args:
            media: The medium, with the path to read.

        Raises:
            DatasetError: It has other bytes than when its set was read.
            OSError: It cannot be read.
        """
        if self._encoded is not None:
            return
        if media.size <= _READ_AT_ONCE:
            self.encoded(media)
        else:
            await asyncio.to_thread(self.encoded, media)

    def encoded(self, media: Media) -> tuple[bytes, ...]:
        """Return the base64 in pieces, after reading the file unless that was done; see `load`."""
        with self._turn:
            if self._encoded is None:
                self._encoded = tuple(_encode(_read(media)))
            return self._encoded


_held = WeakValueDictionary[str, MediaBytes]()
_guard = threading.Lock()


def hold_media(media: Iterable[Media]) -> tuple[MediaBytes, ...]:
    """Return the bytes of media, which are shared as long as what this returns is kept."""
    return tuple(map(MediaBytes.of, media))


def _read(media: Media) -> bytes:
    content = media.read()
    if not media.matches(content):
        raise DatasetError(f"{media.path} changed since the dataset was read; load the set again")
    return content


def _encode(content: bytes) -> Iterator[bytes]:
    view = memoryview(content)
    for at in range(0, len(content), _PIECE):
        # As a JSON string bytes are base64: in two thirds of the time of `base64.b64encode`.
        yield msgspec.json.encode(view[at : at + _PIECE])[1:-1]
