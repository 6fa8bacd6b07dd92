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
        id: A stable id: the dataset's own, else file and number, such as `03-Fraud-17`.
        text: The question.
        category: The dataset's own category, empty if it has none; `major/minor` if it has
            two levels. The loader's table in `mappings/` maps it to a scenario.
        intent: Harmful, or benign.
        images: Files of pictures, inside the set's folder and checked by the core, not by
            the loader; or their bytes, where the set keeps pictures within its table.
        audio: The file of a sound, or its bytes.
        where: File and line, for messages.
        source: The origin of the item, if the dataset has it for each.
        intent_assumed: Whether the dataset has no intent, so that harmful is a guess.
        underlying_request: What text and media together ask for, if the dataset says it in
            words that are not `text`.
        labels: What the set says of the item beside that, by short stable names; blank
            values say nothing.
        messages: The turns of a conversation instead of text and media, their media unread:
            paths in the set's folder, or `data:` addresses.
        variants: Files for conditions, as `Query.variants` names them.
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
    variants: Mapping[str, Path] = field(default_factory=dict[str, Path])


@dataclass(frozen=True, slots=True)
class Unusable:
    """An item that is skipped, and why.

    Attributes:
        where: File and line.
        why: Why it cannot be used.
    """

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """The options that a user may give besides the path.

    Attributes:
        mapping: The columns of a plain table by field: `{"text": "prompt"}`.
        settings: The loader's own settings by name, such as `{"split": "test"}`; only
            names that `Loader.settings` knows.
        categories: The map from the dataset's categories to scenarios: a bundled name or a
            file; None for the loader's own mapping.
    """

    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    categories: str | Path | None = None


class Loader(Protocol):
    """Reads one format.

    Attributes:
        name: The name that users write, such as `mm-safetybench`.
        title: The display name.
        license: The set's license, an SPDX id or words; `as the set says` for plain tables.
        home: The URL of the dataset; empty for plain tables.
        about: A one-line description of its content.
        needs: What the path must be, on one line, such as `the folder with processed_questions/`.
        maps: Whether it has a column mapping.
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
            DatasetError: The path is not such a dataset.
        """
        ...
