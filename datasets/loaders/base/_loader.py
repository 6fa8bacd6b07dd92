"""The interface of a loader, which reads a dataset item by item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...query import Intent, Message


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a dataset, before it becomes a query.

    Attributes:
        id: Stable: the set's own id, else file and number, such as `03-Fraud-17`.
        text: What is asked.
        category: The set's own category, empty if it has none; `major/minor` where it has
            two levels. The loader's table in `mappings/` maps it to a scenario.
        intent: Harmful, or benign.
        images: Files of pictures, inside the set's folder and checked by the core, not by
            the loader; or their bytes, where the set keeps pictures within its table.
        audio: The file of a sound, or its bytes.
        where: File and line, for messages.
        source: Where the item comes from, if the set says so of each.
        intent_assumed: Whether the set does not say the intent, so that harmful is a guess.
        underlying_request: What text and media ask for together, where the set says it in
            words that are not `text`.
        labels: What the set says of the item beside that, by short stable names; blank
            values say nothing.
        messages: The turns of a conversation instead of text and media, their media unread:
            paths in the set's folder, or `data:` addresses.
    """

    id: str
    text: str
    category: str
    intent: Intent
    images: tuple[Path | bytes, ...] = ()
    audio: Path | bytes | None = None
    where: str = ""
    source: str | None = None
    underlying_request: str | None = None
    intent_assumed: bool = False
    labels: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Unusable:
    """An item that is skipped, and why.

    Attributes:
        where: File and line.
        why: What is wrong with it, in words.
    """

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """The options that a user may give besides the path.

    Attributes:
        mapping: Where things stand in a plain table, by field: `{"text": "prompt"}`.
        settings: The loader's own settings by name, such as `{"split": "test"}`; only
            names that `Loader.settings` knows.
        categories: Which scenarios the set's categories are: a bundled mapping's name or a
            file; None for the loader's own mapping.
    """

    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    categories: str | Path | None = None


class Loader(Protocol):
    """Reads one format.

    Attributes:
        name: As users write it, such as `mm-safetybench`.
        title: For people.
        license: The set's license, an SPDX id or words; `as the set says` for plain tables.
        home: Where the set comes from, an address; empty for plain tables.
        about: What is in it, one line.
        needs: What the path must name, one line, such as `the folder with processed_questions/`.
        maps: Whether it takes a mapping of columns.
    """

    name: str
    title: str
    license: str
    home: str
    about: str
    needs: str
    maps: bool

    @property
    def settings(self) -> Mapping[str, str]:
        """The loader's settings, each with a one-line description."""
        ...

    def recognizes(self, path: Path) -> bool:
        """Return whether a path holds this dataset, by a quick check of names and first bytes.

        Raises:
            DatasetError: Git LFS has left a pointer in the place of its file.
        """
        ...

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        """Yield the items one at a time, in a stable order.

        Raises:
            DatasetError: The path holds no such set.
        """
        ...
