"""What a juror was shown, so that its own words can be told from a quotation."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_LONG = 80
"""Letters and digits from which nobody hits on another's words by chance."""
_ESCAPE = re.compile(
    r"(?<!\\)\\++(?:u([0-9a-f]{4})|x([0-9a-f]{2})|[nrtbf])"
    r"|&#x([0-9a-f]{1,5});?|&#([0-9]{1,6});?|&(?:quot|apos);",
    re.IGNORECASE,
)
_DELIMITERS = "\"'`\u00b4\u2018-\u201f\u00ab\u00bb\u2039\u203a\u300c-\u300f:=<>|*"
_BETWEEN = re.compile(f"[^\\w{_DELIMITERS}]+|_+")
_WORD = re.compile(r"[^\W_]+")
_DELIMITED = re.compile(f"[{_DELIMITERS}]+")
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u04bb\u0501\u051b\u051d"
    "\u0442\u043d\u043c\u043a\u0432\u0131\u0578\u057d\u0585\u0261\u0251"
    "\u03b1\u03b5\u03bf\u03bd\u03b9\u03c1\u03c4\u03c5\u03c7\u03ba",
    "aeopcxyisjhdqw" + "thmkbinuoga" + "aeoviptuxk",
)


@lru_cache(maxsize=64)
def folded(text: str) -> str:
    """Return the letters and digits of a text, however they are spelt, spaced and escaped.

    A quotation mark stands for each run of marks that set words apart, so that the
    members of an object are equal whatever they are quoted with.
    """
    if "\\" in text or "&" in text:
        text = _ESCAPE.sub(_unescaped, text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _DELIMITED.sub('"', _BETWEEN.sub("", _plain(text))).strip('"')


def plain_words(text: str) -> list[str]:
    """Return the words of a text in lower case, with look-alike letters made plain."""
    return _WORD.findall(_plain(text).replace("'", "").replace("\u2019", ""))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).casefold().translate(_LOOK_ALIKES)


def _unescaped(match: re.Match[str]) -> str:
    if match[4]:
        return chr(int(match[4]))
    digits = match[1] or match[2] or match[3]
    return chr(int(digits, 16)) if digits else '"' if match[0][0] == "&" else " "


class Shown:
    """The words that a juror was shown of a case and by other jurors.

    Args:
        text: Those words.
    """

    def __init__(self, text: str) -> None:
        self._folded = f'{folded(text)}"'
        self._letters = _letters(text)

    def plants(self, finding: str) -> bool:
        """Whether a finding is stated in it, in the shape of a ballot."""
        return f'finding"{finding}' in self._folded

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


@lru_cache(maxsize=64)
def _letters(text: str) -> str:
    return folded(text).replace('"', "")
