r"""Escapes control characters in untrusted text before it is shown.

Escape sequences, control and format characters could move the cursor, set the
title, reverse the reading direction or hide words. They are shown as visible
escapes such as `\x1b`, so that a reader sees that they were there.
"""

import unicodedata
from typing import TypeVar

_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"
_KEPT = "\n\t"
_DROPPED = "\ufe0e\ufe0f"
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With the full-width forms of East Asian keyboards, which spreadsheets take for the same."""

T = TypeVar("T")


class _Escapes(dict[int, str]):
    """A `str.translate` table that is filled on demand."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in _DROPPED:
            shown = ""
        elif char in _KEPT or (_is_visible(char) and char not in _BLANK_LETTERS):
            shown = char
        else:
            shown = _escape(code)
        self[code] = shown
        return shown


def _is_visible(char: str) -> bool:
    if char.isprintable():
        # The supplementary selectors (U+E0100 on) can carry hidden bytes.
        return not ("\U000e0100" <= char <= "\U000e01ef" or "\ufe00" <= char <= "\ufe0d")
    return unicodedata.category(char) == "Zs"


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_ESCAPES = _Escapes()


def escape_controls(text: str, *, encoding: str = "utf-8") -> str:
    """Escape control and invisible characters in `text`.

    Line feeds and tabs stay, CR LF becomes LF, and the selectors that only choose
    between a black-and-white and a colored emoji are left out.

    Args:
        text: Words of a model, a dataset or a config.
        encoding: Where the words go; what it cannot hold is escaped as well.
    """
    shown = text.replace("\r\n", "\n").translate(_ESCAPES)
    if encoding.lower().replace("-", "") == "utf8":
        return shown
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def escape_line(text: str, *, encoding: str = "utf-8") -> str:
    """Escape control characters in `text` and join its lines, for names and titles."""
    return " ".join(escape_controls(text, encoding=encoding).split())


def escape_formula(cell: T, *, lines: bool = False) -> T | str:
    """Escape a cell of a CSV file that a spreadsheet would run as a formula.

    Args:
        cell: What is to be in it; all but text stays as it is.
        lines: Whether its lines stay apart.
    """
    if not isinstance(cell, str):
        return cell
    text = escape_controls(cell) if lines else escape_line(cell)
    risky = cell.startswith(_FORMULA_STARTS) or text.startswith(_FORMULA_STARTS)
    return f"'{text}" if risky else text
