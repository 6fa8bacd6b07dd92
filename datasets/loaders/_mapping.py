"""Which of our scenarios a set's own categories are."""

from functools import cache, lru_cache
from pathlib import Path

import msgspec

from .._errors import DatasetError
from .._nearest import quoted
from .._taxonomy import UNCATEGORISED, Taxonomy, load_taxonomy
from .._yaml_file import read_yaml

_NAMES_SHOWN = 5
_NAMES_KEPT = 20


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: dict[str, str | None]


@cache
def mapping_of(loader: str) -> dict[str, str | None] | None:
    """Return a loader's table, None where it has none.

    Keys are categories as `category_key` writes them, values scenario ids, or None
    where there is no counterpart.

    Raises:
        DatasetError: The table cannot be used.
    """
    path = Path(__file__).with_name("mappings") / f"{loader.replace('-', '_')}.yaml"
    if not path.is_file():
        return None
    taxonomy = load_taxonomy()
    return {
        category_key(name): None if scenario is None else taxonomy.resolve(scenario).id
        for name, scenario in read_yaml(path, _File).categories.items()
    }


def category_key(name: str) -> str:
    """Return a category's name so that case, dashes and spaces make no difference."""
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


class Categories:
    """Finds scenarios, and keeps count of categories for which there is none.

    A set with a table is read by it: `major/minor` as a whole, else by `major`. One
    without, a plain table, has our own scenarios by any of their names.

    Args:
        table: What `mapping_of` returns.
        taxonomy: Our scenarios.
    """

    def __init__(self, table: dict[str, str | None] | None, taxonomy: Taxonomy) -> None:
        self._table = table
        self._taxonomy = taxonomy
        self._find = lru_cache(maxsize=4096)(self._look_up)
        self._without: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self._counts = {"without": 0, "unknown": 0}

    def scenario(self, category: str) -> str:
        """Return a scenario's id, `uncategorised` where there is none."""
        if not category.strip():
            return UNCATEGORISED.id
        found, known = self._find(category)
        if found is not None:
            return found
        names, count = (self._without, "without") if known else (self._unknown, "unknown")
        self._counts[count] += 1
        if len(names) < _NAMES_KEPT:
            names.setdefault(category)
        return UNCATEGORISED.id

    def notes(self) -> list[str]:
        """Return what a user should know of them, a sentence each."""
        told = [
            (self._counts["without"], self._without, "has no counterpart among our scenarios"),
            (self._counts["unknown"], self._unknown, "is not known"),
        ]
        return [
            f"{'1 item is' if count == 1 else f'{count:,} items are'} uncategorised, because the "
            f"set's category {why}: {_listed(names)}"
            for count, names, why in told
            if count
        ]

    def _look_up(self, category: str) -> tuple[str | None, bool]:
        """Return the scenario's id, if any, and whether the category is known at all."""
        if self._table is None:
            try:
                return self._taxonomy.resolve(category).id, True
            except DatasetError:
                return None, False
        for key in (category_key(category), category_key(category.partition("/")[0])):
            if key in self._table:
                return self._table[key], True
        return None, False


def _listed(names: dict[str, None]) -> str:
    shown = ", ".join(quoted(name) for name in list(names)[:_NAMES_SHOWN])
    return f"{shown}, …" if len(names) > _NAMES_SHOWN else shown
