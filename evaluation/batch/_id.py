"""Custom ids of batch requests, which identify the call and the exact request."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from ...models import CAP_NOTE, SCHEMA_NOTE, SYSTEM_NOTE, ChatRequest, Dialect

BATCH_NOTE = "answered by a batch"

Unsupported = Literal["temperature", "top_p", "seed", "max_tokens", "system"]
"""Parameters that a model may not support. `max_tokens` is then sent as
`max_completion_tokens`, and system messages are put before the first user message; the
others are left out."""

_LETTERS: dict[Unsupported, str] = {
    "temperature": "t",
    "top_p": "p",
    "seed": "s",
    "max_tokens": "c",
    "system": "m",
}
_WORDS: dict[str, str] = {
    "t": "temperature was left out",
    "p": "top_p was left out",
    "s": "seed was left out",
    "c": CAP_NOTE,
    "m": SYSTEM_NOTE,
    "w": SCHEMA_NOTE,
}
_KEY_DIGITS = 16


def batch_dialect(unsupported: frozenset[Unsupported], *, schema_in_words: bool) -> Dialect:
    """Return the dialect for models that do not support some parameters."""
    return Dialect(
        schema_in_words=schema_in_words,
        completion_cap="max_tokens" in unsupported,
        no_system="system" in unsupported,
        dropped=frozenset(unsupported - {"max_tokens", "system"}),
    )


@dataclass(frozen=True, slots=True)
class CustomId:
    """A parsed custom id: at most 64 characters, `<tag>.<digits>` and then `-<letters>`.

    Attributes:
        tag: Identifies the call within the run.
        digits: The first digits of the request's key in the run's record.
        letters: Changes to the request, one letter each.
    """

    LONGEST_TAG: ClassVar[int] = 64 - _KEY_DIGITS - 1 - 1 - len(_WORDS)

    tag: str
    digits: str
    letters: str

    @classmethod
    def of(cls, tag: str, key: str, request: ChatRequest, dialect: Dialect) -> Self:
        """Build the id of a request sent in a dialect."""
        letters = [_LETTERS[name] for name in _LETTERS if name in dialect.left_out(request)]
        notes = dialect.notes(request)
        letters += [letter for letter, note in _WORDS.items() if note in notes]
        return cls(tag, key[:_KEY_DIGITS], "".join(letters))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse any text; one that is not a custom id of ours has no digits."""
        tag, _, rest = text.rpartition(".")
        digits, _, letters = rest.partition("-")
        return cls(tag, digits, letters)

    def __str__(self) -> str:
        return f"{self.tag}.{self.digits}{f'-{self.letters}' if self.letters else ''}"

    def asks(self, key: str) -> bool:
        """Return whether the id is that of the request with this key."""
        return key[:_KEY_DIGITS] == self.digits

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on how the request was sent, one sentence each."""
        return BATCH_NOTE, *(_WORDS[letter] for letter in self.letters if letter in _WORDS)
