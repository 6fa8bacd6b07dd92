"""Reads, copies and encodes media, once for all that show the same one at a time."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from io import BufferedReader
from pathlib import Path
from weakref import WeakValueDictionary

import msgspec

from ...common import DatasetError
from ...common.files import atomic_write, clone_into, open_regular
from ..query import Media

_PIECE = 3 * 2**16
"""Bytes encoded at a time: whole groups of three, and no more than other threads can wait for."""
_READ_AT_ONCE = 2**16
"""Largest file that is read on the event loop, because a thread would cost more."""


class MediaBytes:
    """The bytes of a medium, read when they are first needed and then kept in base64.

    All that show the same medium share one, for as long as any of them holds it: a case holds
    its media while it is under way, so that its target and all jurors get what was read once.
    """

    __slots__ = ("__weakref__", "_content", "_encoded", "_turn")

    def __init__(self) -> None:
        self._content: bytes | None = None
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

    @property
    def is_loaded(self) -> bool:
        """Whether it was read and encoded."""
        return self._encoded is not None

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
                content = self._content
                if content is None:
                    with open_regular(Path(media.path)) as source:
                        content = _checked(media, source)
                self._encoded, self._content = tuple(_encode(content)), None
            return self._encoded

    def copy(self, media: Media, place: Path) -> None:
        """Copy the file unless that was done; what is sent later are the bytes of the copy.

        No link to it, since a later change of the file would change the copy as well; where
        the file system can, both share the blocks on the disk until one is changed.

        Args:
            media: The medium, with the path to read.
            place: Where the copy lies.

        Raises:
            DatasetError: It cannot be read, or has other bytes than when its set was read; nothing
                is copied.
            OSError: The copy cannot be written.
        """
        with self._turn:
            if is_copied(media, place):
                return
            with _opened(media) as source, atomic_write(place, private=True) as file:
                if clone_into(source, file):
                    with open(file.name, "rb") as copy:
                        content = _checked(media, copy)
                else:
                    content = _checked(media, source)
                    file.write(content)
            if self._encoded is None:
                self._content = content


_held = WeakValueDictionary[str, MediaBytes]()
_guard = threading.Lock()


def encoded_size(media: Media) -> int:
    """Return the number of bytes that a medium takes in base64."""
    return -(-media.size // 3) * 4


def hold_media(media: Iterable[Media]) -> tuple[MediaBytes, ...]:
    """Return the bytes of media, which are shared as long as what this returns is kept."""
    return tuple(map(MediaBytes.of, media))


def is_copied(media: Media, place: Path) -> bool:
    """Return whether a copy is whole; a machine that went down may have left half of one."""
    try:
        return place.stat().st_size == media.size
    except OSError:
        return False


def _unreadable(media: Media, error: OSError) -> DatasetError:
    what = f"{media.path} cannot be read ({error.strerror})"
    return DatasetError(f"{what}: restore the file, then repeat the command")


def _opened(media: Media) -> BufferedReader:
    try:
        return open_regular(Path(media.path))
    except OSError as error:
        raise _unreadable(media, error) from error


def _checked(media: Media, source: BufferedReader) -> bytes:
    """Read a file; one that has become larger is not read to its end."""
    try:
        content = source.read(media.size + 1)
    except OSError as error:
        raise _unreadable(media, error) from error
    if not media.matches(content):
        raise DatasetError(
            f"{media.path} changed since the dataset was read: restore the file, or repeat the "
            "command, which reads the set again"
        )
    return content


def _encode(content: bytes) -> Iterator[bytes]:
    view, base64 = memoryview(content), _base64()
    for at in range(0, len(content), _PIECE):
        yield base64(view[at : at + _PIECE])


@cache
def _base64() -> Callable[[memoryview], bytes]:
    """Return what writes base64, in a tenth of the time where pybase64 is installed."""
    try:
        return import_module("pybase64").b64encode
    except ImportError:
        # As a JSON string bytes are base64: in two thirds of the time of `base64.b64encode`.
        return lambda piece: msgspec.json.encode(piece)[1:-1]
