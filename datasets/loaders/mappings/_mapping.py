"""Maps a dataset's categories to scenarios and counts those without one."""

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
    """The scenario that a dataset's category maps to, if any.

    Attributes:
        reason: Why, where it is not that very scenario under another name; empty if it is.
        scenario: The scenario's id, None if there is no counterpart.
        rows: Rows of it that belong elsewhere, by scenario or `uncategorised`: names of the level
            below it, which may be ids.
    """

    reason: str
    scenario: str | None = None
    rows: dict[str, list[str]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: dict[str, str | Mapped]


def table_path(loader: str) -> Path | None:
    """Return the file of a loader's bundled category map, None if it has none."""
    path = _MAPPINGS / f"{loader.replace('-', '_')}.yaml"
    return path if path.is_file() else None


def table_of(loader: str) -> dict[str, Mapped] | None:
    """Return a loader's category map with the dataset's own spelling, None if it has none.

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
    """Return the names of the loaders with a bundled category map."""
    return tuple(sorted(path.stem.replace("_", "-") for path in _MAPPINGS.glob("*.yaml")))


def category_key(name: str) -> str:
    """Normalize a category's name: case, dashes and spaces are ignored."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


class CategoryMap:
    """Looks up scenarios by category, and counts categories without one.

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
        """Return the id of a category's scenario, `uncategorised` if there is none."""
        found = self._find(category)[0] if category.strip() else None
        return UNCATEGORISED.id if found is None else found

    def count(self, category: str) -> None:
        """Count the category of an item that is kept."""
        found, known = self._find(category)
        if found is not None or not category.strip():
            return
        names, count = (self._without, "without") if known else (self._unknown, "unknown")
        self._counts[count] += 1
        if len(names) < _NAMES_KEPT:
            names.setdefault(known or category)

    def notes(self, item: str = "item") -> list[str]:
        """Return warnings about the categories, one sentence each.

        Args:
            item: What has a category, in the singular.
        """
        unknown = "is not known" if self._own is None else f"is not in {quoted(self._own)}"
        reasons = [
            (self._counts["without"], self._without, "has no counterpart among our scenarios"),
            (self._counts["unknown"], self._unknown, unknown),
        ]
        return [
            f"{f'1 {item} is' if count == 1 else f'{count:,} {item}s are'} uncategorised, because "
            f"the set's category {why}: {_listed(names)}"
            for count, names, why in reasons
            if count
        ]

    def _look_up(self, category: str) -> tuple[str | None, str]:
        """Return the scenario's id, if any, and the matching category levels, empty if none."""
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
