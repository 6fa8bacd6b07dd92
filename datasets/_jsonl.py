"""Query files: one JSON object a line, validated once, then streamed from disk."""

import hashlib
import stat
import struct
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from ._compressed import compressed
from ._errors import DatasetError
from ._line import QueryLine, parse_line
from ._lines import MAX_LINE_BYTES, numbered_lines
from ._media import read_media
from ._misnamed import Misnamed
from ._nearest import quoted
from ._query import Media, Query, content_of
from ._relative import check_relative
from ._taxonomy import taxonomy_beside

Kind = Literal["image", "audio"]
_Reader = Callable[[str, Kind], Media]

_MEDIA_TYPES: tuple[str, ...] = (
    "audio/flac",
    "audio/mpeg",
    "audio/wav",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
)
_SEEN = struct.Struct("<32sIB")


class Dataset:
    """A validated set of queries that is read from disk anew by each iteration.

    In memory it holds about forty bytes for each picture and sound, and no query.

    Example:
        >>> for query in load_dataset("mini"):
        ...     print(query.scenario, query.text)

    Attributes:
        name: `mini`, or the file's name without its suffix.
        path: The query file.
        sha256: Hash of all queries and the bytes of their media. It does not
            depend on where files lie or how the JSON is laid out.
        notes: What a user should know of it, one sentence each.
        taxonomy: The scenarios that its queries name: `taxonomy.yaml` beside the file, else
            the bundled one.
    """

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        """Validate every line and read every medium once.

        Raises:
            DatasetError: What is wrong, with the file and the line.
        """
        self.path = path
        self.name = name or path.stem
        self._folder = path.parent.resolve()
        self.taxonomy = taxonomy_beside(path)
        self._stamp = _stamp(path)
        self._media = bytearray()
        self._length = 0
        self.notes: tuple[str, ...] = ()
        self.sha256 = self._validate()

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self._length} queries)"

    def __iter__(self) -> Iterator[Query]:
        """Stream the queries in the file's order.

        Raises:
            DatasetError: The file is no longer the one that was validated.
        """
        if _stamp(self.path) != self._stamp:
            raise DatasetError(f"{self.path}: changed since it was checked; load the dataset again")
        seen: Iterator[tuple[bytes, int, int]] = _SEEN.iter_unpack(self._media)

        def known(relative: str, kind: Kind) -> Media:
            digest, size, code = next(seen)
            return Media(digest.hex(), _MEDIA_TYPES[code], size, str(self._folder / relative))

        for _, line in _lines(self.path):
            yield _query(parse_line(line, self.taxonomy), known)

    def _validate(self) -> str:
        digest = hashlib.sha256()
        encoder = msgspec.json.Encoder()
        numbers: dict[bytes, int] = {}
        misnamed = Misnamed()
        read = lru_cache(maxsize=64)(self._read)

        def check(relative: str, kind: Kind) -> Media:
            media = read(relative, kind)
            misnamed.look(relative, media.media_type)
            code = _MEDIA_TYPES.index(media.media_type)
            self._media += _SEEN.pack(bytes.fromhex(media.sha256), media.size, code)
            return media

        for number, line in _lines(self.path):
            try:
                query = _query(parse_line(line, self.taxonomy), check)
                key = hashlib.blake2b(query.id.encode(), digest_size=16).digest()
                first = numbers.setdefault(key, number)
                if first != number:
                    raise DatasetError(
                        f"id {quoted(query.id)} is taken by line {first}; give each query its own"
                    )
            except DatasetError as error:
                raise type(error)(f"{self.path}:{number}: {error}") from error
            digest.update(encoder.encode(content_of(query)) + b"\n")
            self._length += 1
        if not self._length:
            raise DatasetError(f"{self.path}: holds no queries; write one JSON object a line")
        self.notes = misnamed.told()
        return digest.hexdigest()

    def _read(self, relative: str, kind: Kind) -> Media:
        try:
            return read_media(_inside(self._folder, relative, kind), kind=kind)
        except DatasetError as error:
            # The folder is known: the path as it stands in the line is easier to find.
            shown = str(error).replace(repr(str(self._folder / relative)), repr(relative), 1)
            raise DatasetError(shown) from error


def load_dataset(name_or_path: str | Path, *, cache_dir: Path | None = None) -> Dataset:
    """Load the bundled set `mini`, or a query file.

    Args:
        name_or_path: `"mini"`, or the path of a JSONL file (a `Path` is never
            taken for a name).
        cache_dir: Where the pictures of `mini` are kept; the default is
            `$SAFEJURY_CACHE`, else `safejury` in the user's cache folder.

    Raises:
        DatasetError: There is no such set, or something in it cannot be used.
    """
    if name_or_path == "mini":
        from ._mini import mini_file

        path = mini_file(cache_dir)
        try:
            return Dataset(path, name="mini")
        except DatasetError as error:
            raise DatasetError(f"{error} (delete {path.parent} to have it made anew)") from error
    return Dataset(_existing(name_or_path))


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
    if why := _packed(path):
        raise DatasetError(f"{shown} {why}")
    return path


def _packed(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return compressed(file.read(8))
    except OSError:
        return None  # it is opened again, and said then


def _lines(path: Path) -> Generator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    try:
        for number, line in numbered_lines(path, MAX_LINE_BYTES):
            if stripped := _checked(line, f"{path}:{number}").strip():
                yield number, stripped
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error


def _checked(line: bytes | None, where: str) -> bytes:
    if line is None:
        limit = MAX_LINE_BYTES // (1024 * 1024)
        raise DatasetError(f"{where}: longer than {limit} MiB; is this a JSONL file?")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{where}: not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8"
        ) from None
    return line


def _query(line: QueryLine, media: _Reader) -> Query:
    return Query(
        id=line.id,
        scenario=line.scenario,
        text=line.text,
        intent=line.intent,
        images=tuple(media(path, "image") for path in _image_paths(line)),
        audio=media(line.audio, "audio") if line.audio is not None else None,
        source=line.source,
    )


def _image_paths(line: QueryLine) -> list[str]:
    if line.images is not None:
        return line.images
    return [] if line.image is None else [line.image]


def _inside(folder: Path, relative: str, kind: Kind) -> Path:
    """Return the path of a medium, or refuse one that leads out of the folder."""
    check_relative(relative, kind)
    path = folder / relative
    try:
        escapes = not path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{kind} {quoted(relative)} is not a usable path: {error}") from error
    if escapes:
        raise DatasetError(
            f"{kind} {quoted(relative)} is a link out of the file's folder; put the file inside"
        )
    return path


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size
