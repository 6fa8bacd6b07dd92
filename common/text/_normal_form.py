"""Normalizes text: Unicode NFKC and case folding."""

import unicodedata

_MOST_MARKS = 30
"""Accents on one letter, as in Unicode's stream-safe form."""
_LONG = 1000


def normal_form(text: str) -> str:
    """Normalize a text to NFKC and fold its case, in linear time.

    Normalizing takes the square of a run of accents. No writing has more on a letter than
    are kept.
    """
    if len(text) > _LONG and not text.isascii():
        text = _fewer_marks(text)
    return unicodedata.normalize("NFKC", text).casefold()


def _fewer_marks(text: str) -> str:
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
