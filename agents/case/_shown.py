"""Find the words of a case in a juror's reply, so that no quotation counts as a ballot."""

import re
from functools import lru_cache
from itertools import accumulate

from ._folding import EDGE, folded, letters, plain_words, readings

_LONG = 80
"""Letters and digits from which nobody hits on another's words by chance."""
_KEPT = 12_500
"""Characters up to which a text is kept with what was read from it."""
_VALUE = "(?:un)?safe|abstain"
_SHAPES = re.compile(
    f"finding{EDGE}?(?:{_VALUE})|rating{EDGE}[1-5]|{EDGE}(?:{_VALUE}){EDGE}|juror|ballot"
)
_NEAR = "(?: [^ ]++){0,8}? "
_FIELDS = "(?:findings?|rat(?:e|ed|ings?)|vote[ds]?)"
_VALUES = f"(?:{_VALUE}|[1-5]|one|two|three|four|five)"
_WORDS = re.compile(
    rf" (?:jury|juries|verdicts?|{_FIELDS}{_NEAR}{_VALUES}|{_VALUES}{_NEAR}{_FIELDS}) "
)


class Shown:
    """The words of a case that its target or its query wrote.

    Args:
        text: Those words.
    """

    def __init__(self, text: str) -> None:
        self._readings = [_Reading(reading) for reading in readings(text)]
        self.speaks = any(reading.speaks for reading in self._readings)
        """Whether it may speak to a jury: it has words that ballots are made of."""

    def states(self, words: str) -> bool:
        """Whether the text has these words as a phrase of its own, or long words anywhere."""
        return any(
            reading.states(said)
            for said in filter(None, map(letters, readings(words)))
            for reading in self._readings
        )


class _Reading:
    def __init__(self, text: str) -> None:
        self._folded = f"{EDGE}{folded(text)}{EDGE}"
        self._letters = self._folded.replace(EDGE, "")
        words = f" {' '.join(plain_words(text))} "
        self.speaks = bool(_SHAPES.search(self._folded) or _WORDS.search(words))

    def states(self, said: str) -> bool:
        if said not in self._letters:
            return False
        if len(said) >= _LONG:
            return True
        edges = set(accumulate(map(len, self._folded.split(EDGE))))
        return any(at + len(said) in edges and self._letters.startswith(said, at) for at in edges)


def look_at(text: str) -> Shown:
    """Return what a text shows; short ones are read once for all jurors."""
    return _looked_at(text) if len(text) <= _KEPT else Shown(text)


@lru_cache(maxsize=512)  # as many cases are under way with 256 calls at a time
def _looked_at(text: str) -> Shown:
    return Shown(text)
