"""Keys in the bytes that a terminal sends, and the line that a person types with them."""

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum

_LONGEST_LINE = 4_000
"""Characters of an answer; more of them would be somebody's clipboard."""


class Key(StrEnum):
    """A key without a character of its own."""

    UP = "<up>"
    DOWN = "<down>"
    LEFT = "<left>"
    RIGHT = "<right>"
    PAGE_UP = "<page up>"
    PAGE_DOWN = "<page down>"
    HOME = "<home>"
    END = "<end>"
    DELETE = "<delete>"
    ENTER = "<enter>"
    BACKSPACE = "<backspace>"
    TAB = "<tab>"
    ESCAPE = "<escape>"
    CLEAR = "<clear>"
    REDRAW = "<redraw>"
    CLOSED = "<closed>"


_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_NAMED = {
    "A": Key.UP,
    "B": Key.DOWN,
    "C": Key.RIGHT,
    "D": Key.LEFT,
    "H": Key.HOME,
    "F": Key.END,
    "1~": Key.HOME,
    "3~": Key.DELETE,
    "4~": Key.END,
    "5~": Key.PAGE_UP,
    "6~": Key.PAGE_DOWN,
    "7~": Key.HOME,
    "8~": Key.END,
}
_CONTROLS = {
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\t": Key.TAB,
    "\x7f": Key.BACKSPACE,
    "\x08": Key.BACKSPACE,
    "\x15": Key.CLEAR,
    "\x0c": Key.REDRAW,
    "\x04": Key.CLOSED,
}


class KeyReader:
    """Reads keys from bytes that may come in any pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def read(self, data: bytes) -> list[str]:
        """Return the keys that are complete: characters as they are, others as a `Key`."""
        text = self._rest + self._decoder.decode(data)
        keys: list[str] = []
        place = 0
        while place < len(text):
            if text[place] != "\x1b":
                keys += _character(text[place])
                place += 1
            elif found := _SEQUENCE.match(text, place):
                key = _NAMED.get(found[0][2:])
                keys += [] if key is None else [key]
                place = found.end()
            elif _UNFINISHED.match(text, place):
                break
            else:
                place += 1
        self._rest = text[place:]
        return keys

    def flush(self) -> list[str]:
        """Return the escape key, if that is what began a sequence of which no more came."""
        rest, self._rest = self._rest, ""
        return [Key.ESCAPE] if rest == "\x1b" else []


def _character(char: str) -> list[str]:
    if char in _CONTROLS:
        return [_CONTROLS[char]]
    return [char] if char.isprintable() else []


@dataclass(slots=True)
class Line:
    """A line that is being typed.

    Attributes:
        text: What was typed.
        place: Characters before the cursor.
    """

    text: str = ""
    place: int = 0

    def press(self, key: str) -> None:
        """Change it by one key; keys that mean nothing here are ignored."""
        before, behind = self.text[: self.place], self.text[self.place :]
        match key:
            case Key.BACKSPACE:
                before = before[:-1]
            case Key.DELETE:
                behind = behind[1:]
            case Key.CLEAR:
                before, behind = "", ""
            case Key.LEFT:
                before, behind = before[:-1], before[-1:] + behind
            case Key.RIGHT:
                before, behind = before + behind[:1], behind[1:]
            case Key.HOME:
                before, behind = "", before + behind
            case Key.END:
                before, behind = before + behind, ""
            case str() if len(key) == 1 and len(self.text) < _LONGEST_LINE:
                before += key
            case _:
                return
        self.text, self.place = before + behind, len(before)
