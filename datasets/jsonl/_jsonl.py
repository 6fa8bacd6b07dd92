"""Loads query files: validates every line once, then streams from disk."""

import hashlib
import stat
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from ...common import DatasetError
from ...common.files import HEAD_BYTES, not_ready
from ...common.text import MAX_LINE_BYTES, numbered_lines, quoted
from ..media import SUFFIXES
from ..query import Media, MediaKind, Query, QueryKinds, assumed_note, content_of
from ..taxonomy import taxonomy_beside
from ._line import parse_line
from ._line_checks import BadLineError, LineChecks
from ._line_media import query_of

_MEDIA_TYPES = tuple(SUFFIXES)
MINI = Path(__file__).parents[1] / "mini" / "queries.jsonl"
"""The bundled set: part of the package, pictures and all, so that every machine has the same."""
_SAY_INTENT = "write what it is, and take 'intent_assumed' out of those lines"
_SEEN = struct.Struct("<32sIB")


class Dataset:
    """A validated dataset of queries; each iteration reads it from disk again.

    In memory it holds about forty bytes for each picture and sound, and no query.

    Example:
        >>> for query in load_dataset("mini"):
        ...     print(query.scenario, query.text)

    Attributes:
        name: `mini`, or the file's name without its suffix.
        path: The query file.
        sha256: Hash of all queries and the bytes of their media. It does not
            depend on where files lie or how the JSON is laid out.
        notes: Warnings for the user, one sentence each.
        taxonomy: The scenarios that its queries name: `taxonomy.yaml` beside the file, else
            the bundled one.
        kinds: See `QueryKinds.counted`.
    """

    def __init__(self, path: Path, *, name: str | None = None, limit: int | None = None) -> None:
        """Validate every line (or the first `limit`) and read all media once.

        Raises:
            DatasetError: A line is invalid; the message has file and line.
        """
        self.path = path
        self.name = name or path.stem
        self._folder = path.parent.resolve()
        self.taxonomy = taxonomy_beside(path)
        self._limit = limit
        self._stamp = _stamp(path)
        self._media = bytearray()
        self._length = 0
        self.notes: tuple[str, ...] = ()
        self.kinds: tuple[tuple[Query, int], ...] = ()
        self.sha256 = self._validate()

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self._length} queries)"

    def __iter__(self) -> Iterator[Query]:
        """Stream the queries in file order.

        Raises:
            DatasetError: The file changed since it was validated.
        """
        if _stamp(self.path) != self._stamp:
            raise DatasetError(f"{self.path}: changed since it was checked; load the dataset again")
        seen: Iterator[tuple[bytes, int, int]] = _SEEN.iter_unpack(self._media)

        def known(relative: str, kind: MediaKind) -> Media:
            digest, size, code = next(seen)
            return Media(digest.hex(), _MEDIA_TYPES[code], size, str(self._folder / relative))

        for _, line in _lines(self.path, self._limit):
            yield query_of(parse_line(line or b"", self.taxonomy), known)

    def _validate(self) -> str:
        digest = hashlib.sha256()
        encoder = msgspec.json.Encoder()
        checks = LineChecks(self.path, self.taxonomy)
        kinds, assumed = QueryKinds(), 0
        for number, line in _lines(self.path, self._limit):
            query = checks.check(number, line)
            for media in (*query.media, *query.others.values()):
                code = _MEDIA_TYPES.index(media.media_type)
                self._media += _SEEN.pack(bytes.fromhex(media.sha256), media.size, code)
            digest.update(encoder.encode(content_of(query)) + b"\n")
            self._length += 1
            assumed += query.intent_assumed
            kinds.add(query)
        if not self._length:
            raise DatasetError(f"{self.path}: holds no queries; write one JSON object a line")
        self.kinds = kinds.counted()
        self.notes = (*checks.notes, *assumed_note(assumed, _SAY_INTENT))
        return digest.hexdigest()


def check_lines(path: Path, limit: int | None = None) -> Iterator[Query | BadLineError]:
    """Validate a query file: yield the query of each line, or its error.

    Args:
        path: The file.
        limit: Maximum number of lines to read.

    Raises:
        DatasetError: The file cannot be read, or the taxonomy beside it.
    """
    checks = LineChecks(path, taxonomy_beside(path))
    for number, line in _lines(path, limit):
        try:
            yield checks.check(number, line)
        except BadLineError as error:
            yield error


def load_dataset(name_or_path: str | Path, *, limit: int | None = None) -> Dataset:
    """Load the bundled dataset `mini`, or a query file.

    Args:
        name_or_path: `"mini"`, or the path of a JSONL file (a `Path` is never
            taken for a name).
        limit: Maximum number of queries to read, at least 1.

    Raises:
        DatasetError: The dataset does not exist, or is invalid.
    """
    if name_or_path == "mini":
        return Dataset(MINI, name="mini", limit=limit)
    return Dataset(_existing(name_or_path), limit=limit)


def _existing(name: str | Path) -> Path:
    shown = f"dataset {quoted(str(name))}"
    try:
        path = Path(name).expanduser()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise DatasetError(f"{shown} does not exist; name a JSONL file, or 'mini'") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{shown} cannot be read: {error}") from error
    if stat.S_ISDIR(mode):
        raise DatasetError(f"{shown} is a folder; name the JSONL file in it")
    if not stat.S_ISREG(mode):
        raise DatasetError(f"{shown} cannot be read twice; save it as a file first")
    if why := _unready(path):
        raise DatasetError(f"{shown} {why}")
    return path


def _unready(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return not_ready(file.read(HEAD_BYTES))
    except OSError:
        return None  # it is opened again, and said then


def _lines(path: Path, limit: int | None) -> Iterator[tuple[int, bytes | None]]:
    """Yield the first non-blank lines with their numbers from 1; None for a line too long."""
    lines = numbered_lines(path, MAX_LINE_BYTES)
    try:
        yield from islice((each for each in lines if each[1] is None or each[1].strip()), limit)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size
