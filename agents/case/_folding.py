"""Normalize texts, so that a quotation is found however it is spelled, spaced or escaped."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator

EDGE = '"'
"""Stands for a run of marks that set words apart, in a text that is `folded`."""

_MOST_KEPT = 10_000
_MOST_LETTERS = 4
"""Of one character; one of Arabic is a sentence of 18."""
_NO_EDGES = "-_/\\{"
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u04bb\u0501\u051b\u051d"
    "\u0442\u043d\u043c\u043a\u0432\u0131\u0578\u057d\u0585\u0261\u0251"
    "\u03b1\u03b5\u03bf\u03bd\u03b9\u03c1\u03c4\u03c5\u03c7\u03ba",
    "aeopcxyisjhdqw" + "thmkbinuoga" + "aeoviptuxk",
)
_BACKSLASHED = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))", re.IGNORECASE | re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\n", "t": "\t", "b": " ", "f": " "}
_ENTITY = re.compile(r"&(?:#[0-9]{1,7};?|#x[0-9a-f]{1,6};?|[a-z]{2,8};)", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_UNDONE = 3


class _Table(dict[int, str | None]):
    """A translation table, made per character: time and memory grow with a text's length.

    Normalizing a text as a whole takes the square of its longest run of accents. What leaves
    nothing is None: `translate` is slow once it meets an empty string.
    """

    def __init__(self, other: Callable[[str, str], str]) -> None:
        self._other = other

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        decomposed = unicodedata.normalize("NFKD", char)
        bare = "".join(c for c in decomposed if unicodedata.category(c)[0] not in "MC")
        bare = bare.casefold().translate(_LOOK_ALIKES)
        kept = "".join(filter(str.isalnum, bare))[:_MOST_LETTERS]
        kept = kept or self._other(char, bare[:_MOST_LETTERS]) or None
        if len(self) < _MOST_KEPT:
            self[code] = kept
        return kept


def _edge(char: str, bare: str) -> str:
    """Return an edge for a sign or a new line, nothing for what may stand within a phrase."""
    is_sign = unicodedata.category(char)[0] in "PS" and bare not in _NO_EDGES
    return EDGE if is_sign or char in "\n\r\u2028\u2029" else ""


def _sign(char: str, bare: str) -> str:
    """Return a sign as it is typed; nothing for marks of quotation and emphasis."""
    if char.isspace():
        return " "
    if char in _QUOTES_AND_EMPHASIS or not bare.strip():
        return ""
    return "-" if unicodedata.category(char) == "Pd" else bare


_QUOTES_AND_EMPHASIS = frozenset(
    "\"'`*_\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033"
    "\u2039\u203a\u300c\u300d\uff02\uff07\uff40\ufffd"
)
_FOLDED = _Table(_edge)
_TYPED = _Table(_sign)
_PLAIN = _Table(lambda char, bare: char if char in "\n\r\t" else bare)
_APART = _Table(lambda char, bare: " " if char in "\n\r\t" or bare.strip("'\u2019") else "")
_EDGE_RUN = re.compile(f"{EDGE}{EDGE}+")


def folded(text: str) -> str:
    """Return the letters and digits of a text, with an edge for what stands between phrases."""
    return _EDGE_RUN.sub(EDGE, text.translate(_FOLDED)).strip(EDGE)


def letters(text: str) -> str:
    """Return the letters and digits of a text alone."""
    return text.translate(_FOLDED).replace(EDGE, "")


def plain(text: str) -> str:
    """Return a text in lower case, with plain letters and nothing invisible."""
    return text.translate(_PLAIN)


def plain_words(text: str) -> list[str]:
    """Return the words of a text as `plain` has them; what has an apostrophe is one."""
    return text.translate(_APART).split()


def typed(text: str) -> str:
    """Return a text as a typewriter has it: plain, and without quotation marks and emphasis."""
    return text.translate(_TYPED)


def readings(text: str) -> Iterator[str]:
    """Yield a text as it is seen, and as it reads with its escapes undone, again and again."""
    # An escape with something invisible in it is one to a reader.
    text = _INVISIBLE.sub("", text)
    yield text
    if "\\" not in text and "&" not in text:
        return
    for undo in (_unescaped, _meant) * _UNDONE:
        if (undone := undo(text)) != text:
            yield undone
            text = undone


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    text = _BACKSLASHED.sub(_unescape, text)
    # Two halves of one character stand side by side.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(match: re.Match[str]) -> str:
    if digits := match[1] or match[2]:
        return chr(int(digits, 16))
    return _CONTROLS.get(match[3], match[3])


def _meant(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text
