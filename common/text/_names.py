"""Makes plain and unique names for runs, targets and files."""

import re
from collections.abc import Container

LONGEST_NAME = 100


def plain_name(text: str) -> str:
    """Turn a text into a valid name of a run, target or file; empty if nothing is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:LONGEST_NAME]


def unique_name(wanted: str, taken: Container[str]) -> str:
    """Return the name, with the first free number appended if it is taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
