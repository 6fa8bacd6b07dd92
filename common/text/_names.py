"""Names that are made up: plain letters, and none twice."""

import re
from collections.abc import Container

LONGEST_NAME = 100


def plain_name(text: str) -> str:
    """Return a text as a run, a target or a file may be called; empty if nothing is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:LONGEST_NAME]


def free_name(wanted: str, taken: Container[str]) -> str:
    """Return the name, with the first free number behind it if it is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
