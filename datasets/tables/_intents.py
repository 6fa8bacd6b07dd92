"""Parses intents in tables of other tools; custom words must be declared."""

from collections.abc import Iterable, Mapping
from math import isnan

from ...common import ConfigurationError
from ...common.text import quoted
from ..query import Intent
from ._values import RowError, describe

_LONGEST_WORD = 20
_BUILT_IN = {str(intent): intent for intent in Intent}


class Intents:
    """Parses intents: `harmful`, `benign` and the words declared for them.

    Case and space around a word make no difference; numbers, true and false are as good
    as words.

    Args:
        declared: Further words by the intent that they mean, such as
            `{"benign": ["unharmful", "0"]}`.
        option: The option that declares a word, for messages.
        key: The key of a config that does.
        always: The intent of all, whatever is said.

    Raises:
        ConfigurationError: A word is declared for both, or is empty.
    """

    def __init__(
        self,
        declared: Mapping[str, Iterable[object]] | None = None,
        *,
        option: str = "--intent-word",
        key: str = "intent_words",
        always: Intent | None = None,
    ) -> None:
        self._always = always
        self._option = option
        self._key = key
        self._words = dict(_BUILT_IN)
        for name, said in (declared or {}).items():
            intent = _intent(name, option)
            for value in said:
                self._declare(intent, value)

    def _declare(self, intent: Intent, value: object) -> None:
        word = _word(value)
        if not word:
            raise ConfigurationError(f"{self._option}: a word for {intent} is empty")
        if self._words.setdefault(word, intent) is not intent:
            raise ConfigurationError(
                f"{self._option}: {quoted(word)} means {self._words[word]}, so it cannot mean "
                f"{intent} too"
            )

    def read(self, value: object, what: str) -> Intent | None:
        """Parse the intent of a value, None if it is empty.

        Raises:
            RowError: It is no word that is known.
        """
        if self._always is not None:
            return self._always
        word = _word(value)
        if word == "":
            return None
        if word is None:
            raise RowError(f"{what} must be harmful or benign, not {describe(value)}")
        intent = self._words.get(word)
        if intent is None:
            raise RowError(f"{what} must be harmful or benign, not {self._hinted(word, value)}")
        return intent

    def _hinted(self, word: str, value: object) -> str:
        """Describe a value for a message; long texts only by their length."""
        if len(word) > _LONGEST_WORD or len(word.split()) > 1:
            shown, word = f"a text of {len(str(value)):,} characters", "WORD"
        else:
            shown = quoted(value) if isinstance(value, str) else word
        declared = f"{self._option} benign={word} or harmful={word} (`{self._key}:` in a config)"
        return f"{shown}: say what it means with {declared}"


def _intent(name: str, option: str) -> Intent:
    try:
        return Intent(name.strip().casefold())
    except ValueError:
        raise ConfigurationError(
            f"{option} {quoted(name)}: write it as benign=WORD or harmful=WORD"
        ) from None


def _word(value: object) -> str | None:
    """Return a value as a word, empty if there is none; None if it is not a word."""
    if value is None or (isinstance(value, float) and isnan(value)):  # Parquet's empty cell
        return ""
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).casefold() if isinstance(value, bool | int | float) else None
