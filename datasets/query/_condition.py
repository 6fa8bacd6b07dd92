"""Conditions under which a query is sent: unchanged, or changed for a comparison."""

from dataclasses import dataclass
from typing import Literal, get_args

Parts = Literal["given", "text", "audio", "audio+text"]
"""The parts of a query with audio that are sent: all as in the dataset, or chosen ones."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to change every query, so that the effect can be measured.

    Attributes:
        image: Name of the variant of the pictures, such as `black` or `jpeg:20`;
            `original` leaves them as they are.
        parts: What of a query with sound is sent.
    """

    image: str = "original"
    parts: Parts = "given"

    @property
    def name(self) -> str:
        """The name in records and reports; empty if nothing is changed."""
        changed = (
            self.image if self.image != "original" else "",
            self.parts if self.parts != "given" else "",
        )
        return ",".join(part for part in changed if part)

    @classmethod
    def named(cls, name: str) -> "Condition":
        """Return the condition that has a name in records."""
        said = name.split(",") if name else []
        parts: Parts = next((each for each in get_args(Parts) if each in said), "given")
        return cls(next((each for each in said if each != parts), "original"), parts)
