"""The chain over a case: each entry of its transcript is bound to those before it.

A link is a SHA-256 of the link before it and of one entry as it is stored; the head binds the
last link to the case's result. Who changes, adds, removes or reorders anything has another head.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

START = b""
"""What the first link follows."""


def link(before: bytes, case_id: str, number: int, kind: str, body: str) -> bytes:
    """Return the link of an entry.

    Args:
        before: The link of the entry before it.
        case_id: The case's id.
        number: Its number within the case, from 0.
        kind: What it is.
        body: Its JSON, as it is stored.
    """
    return _hash(before, case_id, str(number), kind, body)


def head(last: bytes, row: Sequence[object]) -> str:
    """Return the head of a case's chain, in hexadecimal.

    Args:
        last: The link of the last entry.
        row: The case's row as it is stored, but for its head.
    """
    return _hash(last, "result", msgspec.json.encode(row).decode()).hex()


def digest(about: Iterable[str], heads: Iterable[tuple[str, str]]) -> str:
    """Return what stands for a whole run, in hexadecimal.

    Args:
        about: What the run was made with, as it is stored.
        heads: Its cases in their order, each with the head of its chain.
    """
    whole = _hash(START, *about)
    for case_id, head_of_case in heads:
        whole = _hash(whole, case_id, head_of_case)
    return whole.hex()


def _hash(before: bytes, *parts: str) -> bytes:
    hashed = hashlib.sha256(before)
    for part in parts:
        encoded = part.encode()
        hashed.update(b"%d:" % len(encoded))  # so that no two lists of parts look alike
        hashed.update(encoded)
    return hashed.digest()
