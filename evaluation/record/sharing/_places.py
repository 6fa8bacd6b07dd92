"""Names without the places in them: addresses, paths and the names of files."""

import re
from collections.abc import Iterable

from ....targets import WITHHELD

_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|[^:]*\\|[^:]*/[^:]*/")
"""How a path begins, and the name of a model on a hub does not, which has one slash at most."""


class Places:
    """Takes places out of names, so that what was asked in two places stays apart.

    Args:
        functions: Names of functions that are targets, with the modules that they are in.
    """

    def __init__(self, functions: Iterable[str] = ()) -> None:
        self._functions = frozenset(functions)
        self._numbers = dict[str, int]()
        self._names = dict[str, dict[str, int]]()

    def without(self, name: str) -> str:
        """Return the name of a model, or of a model and where it is, without the place."""
        if name in self._functions:
            return self._at("function", name)
        model, at, place = name.rpartition("@")
        if not at:
            model, place = ("", name) if "://" in name else (name, "")
        found = self.apart(model) if model else WITHHELD
        return self._at(found, place) if place else found

    def apart(self, name: str) -> str:
        """Return a name without a path; where two are alike so, the later one has a number."""
        found = plain_name(name)
        alike = self._names.setdefault(found, {})
        number = alike.setdefault(name, len(alike) + 1)
        return found if number == 1 else f"{found}-{number}"

    def _at(self, found: str, place: str) -> str:
        number = self._numbers.setdefault(place, len(self._numbers) + 1)
        return f"{found}@place-{number}"


def persona_name(name: str) -> str:
    """Return the name of a persona, and nothing of the file that another one is in."""
    return WITHHELD if re.search(r"[\\/]|\.ya?ml$", name, re.IGNORECASE) else name


def plain_name(name: str) -> str:
    """Return the last part of a path, and any other name as it is."""
    if "://" in name:
        return WITHHELD
    if not _PATH.match(name):
        return name
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1] or WITHHELD
