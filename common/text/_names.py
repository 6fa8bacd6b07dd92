"""Makes plain and unique names for runs, targets and files, and sorts names."""

import re
from collections.abc import Container

LONGEST_NAME = 100
_DIGITS = re.compile(r"([0-9]+)")


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


def natural_order(name: str) -> list[str | tuple[int, str, str]]:
    """Return a key that sorts `q2` before `q10`."""
    parts = _DIGITS.split(name)  # text and digits in turn
    numbers = ((len(digits.lstrip("0")), digits.lstrip("0"), digits) for digits in parts[1::2])
    return [part if at % 2 == 0 else next(numbers) for at, part in enumerate(parts)]


def natural_key(name: str) -> bytes:
    """Return `natural_order` as bytes, for a database to sort by.

    They are compared like the lists, for names without the character NUL.
    """
    key = bytearray()
    for part in natural_order(name):
        if isinstance(part, str):
            key += part.encode(errors="surrogatepass") + b"\0"
        else:
            length, digits, written = part
            key += length.to_bytes(8) + digits.encode() + written.encode() + b"\0"
    return bytes(key)
