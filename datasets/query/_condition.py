"""Under which condition a query is asked: as it is, or changed for a comparison."""

from dataclasses import dataclass
from typing import Literal

Parts = Literal["given", "text", "audio", "audio+text"]
"""What of a query with sound is sent: all as the set has it, or one factor alone."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to put every query, so that its effect can be measured.

    Attributes:
        image: Name of the variant of the pictures, such as `black` or `jpeg:20`;
            `original` leaves them as they are.
        parts: What of a query with sound is sent.
    """

    image: str = "original"
    parts: Parts = "given"

    @property
    def name(self) -> str:
        """What records and reports call it; empty where nothing is changed."""
        changed = (
            self.image if self.image != "original" else "",
            self.parts if self.parts != "given" else "",
        )
        return ",".join(part for part in changed if part)
