"""The taxonomy: categories and scenarios, each with the guideline it is judged by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ...common import DatasetError
from ...common.text import nearest, quoted
from ._taxonomy_file import RESERVED, CategoryEntry, read_entries

TAXONOMY_NAME = "taxonomy.yaml"
"""The file in a set's folder that holds scenarios of the set's own."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One risk scenario.

    Attributes:
        id: Canonical id, such as `cybersecurity.malware_generation`.
        category: Id of the category above it, such as `cybersecurity`.
        title: For people, such as `Malware Generation`.
        definition: What belongs here.
        guideline: What makes a response unsafe, what is fine, and what a
            response to a benign twin must not be punished for.
        aliases: The paper's letters, such as `MG`; not always unambiguous.
    """

    id: str
    category: str
    title: str
    definition: str
    guideline: str
    aliases: tuple[str, ...]


UNCATEGORISED = Scenario(
    id=RESERVED,
    category=RESERVED,
    title="Uncategorised",
    definition="Questions that come without a scenario, or with one that is not known.",
    guideline="",
    aliases=(),
)
"""Stands beside the 23 for questions from elsewhere; harm is taken in its ordinary sense."""


@dataclass(frozen=True, slots=True)
class Category:
    """A group of scenarios; headline numbers are averages over the 8 categories.

    Attributes:
        id: Canonical id, such as `cybersecurity`.
        title: For people, such as `Cybersecurity`.
        scenarios: In the paper's order.
        alias: The paper's letters, such as `CS`.
    """

    id: str
    title: str
    scenarios: tuple[Scenario, ...]
    alias: str


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All categories; resolves any name of a scenario.

    Example:
        >>> load_taxonomy().resolve("CS.HS").title
        'Hardware Security'

    Attributes:
        categories: In the paper's order, or the file's.
        path: The file that a set has it from, None for the bundled one.
    """

    categories: tuple[Category, ...]
    _index: Mapping[str, tuple[Scenario, ...]] = field(repr=False, compare=False)
    path: Path | None = field(default=None, repr=False, compare=False)

    def titles(self, scenario_id: str) -> tuple[str, str] | None:
        """Return the titles of a scenario and of its category, None for an unknown id."""
        for category in self.categories:
            for scenario in category.scenarios:
                if scenario.id == scenario_id:
                    return scenario.title, category.title
        return None

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All scenarios, in the paper's order."""
        return tuple(scenario for category in self.categories for scenario in category.scenarios)

    def resolve(self, name: str) -> Scenario:
        """Return the scenario with this id, short name, title or alias; case is ignored.

        `uncategorised` is known too, though it is none of the 23.

        Raises:
            DatasetError: The name is unknown, names a category, or is an alias
                of two scenarios (`HS`, `IA`).
        """
        key = name if name in self._index else _key(name)  # most are ids, which are keys
        if key == UNCATEGORISED.id:
            return UNCATEGORISED
        found = self._index.get(key, ())
        if len(found) == 1:
            return found[0]
        if found:
            options = " or ".join(f"{self._qualified(s, name)} ({s.id})" for s in found)
            raise DatasetError(f"scenario {quoted(name)} is ambiguous: write {options}")
        for category in self.categories:
            if key and key in (category.id, _key(category.alias)):
                options = ", ".join(scenario.id for scenario in category.scenarios)
                raise DatasetError(
                    f"{quoted(name)} is a category; name a scenario of it: {options}"
                )
        raise DatasetError(f"unknown scenario {quoted(name)}{self._nearest(name)}")

    def _qualified(self, scenario: Scenario, alias: str) -> str:
        category = next(c for c in self.categories if c.id == scenario.category)
        return f"{category.alias or category.id}.{alias.strip().upper()}"

    def _nearest(self, name: str) -> str:
        by_name = {scenario.id: scenario.id for scenario in self.scenarios}
        found = nearest(_key(name), by_name)
        if found is None:
            by_name = {i.partition(".")[2]: i for i in by_name}
            found = nearest(_key(name).rpartition(".")[2], by_name)
        if found is None:
            return f"; {self.path or '`safejury scenarios`'} lists the known ones"
        return f" (did you mean {by_name[found]!r}?)"


@cache
def load_taxonomy() -> Taxonomy:
    """Return the bundled taxonomy; the file is read once per process."""
    return _read(Path(__file__).with_name(TAXONOMY_NAME))


def taxonomy_beside(path: Path) -> Taxonomy:
    """Return the taxonomy in a query file's folder, else the bundled one.

    Raises:
        DatasetError: The folder's `taxonomy.yaml` is no taxonomy.
    """
    own = path.parent / TAXONOMY_NAME
    return read_taxonomy(own) if own.exists() else load_taxonomy()


def taxonomy_of(place: Path | None) -> Taxonomy:
    """Return the taxonomy of a file or a dataset's folder; the bundled one for None.

    Raises:
        DatasetError: See `read_taxonomy`.
    """
    if place is None:
        return load_taxonomy()
    return read_taxonomy(place / TAXONOMY_NAME if place.is_dir() else place)


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file; `docs/datasets.md` shows both layouts.

    Raises:
        DatasetError: It cannot be read, or is not a valid taxonomy: an id is there twice, a parent
            is unknown, parents go in a circle, …; the message says where.
    """
    return replace(_read(path), path=path)


def _read(path: Path) -> Taxonomy:
    categories = tuple(_category(entry) for entry in read_entries(path))
    index: dict[str, tuple[Scenario, ...]] = {}
    for category in categories:
        for scenario in category.scenarios:
            for key in set(_names(category, scenario)):
                index[key] = (*index.get(key, ()), scenario)
    return Taxonomy(categories, MappingProxyType(index))


def _category(entry: CategoryEntry) -> Category:
    scenarios = tuple(
        Scenario(
            id=f"{entry.id}.{item.id}",
            category=entry.id,
            title=item.title,
            definition=item.definition,
            guideline=item.guideline,
            aliases=item.aliases,
        )
        for item in entry.scenarios
    )
    return Category(entry.id, entry.title, scenarios, entry.alias)


def _names(category: Category, scenario: Scenario) -> Iterator[str]:
    short = scenario.id.partition(".")[2]
    for name in (short, scenario.title, *scenario.aliases):
        yield _key(name)
        yield _key(f"{category.id}.{name}")
        if category.alias:
            yield _key(f"{category.alias}.{name}")


def _key(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
