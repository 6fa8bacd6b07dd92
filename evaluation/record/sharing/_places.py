"""Names without the places in them: addresses, paths and the names of files."""

import re

from ..identity import WITHHELD

_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")
"""How a path begins, and the name of a model on a hub does not."""


class Places:
    """Replaces addresses by numbers, so that what was asked in two places stays apart."""

    def __init__(self) -> None:
        self._numbers = dict[str, int]()

    def without(self, name: str) -> str:
        """Return the name of a model, or of a model and where it is, without the place."""
        model, at, place = name.partition("@")
        if not at and "://" in model:
            model, place = "", model
        found = plain_name(model)
        if not place:
            return found
        number = self._numbers.setdefault(place, len(self._numbers) + 1)
        return f"{found}@place-{number}"


def persona_name(name: str) -> str:
    """Return the name of a persona, and nothing of the file that another one is in."""
    return WITHHELD if re.search(r"[\\/]|\.ya?ml$", name, re.IGNORECASE) else name


def plain_name(name: str) -> str:
    """Return the last part of a path, and any other name as it is."""
    if not _PATH.match(name):
        return name if "://" not in name else WITHHELD
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1] or WITHHELD
