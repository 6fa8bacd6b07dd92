"""Conditions under which a query is sent: unchanged, or changed for a comparison."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Parts = Literal["given", "text", "audio", "audio+text"]
"""The parts of a query with audio that are sent: all as in the dataset, or chosen ones."""
HEARD: tuple[Parts, ...] = ("audio", "audio+text")
"""Those that always have a sound, which may be that of one voice among several."""
VOICE = re.compile(r"[\w.+-]+")
"""How a voice may be called."""
NAIVE = "naive"
"""The variant of a picture that is its first drawing, before anything refined it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to change every query, so that the effect can be measured.

    Attributes:
        image: Name of the variant of the pictures, such as `black` or `jpeg:20`;
            `original` leaves them as they are.
        parts: What of a query with sound is sent.
        voice: Whose recording it is, of a set that has several; empty for that of the set.
    """

    image: str = "original"
    parts: Parts = "given"
    voice: str = ""

    @property
    def name(self) -> str:
        """The name in records and reports; empty if nothing is changed."""
        if self.image == "original" and self.parts == "given" and not self.voice:
            return ""  # as a rule, and each case asks for it a dozen times
        changed = (
            self.image if self.image != "original" else "",
            f"{self.parts}:{self.voice}" if self.voice else self.parts,
        )
        return ",".join(part for part in changed if part not in ("", "given"))

    @classmethod
    def named(cls, name: str) -> "Condition":
        """Return the condition that has a name in records."""
        said = name.split(",") if name else []
        for each in said:
            parts, _, voice = each.partition(":")
            if parts in get_args(Parts):
                image = next((other for other in said if other != each), "original")
                return cls(image, parts, voice)  # pyright: ignore[reportArgumentType]
        return cls(next(iter(said), "original"))


def conditions_of(
    images: Iterable[str], sound: Iterable[Parts], voices: Iterable[str] = ()
) -> tuple[Condition, ...]:
    """Return all conditions: each picture with each part, and each sound in each voice.

    Args:
        images: Names of variants of the pictures.
        sound: What of a query with sound is sent.
        voices: Whose recordings are sent; none for the one that the set has.
    """
    spoken = tuple(dict.fromkeys(voices)) or ("",)
    return tuple(
        Condition(image, parts, voice)
        for image in dict.fromkeys(images)
        for parts in dict.fromkeys(sound)
        for voice in (spoken if parts in HEARD else ("",))
    )
