"""Loads a category map: a user's file, or a bundled one by name."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from ....common import DatasetError
from ....common.files import read_yaml
from ....common.text import did_you_mean, quoted
from ...tables import CsvTable, RowError, list_names
from ...taxonomy import UNCATEGORISED, Taxonomy, load_taxonomy
from ._mapping import CategoryMap, bundled_mappings, category_key, table_path

_NONE = ("", "none", "null")
_COLUMNS = ("category", "scenario")
_TABLES = (".csv", ".tsv")


class _Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category with a reason or rows; see `Mapped`."""

    scenario: str | None = None
    reason: str | None = None
    rows: dict[str, list[str]] = {}


_Entries = dict[str | int, str | _Mapped | None]


def category_map_for(
    said: str | Path | None, default: str | None, taxonomy: Taxonomy, *, names: bool = False
) -> CategoryMap:
    """Return the category map to use for a dataset.

    Args:
        said: The user's map, see `read_categories`; None for that of the format.
        default: Whose bundled mapping holds unless the user says another; of bundled
            scenarios only.
        taxonomy: The scenarios that can be named.
        names: Whether categories that the format's mapping does not know may be names of
            scenarios; a user's map is never added to.

    Raises:
        DatasetError: The user's map cannot be used.
    """
    if said is None:
        ours = default is not None and taxonomy is load_taxonomy()
        return CategoryMap(mapping_of(default) if ours else None, taxonomy, names=names)
    own = bundled_name(said) or Path(said).name
    return CategoryMap(read_categories(said, taxonomy), taxonomy, own=own)


def read_categories(said: str | Path, taxonomy: Taxonomy) -> dict[str, str | None]:
    """Read a category map from a file, in the form of `mapping_of`.

    Args:
        said: The name of a bundled mapping, or the path of a YAML or a CSV file. YAML holds
            categories and for each the id of a scenario or `none`, or `scenario:` and
            `reason:`; CSV the columns `category` and `scenario`.
        taxonomy: The scenarios that can be named.

    Raises:
        DatasetError: There is no such mapping or file, or it names what is no scenario.
    """
    name = bundled_name(said)
    if name is not None:
        return _bundled(name, taxonomy)
    path = Path(said)
    try:
        if not path.exists():
            known = bundled_mappings()
            raise DatasetError(
                f"{path}: there is no such file, and no bundled mapping of that name"
                f"{did_you_mean(str(said), known) or '; bundled are ' + ', '.join(known)}"
            )
        found = _read(path, taxonomy)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from error
    if not found:
        raise DatasetError(f"{path}: has no categories")
    return found


@cache
def mapping_of(loader: str) -> dict[str, str | None] | None:
    """Return the bundled category map of a loader, None if it has none.

    Keys are categories as `category_key` writes them, with the levels below where rows go
    elsewhere, such as `malware/hacking/ransomware`; values are scenario ids, or None where
    there is no counterpart.

    Raises:
        DatasetError: The table cannot be used.
    """
    path = table_path(loader)
    return None if path is None else _read(path, load_taxonomy())


def bundled_name(said: str | Path) -> str | None:
    """Return the name of a bundled map, None if the text is a path."""
    name = str(said).strip().casefold().replace("_", "-")
    return name if name in bundled_mappings() else None


def _bundled(name: str, taxonomy: Taxonomy) -> dict[str, str | None]:
    found = mapping_of(name) or {}
    if taxonomy is not load_taxonomy():
        for scenario in filter(None, found.values()):
            try:
                taxonomy.resolve(scenario)
            except DatasetError as error:
                raise DatasetError(
                    f"the mapping {name!r} is to the bundled scenarios, but the set has its own: "
                    f"{error}"
                ) from None
    return found


def _read(path: Path, taxonomy: Taxonomy) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    entries = _of_table(path) if path.suffix.lower() in _TABLES else _of_yaml(path)
    for category, scenario in entries:
        _add(found, path, category, scenario, taxonomy)
    return found


def _of_table(path: Path) -> Iterator[tuple[str, str | None]]:
    table = CsvTable(path)
    for column in _COLUMNS:
        if column not in table.names:
            raise DatasetError(
                f"{path}: has no column {column!r}; its columns are {list_names(table.names)}: a "
                "map of categories has `category` and `scenario`"
            )
    for place, values in table.objects():
        if isinstance(values, RowError):
            raise DatasetError(f"{path}, {place}: {values}")
        category, scenario = (str(values.get(column) or "").strip() for column in _COLUMNS)
        if category:
            yield category, scenario


def _of_yaml(path: Path) -> Iterator[tuple[str, str | None]]:
    content = read_yaml(path, dict[str | int, object], "category map")
    entries = content.get("categories") if list(content) == ["categories"] else content
    try:
        categories = msgspec.convert(entries, _Entries)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{path}: is not a valid category map: {error}") from error
    for category, mapped in categories.items():
        if isinstance(mapped, _Mapped):
            yield str(category), mapped.scenario
            for scenario, rows in mapped.rows.items():
                yield from ((f"{category}/{row}", scenario) for row in rows)
        else:
            yield str(category), mapped


def _add(
    found: dict[str, str | None],
    path: Path,
    category: str,
    scenario: str | None,
    taxonomy: Taxonomy,
) -> None:
    named = (scenario or "").strip()
    key, there = category_key(category), None
    if named.casefold() not in _NONE:
        try:
            resolved = taxonomy.resolve(named).id
        except DatasetError as error:
            raise DatasetError(f"{path}: category {quoted(category)}: {error}") from None
        there = None if resolved == UNCATEGORISED.id else resolved
    if found.setdefault(key, there) != there:
        raise DatasetError(f"{path}: category {quoted(category)} is there twice")
