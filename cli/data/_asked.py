"""The set of queries that a command names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...common import escape_line
from ..console import busy, named_values, say

if TYPE_CHECKING:
    from ...datasets import Dataset, LoadedSet


@dataclass(frozen=True, slots=True)
class Asked:
    """The set that a command names, and how to read it.

    Attributes:
        name: As the user writes it; see `find_set`.
        loader: The loader's name, None where the set's name or its files tell.
        mapping: Columns of a plain table, `WHAT=COLUMN` each.
        settings: The loader's settings, `NAME=VALUE` each.
        limit: How many items are read at most.
        categories: Which scenarios the set's categories are: a file or a loader's name.
    """

    name: str
    loader: str | None = None
    mapping: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    limit: int | None = None
    categories: str | None = None

    def open(self, *, strict: bool = False) -> "Dataset | LoadedSet":
        """Return the set.

        Raises:
            ConfigurationError: There is no such set, or it cannot be used.
        """
        from ...datasets import find_set

        with busy(f"Reading {self.name} …"):
            return find_set(
                self.name,
                loader=self.loader,
                mapping=named_values("--map", self.mapping, "WHAT=COLUMN, such as text=prompt"),
                settings=named_values("--set", self.settings, "NAME=VALUE, such as split=test"),
                categories=self.categories,
                strict=strict,
                limit=self.limit,
            )


def say_notes(dataset: "Dataset | LoadedSet") -> None:
    """Say what a user should know of a set."""
    say_each(dataset.notes)


def say_each(notes: Iterable[str]) -> None:
    """Say notes, a line each."""
    for note in notes:
        say(escape_line(f"Note: {note}."))
