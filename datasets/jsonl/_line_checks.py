"""Validates the lines of a query file one by one."""

import hashlib
from functools import lru_cache
from pathlib import Path

from ...common import DatasetError
from ...common.text import MAX_LINE_BYTES, quoted
from ..media import read_media
from ..query import Media, MediaKind, Query
from ..taxonomy import Taxonomy
from ._line import ForeignLineError, parse_line
from ._line_media import query_of
from ._relative import check_relative
from ._wrong_extensions import WrongExtensions


class BadLineError(DatasetError):
    """One line of a query file is invalid; others may be fine.

    Attributes:
        path: The file.
        foreign: Whether the line may be of another table.
    """

    def __init__(self, message: str, path: Path, *, foreign: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.foreign = foreign


class LineChecks:
    """Validates the lines of one file; it remembers their ids.

    Args:
        path: The file.
        taxonomy: The scenarios that the lines may name.
    """

    def __init__(self, path: Path, taxonomy: Taxonomy) -> None:
        self._path = path
        self._folder = path.parent.resolve()
        self._taxonomy = taxonomy
        self._numbers: dict[bytes, int] = {}
        self._wrong_extensions = WrongExtensions()
        self._read = lru_cache(maxsize=64)(self._read_media)

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about the lines so far, one sentence each."""
        return self._wrong_extensions.notes()

    def check(self, number: int, line: bytes | None) -> Query:
        """Validate a line and return its query; its media are read once.

        Args:
            number: The line's, from 1.
            line: Its content, None if it is too long.

        Raises:
            BadLineError: The line is invalid; the message has file and line.
        """
        try:
            query = query_of(parse_line(_text(line), self._taxonomy), self._medium)
            self._take(query.id, number)
        except DatasetError as error:
            raise BadLineError(
                f"{self._path}:{number}: {error}",
                self._path,
                foreign=isinstance(error, ForeignLineError),
            ) from error
        return query

    def _take(self, name: str, number: int) -> None:
        key = hashlib.blake2b(name.encode(), digest_size=16).digest()
        first = self._numbers.setdefault(key, number)
        if first != number:
            raise DatasetError(
                f"id {quoted(name)} is taken by line {first}; give each query its own"
            )

    def _medium(self, relative: str, kind: MediaKind) -> Media:
        media = self._read(relative, kind)
        self._wrong_extensions.look(relative, media.media_type)
        return media

    def _read_media(self, relative: str, kind: MediaKind) -> Media:
        try:
            return read_media(_inside(self._folder, relative, kind), kind=kind)
        except DatasetError as error:
            # The folder is known: the path as it stands in the line is easier to find.
            shown = str(error).replace(repr(str(self._folder / relative)), repr(relative), 1)
            raise DatasetError(shown) from error


def _text(line: bytes | None) -> bytes:
    if line is None:
        limit = MAX_LINE_BYTES // (1024 * 1024)
        raise DatasetError(f"longer than {limit} MiB; is this a JSONL file?")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8"
        ) from None
    return line.strip()


def _inside(folder: Path, relative: str, kind: MediaKind) -> Path:
    """Return the path of a media file; reject one that leaves the folder."""
    check_relative(relative, kind)
    path = folder / relative
    try:
        escapes = not path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{kind} {quoted(relative)} is not a valid path: {error}") from error
    if escapes:
        raise DatasetError(
            f"{kind} {quoted(relative)} is a link out of the file's folder; put the file inside"
        )
    return path
