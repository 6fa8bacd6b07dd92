"""What speaks texts: one interface for all speakers."""

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
    """Speaks texts in voices of its own."""

    @property
    def name(self) -> str:
        """What the set's records call it, with its version where it tells one."""
        ...

    @property
    def at_once(self) -> int | None:
        """How many texts it can speak at a time; None where others decide that."""
        ...

    async def prepare(self, voices: Sequence[str]) -> None:
        """Check what can be checked of it and its voices without paying for it.

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
        """Let go of what it holds; may be called twice."""
        ...


async def try_voices(speaker: Speaker, voices: Sequence[str]) -> None:
    """Let every voice say a few words.

    Raises:
        ConfigurationError: One cannot.
    """
    for voice in voices:
        said = await speaker.say(TRIED, voice)
        if isinstance(said, NotSpoken):
            raise ConfigurationError(
                f"the voice {voice!r} says nothing: {said.detail}; choose other speech.voices"
            )
