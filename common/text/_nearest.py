"""Words for error messages: short, on one line, and a help with misspelled names."""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

_short = Repr()
_short.maxstring = _short.maxother = 80
_DETAIL_KEPT = 300
"""Characters."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like this one, None when nothing is near."""
    found = get_close_matches(word.casefold(), list(known), n=1)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"`, or an empty string when nothing is near."""
    found = nearest(word, known)
    return f" (did you mean {found!r}?)" if found else ""


def quoted(value: object) -> str:
    """Return a value as one short line with control characters escaped."""
    return _short.repr(value)


def short_reason(error: Exception, longest: int = 80) -> str:
    """Return what an error says in one line, or its kind where it says nothing.

    Args:
        error: Of a library.
        longest: Most characters of it.
    """
    return " ".join(str(error).split())[:longest].rstrip() or type(error).__name__


def short(text: str) -> str:
    """Return a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _DETAIL_KEPT else f"{line[:_DETAIL_KEPT]}..."
