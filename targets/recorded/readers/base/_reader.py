"""The interface of a reader, and the sample by which a file's format is detected."""

import codecs
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .....datasets.tables import BrokenJson, Intents, JsonFile, Object, as_object, first_line
from ._row import Row

_HEAD_BYTES = 64 * 1024
_KEYS = 24


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file, to detect its format.

    Attributes:
        path: The file.
        head: Its first bytes.
        first: The first object: of a JSONL file's first line, of a list, or the whole
            document where that is small; empty if there is none.
        keys: Keys of that object, also where it is too large to hold.
    """

    path: Path
    head: bytes
    first: Object
    keys: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> "Sample":
        """Read the beginning of a non-empty file.

        Raises:
            OSError: It cannot be read.
        """
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).removeprefix(codecs.BOM_UTF8)
        if head.lstrip()[:1] not in (b"{", b"["):
            return cls(path, head, {}, ())
        first: Object = {}
        keys: tuple[str, ...] = ()
        try:
            with JsonFile(path) as document:
                at = document.root
                if document.opens(at) == "[":
                    at = next(document.elements(at), at)
                else:
                    keys = document.keys(at, _KEYS)
                if len(head) < _HEAD_BYTES or not keys:
                    first = as_object(document.value(at))
        except BrokenJson:
            pass  # the reader will say where
        return cls(path, head, first or first_line(path), keys)

    def has(self, *names: str) -> bool:
        """Return whether the first object has all these keys."""
        return all(name in self.keys or name in self.first for name in names)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """A user's options for a file.

    Attributes:
        mapping: Paths of what is needed within a row; for readers that take a mapping.
        intents: What words mean harmful, and benign.
    """

    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    intents: Intents = field(default_factory=Intents)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one format.

    Attributes:
        name: What `--format` calls it.
        title: The display name.
        detects: Whether a file that begins like this has the format.
        rows: Yields the file's rows, one at a time.
        maps: Whether it takes a column mapping.
        folders_up: How many folders above the file's own its pictures may lie under.
        categories: The published set whose categories its rows have, by its loader's name;
            None if they may be of any model.
        uneven: Whether questions are put differently often by design, so that an epoch
            without a response is no response that is missing.
    """

    name: str
    title: str
    detects: Callable[[Sample], bool]
    rows: Callable[[Path, ReadOptions], Iterator[Row]]
    maps: bool = False
    folders_up: int = 0
    categories: str | None = None
    uneven: bool = False
