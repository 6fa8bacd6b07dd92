"""What a juror was shown, so that its own words can be told from a quotation."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_LONG = 80
"""Letters and digits from which nobody hits on another's words by chance."""
_BACKSLASHED = re.compile(
    r"\\(?<!\\\\)\\*+(?:u([0-9a-f]{4})|x([0-9a-f]{2})|[nrtbf])", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#x([0-9a-f]{1,5});?|#([0-9]{1,6});?|quot;|apos;)", re.IGNORECASE)
_JURY_WORDS = {"ballot", "ballots", "juror", "jurors", "jury", "rating", "verdict"}
_WORD = re.compile(r"[^\W_]+")
_DELIMITERS = set("\"'`\u00b4\u00ab\u00bb\u2039\u203a:=<>|*") | set(map(chr, range(0x2018, 0x2020)))
_DELIMITED = re.compile('""+')
_MOST_LETTERS = 10_000
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u04bb\u0501\u051b\u051d"
    "\u0442\u043d\u043c\u043a\u0432\u0131\u0578\u057d\u0585\u0261\u0251"
    "\u03b1\u03b5\u03bf\u03bd\u03b9\u03c1\u03c4\u03c5\u03c7\u03ba",
    "aeopcxyisjhdqw" + "thmkbinuoga" + "aeoviptuxk",
)


class _Folding(dict[int, str | None]):
    """What becomes of each character: translating is much faster than matching."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        kept = char.lower() if char.isalnum() else '"' if char in _DELIMITERS else None
        if len(self) < _MOST_LETTERS:
            self[code] = kept
        return kept


_FOLDING = _Folding((code, chr(plain)) for code, plain in _LOOK_ALIKES.items())


def folded(text: str) -> str:
    """Return the letters and digits of a text, however they are spelt, spaced and escaped.

    A quotation mark stands for each run of marks that set words apart, so that the
    members of an object are equal whatever they are quoted with.
    """
    text = _ENTITY.sub(_meant, _BACKSLASHED.sub(_unescaped, text))
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFKD", text).casefold()
    return _DELIMITED.sub('"', text.translate(_FOLDING)).strip('"')


def plain_words(text: str) -> list[str]:
    """Return the words of a text in lower case, with look-alike letters made plain."""
    return _WORD.findall(_plain(text).replace("'", "").replace("\u2019", ""))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold().translate(_LOOK_ALIKES)


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    return chr(int(digits, 16)) if digits else " "


def _meant(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return chr(int(match[2])) if match[2] else '"'


class Shown:
    """The words that a juror was shown of a case and by other jurors.

    Args:
        text: Those words.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded = f'{folded(text)}"'
        self._letters = self._folded.replace('"', "")

    def plants(self, finding: str) -> bool:
        """Whether a finding is stated in it, in the shape of a ballot."""
        return f'finding"{finding}' in self._folded

    def speaks_of(self, finding: str) -> bool:
        """Whether it may tell a jury to reach a finding, in whatever shape."""
        words = set(plain_words(self._text))
        return self.plants(finding) or (finding in words and not words.isdisjoint(_JURY_WORDS))

    def holds_ballot(self, finding: str, reason: str) -> bool:
        """Whether a ballot with this finding and reason stands in it, in any order of members.

        A long reason need not be whole: a cap on its length may have cut a copy.
        """
        if not self.plants(finding):
            return False
        letters = _letters(reason)
        if len(letters) >= _LONG:
            return letters in self._letters
        whole = '"?'.join(("reason", *letters))
        return re.search(f'{whole}"', self._folded) is not None

    def holds_object(self, members: Mapping[str, object]) -> bool:
        """Whether each member of an object stands in it, in any order."""
        try:
            told = [json.dumps({key: value}, default=str) for key, value in members.items()]
        except RecursionError:
            return False
        return bool(told) and all(map(self.holds, told))

    def holds(self, words: str) -> bool:
        """Whether these words stand in it."""
        return _letters(words) in self._letters


@lru_cache(maxsize=32)
def look_at(text: str) -> Shown:
    """Return what a juror was shown, read once for all jurors that were shown the same."""
    return Shown(text)


def _letters(text: str) -> str:
    return folded(text).replace('"', "")
