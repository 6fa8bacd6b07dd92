"""Which of our scenarios a set's own categories are."""

from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from ....common import DatasetError
from ....common.files import read_yaml
from ....common.text import quoted
from ...taxonomy import UNCATEGORISED, Taxonomy

_MAPPINGS = Path(__file__).parent
_NAMES_SHOWN = 5
_NAMES_KEPT = 20


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a set's category is among our scenarios.

    Attributes:
        reason: Why, where it is not that very scenario under another name; empty where it is.
        scenario: The scenario's id, None where there is no counterpart.
        rows: Rows of it that belong elsewhere, by scenario or `uncategorised`: names of the level
            below it, which may be ids.
    """

    reason: str
    scenario: str | None = None
    rows: dict[str, list[str]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: dict[str, str | Mapped]


def table_path(loader: str) -> Path | None:
    """Return the file of a loader's table, None where it has none."""
    path = _MAPPINGS / f"{loader.replace('-', '_')}.yaml"
    return path if path.is_file() else None


def table_of(loader: str) -> dict[str, Mapped] | None:
    """Return the categories of a loader's table as the set writes them, None where it has none.

    Raises:
        DatasetError: The table cannot be read.
    """
    path = table_path(loader)
    if path is None:
        return None
    return {
        name: Mapped("", mapped) if isinstance(mapped, str) else mapped
        for name, mapped in read_yaml(path, _File).categories.items()
    }


@cache
def bundled_mappings() -> tuple[str, ...]:
    """Return the names of the loaders that have a table."""
    return tuple(sorted(path.stem.replace("_", "-") for path in _MAPPINGS.glob("*.yaml")))


def category_key(name: str) -> str:
    """Return a category's name so that case, dashes and spaces make no difference."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


class Categories:
    """Finds scenarios, and keeps count of categories for which there is none.

    A set with a table is read by it: a category of several levels, such as `major/minor` or
    `major/minor/id of the row`, by as many of them as the table knows. One without, a plain
    table, has our own scenarios by any of their names.

    Args:
        table: What `mapping_of` returns.
        taxonomy: Our scenarios.
        own: What the table is called where the user named it, None for the set's.
        names: Whether a category that the table does not know may be the name of a scenario,
            or its first level.
    """

    def __init__(
        self,
        table: dict[str, str | None] | None,
        taxonomy: Taxonomy,
        *,
        own: str | None = None,
        names: bool = False,
    ) -> None:
        self._table = table
        self._taxonomy = taxonomy
        self._own = own
        self._names = names
        self._find = lru_cache(maxsize=4096)(self._look_up)
        self._without: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self._counts = {"without": 0, "unknown": 0}

    def scenario(self, category: str) -> str:
        """Return a scenario's id, `uncategorised` where there is none."""
        found = self._find(category)[0] if category.strip() else None
        return UNCATEGORISED.id if found is None else found

    def count(self, category: str) -> None:
        """Take note of the category of an item that is kept."""
        found, known = self._find(category)
        if found is not None or not category.strip():
            return
        names, count = (self._without, "without") if known else (self._unknown, "unknown")
        self._counts[count] += 1
        if len(names) < _NAMES_KEPT:
            names.setdefault(known or category)

    def notes(self, item: str = "item") -> list[str]:
        """Return what a user should know of them, a sentence each.

        Args:
            item: What has a category, in the singular.
        """
        unknown = "is not known" if self._own is None else f"is not in {quoted(self._own)}"
        told = [
            (self._counts["without"], self._without, "has no counterpart among our scenarios"),
            (self._counts["unknown"], self._unknown, unknown),
        ]
        return [
            f"{f'1 {item} is' if count == 1 else f'{count:,} {item}s are'} uncategorised, because "
            f"the set's category {why}: {_listed(names)}"
            for count, names, why in told
            if count
        ]

    def _look_up(self, category: str) -> tuple[str | None, str]:
        """Return the scenario's id, if any, and the levels that are known, none if it is not."""
        levels, table = category, self._table or {}
        while levels:
            key = category_key(levels)
            if key in table:
                return table[key], levels
            levels = levels.rpartition("/")[0]
        names = [category] if self._names or self._table is None else []
        names += [category.partition("/")[0]] if self._names else []
        for name in names:
            with suppress(DatasetError):
                return self._taxonomy.resolve(name).id, name
        return None, ""


def _listed(names: dict[str, None]) -> str:
    shown = ", ".join(quoted(name) for name in list(names)[:_NAMES_SHOWN])
    return f"{shown}, …" if len(names) > _NAMES_SHOWN else shown
