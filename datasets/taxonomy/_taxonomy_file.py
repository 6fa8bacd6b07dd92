"""Reads taxonomy files in two layouts, and validates them."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from ...common import DatasetError
from ...common.files import read_yaml
from ...common.text import did_you_mean, quoted

RESERVED = "uncategorised"
_ID = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")


class ScenarioEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario as written under its category."""

    id: str
    title: str
    definition: str = ""
    guideline: str = ""
    aliases: tuple[str, ...] = ()


class CategoryEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category with its scenarios."""

    id: str
    title: str
    scenarios: tuple[ScenarioEntry, ...]
    alias: str = ""


class _FlatEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    parent: str | None = None
    definition: str = ""
    guideline: str = ""
    aliases: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    categories: tuple[CategoryEntry, ...] | None = None
    scenarios: tuple[_FlatEntry, ...] | None = None


def read_entries(path: Path) -> tuple[CategoryEntry, ...]:
    """Read the categories of a file.

    Either `categories:` holds them with their scenarios, as in the bundled file; or
    `scenarios:` lists all, each scenario with the `parent:` it belongs to, and each
    category without one.

    Raises:
        DatasetError: It cannot be read, or is no taxonomy; the message says where.
    """
    file = read_yaml(path, _File, "taxonomy")
    try:
        if (file.categories is None) == (file.scenarios is None):
            raise DatasetError("write either `categories:` or `scenarios:`")
        entries = file.categories
        if entries is None:
            entries = _nested(file.scenarios or ())
        _check(entries)
    except DatasetError as error:
        raise DatasetError(f"{path}: is not a valid taxonomy: {error}") from None
    return entries


def _nested(flat: Sequence[_FlatEntry]) -> tuple[CategoryEntry, ...]:
    _refuse_twice((entry.id for entry in flat), "two entries have")
    parents = {entry.id: entry.parent for entry in flat}
    for entry in flat:
        _check_parents(entry.id, parents)
    return tuple(
        CategoryEntry(
            entry.id,
            entry.title,
            tuple(
                ScenarioEntry(
                    child.id.removeprefix(f"{entry.id}."),
                    child.title,
                    child.definition,
                    child.guideline,
                    child.aliases,
                )
                for child in flat
                if child.parent == entry.id
            ),
            entry.aliases[0] if entry.aliases else "",
        )
        for entry in flat
        if entry.parent is None
    )


def _check_parents(name: str, parents: dict[str, str | None]) -> None:
    way = [name]
    while (parent := parents[way[-1]]) is not None:
        if parent not in parents:
            raise DatasetError(
                f"{quoted(way[-1])} has the parent {quoted(parent)}, which is not there"
                f"{did_you_mean(parent, parents)}"
            )
        if parent in way:
            round_trip = " → ".join([*way[way.index(parent) :], parent])
            raise DatasetError(f"its parents go in a circle: {round_trip}")
        way.append(parent)
    if len(way) > 2:
        raise DatasetError(
            f"{' → '.join(reversed(way))} is {len(way)} levels deep: there are categories and "
            "scenarios, nothing below"
        )


def _check(entries: Sequence[CategoryEntry]) -> None:
    if not entries:
        raise DatasetError("it has no categories")
    _refuse_twice((entry.id for entry in entries), "two categories have")
    for category in entries:
        _check_name(category.id, category.title, "category")
        if not category.scenarios:
            raise DatasetError(f"the category {quoted(category.id)} has no scenarios")
        _refuse_twice(
            (item.id for item in category.scenarios),
            f"two scenarios of {quoted(category.id)} have",
        )
        for item in category.scenarios:
            _check_name(item.id, item.title, "scenario")


def _check_name(name: str, title: str, what: str) -> None:
    if name == RESERVED:
        raise DatasetError(
            f"the {what} {quoted(name)} takes a name that stands for questions without one"
        )
    if not _ID.fullmatch(name):
        raise DatasetError(
            f"the {what} id {quoted(name)} must be lower-case letters, digits and underscores"
        )
    if not title.strip() or not title.isprintable():
        raise DatasetError(f"the {what} {quoted(name)} needs a title, one line of text")


def _refuse_twice(names: Iterable[str], who: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DatasetError(f"{who} the id {quoted(name)}: give each its own")
        seen.add(name)
