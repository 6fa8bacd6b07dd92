"""Words that captions share."""

from collections.abc import Iterable

from ....common.text import count, many

FEW = 5
"""Below so many cases a rate is marked, since it says little."""
WILSON = "95 % Wilson intervals, at the effective number of cases where queries are repeated"


def n_of(numbers: Iterable[int], what: str = "harmful case") -> str:
    """Return `n = 69 harmful cases each`, or the least and the most where they differ."""
    known = sorted({*numbers})
    if len(known) == 1:
        return f"n = {many(known[0], what)} each"
    return f"n = {count(known[0])} to {many(known[-1], what)}"


def id_words(name: str) -> str:
    """Return an id as words: `cybersecurity.malware_generation` is `Malware generation`."""
    words = name.rpartition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:] or name
