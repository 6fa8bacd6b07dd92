"""Helps to write error messages: short, on one line, with suggestions for misspelled names."""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

_short = Repr()
_short.maxstring = _short.maxother = 80
_DETAIL_KEPT = 300
"""Characters."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most similar to this one whatever its case, None if none is close."""
    folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), folded, n=1)
    return folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"`, or an empty string if nothing is close."""
    found = nearest(word, known)
    return f" (did you mean {found!r}?)" if found else ""


def quoted(value: object) -> str:
    """Return the `repr` of a value on one short line."""
    return _short.repr(value)


def short_reason(error: Exception, longest: int = 80) -> str:
    """Return an error's message on one line, or its type if it has no message.

    Args:
        error: Of a library.
        longest: Most characters of it.
    """
    return " ".join(str(error).split())[:longest].rstrip() or type(error).__name__


def short(text: str, longest: int = _DETAIL_KEPT) -> str:
    """Shorten a text to one line of bounded length.

    Args:
        text: The text.
        longest: Most characters of it; dots follow where it is cut.
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}..."
