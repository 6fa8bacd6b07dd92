"""The interface of speakers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ...common import ConfigurationError

TRIED = "One, two, three."
"""What every voice of a program says before the first query is spoken."""


@dataclass(frozen=True, slots=True)
class NotSpoken:
    """Why there is no recording of a text.

    Attributes:
        detail: One line.
        reason: `filtered` by the provider, or `failed`.
        passing: Whether the same may go well another time, as when a server is down.
    """

    detail: str
    reason: Literal["filtered", "failed"] = "failed"
    passing: bool = False


class Speaker(Protocol):
    """Turns text into speech."""

    @property
    def name(self) -> str:
        """Its name in the set's records, with its version if known."""
        ...

    @property
    def at_once(self) -> int | None:
        """How many texts it can speak at a time; None for no limit of its own."""
        ...

    async def prepare(self, voices: Sequence[str]) -> None:
        """Check program and voices as far as that is free.

        Raises:
            ConfigurationError: It is not there, or has no such voice.
        """
        ...

    async def say(self, text: str, voice: str) -> bytes | NotSpoken:
        """Return a recording as a WAV, or why there is none.

        Args:
            text: What is spoken.
            voice: One of its voices.

        Raises:
            FirstContactError: It never spoke once and waiting won't help.
            BudgetError: What may be spent does not cover it.
        """
        ...

    async def aclose(self) -> None:
        """Release resources; may be called twice."""
        ...


async def try_voices(speaker: Speaker, voices: Sequence[str]) -> None:
    """Check that every voice can say a few words.

    Raises:
        ConfigurationError: One cannot.
    """
    for voice in voices:
        said = await speaker.say(TRIED, voice)
        if isinstance(said, NotSpoken):
            raise ConfigurationError(
                f"the voice {voice!r} does not work: {said.detail}; choose other speech.voices"
            )
