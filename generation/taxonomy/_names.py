"""Assigns unique ids and letters to categories and scenarios."""

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import count

from ...common.text import SMALL_WORDS
from ...datasets.taxonomy import RESERVED
from ._group import Grouped

_LONGEST = 60
_LETTERS = re.compile(r"[A-Z]{2,4}")


@dataclass(frozen=True, slots=True)
class Names:
    """Ids and letters of categories and scenarios.

    Attributes:
        categories: Id of each category.
        aliases: Letters of each category.
        scenarios: Id of each scenario within its category, by the proposal's id.
        letters: Letters of each scenario, by the proposal's id.
    """

    categories: tuple[str, ...]
    aliases: tuple[str, ...]
    scenarios: dict[str, str]
    letters: dict[str, str]


def names_for(groups: Sequence[Grouped]) -> Names:
    """Return unique ids and letters.

    Ids are lower-case ASCII letters, digits and underscores. Scenarios have ids that are
    unique in the whole taxonomy, and that are not the title of another; where two would be
    the same, the later has a number behind it. So have letters, which are no id or title
    either.
    """
    titles = [each.title for each in groups]
    scenarios = [one for each in groups for one in each.scenarios]
    categories = list[str]()
    for title in titles:
        categories.append(_free(slug(title, "category"), {*categories, RESERVED}))
    ids = dict[str, str]()
    for one in scenarios:
        others = {looked_up(other.name) for other in scenarios if other.id != one.id}
        taken = {*ids.values(), *others, RESERVED}
        ids[one.id] = _free(slug(one.name, "scenario"), taken)
    taken = {*categories, *ids.values()}
    taken |= {looked_up(name) for name in (*titles, *(one.name for one in scenarios))}
    aliases = [_letters(each.alias.strip().upper(), each.title, taken) for each in groups]
    letters = {one.id: _letters("", one.name, taken) for one in scenarios}
    return Names(tuple(categories), tuple(aliases), ids, letters)


def slug(title: str, otherwise: str) -> str:
    """Return a title as an id; `otherwise` where no letter or digit of ASCII is in it."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "_", plain.replace("'", ""))[:_LONGEST].strip("_")
    return made or otherwise


def looked_up(name: str) -> str:
    """Return a name as `Taxonomy.resolve` looks it up."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _letters(wanted: str, title: str, taken: set[str]) -> str:
    """Return letters that are not taken, the wanted ones if possible, and mark them as taken."""
    if not _LETTERS.fullmatch(wanted):
        all_words = slug(title, "x").split("_")
        words = [word for word in all_words if word not in SMALL_WORDS] or all_words
        wanted = "".join(word[0] for word in words[:4]) if len(words) > 1 else "".join(words)[:2]
    found = _free(wanted.casefold(), taken, "")
    taken.add(found)
    return found.upper()


def _free(name: str, taken: Container[str], before: str = "_") -> str:
    """Return a name that is not taken, with the first number from 2 that makes it so."""
    if name not in taken:
        return name
    return next(f"{name}{before}{n}" for n in count(2) if f"{name}{before}{n}" not in taken)
