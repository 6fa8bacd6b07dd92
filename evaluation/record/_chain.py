"""Hash chain over a case: each entry of its transcript is bound to those before it.

A link is a SHA-256 of the link before it and of one entry as it is stored; the head binds the
last link to the case's result. Any change, addition, removal or reordering changes the head.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

_encode = msgspec.json.Encoder().encode
START = b""
"""The value before the first link."""
Row = tuple[object, ...]
"""A row of the record, as it is stored."""


def link(before: bytes, case_id: str, number: int, kind: str, body: str) -> bytes:
    """Compute the link of an entry.

    Args:
        before: The link of the entry before it.
        case_id: The case's id.
        number: Its number within the case, from 0.
        kind: Its type.
        body: Its JSON, as stored.
    """
    place = str(number)
    text = f"{len(case_id)}:{case_id}{len(place)}:{place}{len(kind)}:{kind}{len(body)}:{body}"
    if text.isascii():  # as in `_hash`, in a third of its time
        return hashlib.sha256(before + text.encode()).digest()
    return _hash(before, case_id, place, kind, body)


def head(last: bytes, row: Sequence[object]) -> str:
    """Compute the head of a case's chain, in hexadecimal.

    Args:
        last: The link of the last entry.
        row: The case's row as stored, without its head.
    """
    encoded = _encode(row)
    return hashlib.sha256(b"%b6:result%d:%b" % (last, len(encoded), encoded)).hexdigest()


def digest(about: Iterable[str], heads: Iterable[tuple[str, str]]) -> str:
    """Compute the digest of a whole run, in hexadecimal.

    Args:
        about: Facts of the run, as stored.
        heads: Its cases in order, each with the head of its chain.
    """
    return bound_to(_hash(START, *about), heads)


def bound_to(about: bytes, heads: Iterable[tuple[str, str]]) -> str:
    """Compute the digest of a whole run of the one of its facts alone.

    Args:
        about: Its digest without cases.
        heads: Its cases in order, each with the head of its chain.
    """
    whole = about
    for case_id, head_of_case in heads:
        text = f"{len(case_id)}:{case_id}{len(head_of_case)}:{head_of_case}"
        if text.isascii():
            whole = hashlib.sha256(whole + text.encode()).digest()
        else:
            whole = _hash(whole, case_id, head_of_case)
    return whole.hex()


def blinding(about: Iterable[str], heads: Iterable[tuple[str, str]]) -> bytes:
    """Compute what hides the heads of a run's cases, which only who has the whole run can know.

    A head by itself would confirm a guess of a question, where nothing else in its case is secret.

    Args:
        about: Facts of the run, as stored.
        heads: Its cases in order, each with the head of its chain.
    """
    return bytes.fromhex(digest(("shareable copy", *about), heads))


def blinded(key: bytes, case_id: str, head_of_case: str) -> str:
    """Compute what stands for the head of a case where its words are not, in hexadecimal.

    Args:
        key: Of the whole run, from `blinding`.
        case_id: The case's id.
        head_of_case: The head of its chain.
    """
    return _hash(key, case_id, head_of_case).hex()


def _hash(before: bytes, *parts: str) -> bytes:
    text = "".join([f"{len(part)}:{part}" for part in parts])
    if text.isascii():  # as most is, and then a character is a byte
        return hashlib.sha256(before + text.encode()).digest()
    hashed = [before]
    for part in parts:
        encoded = part.encode()
        hashed += (b"%d:" % len(encoded), encoded)  # so that no two lists of parts look alike
    return hashlib.sha256(b"".join(hashed)).digest()
