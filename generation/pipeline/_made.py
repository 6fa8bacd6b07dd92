"""Which stages of a set are made, from what, and what they left."""

import msgspec

from ._workshop import Workshop

MADE = "stages.json"
UNFINISHED = ""
"""The inputs of a stage that was begun and not made to its end."""


class Made(msgspec.Struct, frozen=True):
    """From what a stage was made, and what it left.

    Attributes:
        inputs: Hash of all that decided its result.
        outputs: SHA-256 of each file that it wrote.
        counts: Hash of what it counted.
    """

    inputs: str
    outputs: dict[str, str]
    counts: str


def read_made(workshop: Workshop) -> dict[str, Made]:
    """Return what is known of the stages, by name: nothing where the file cannot be read."""
    if not workshop.folder.exists(MADE):
        return {}
    try:
        content = (workshop.folder.path / MADE).read_bytes()
        return msgspec.json.decode(content, type=dict[str, Made])
    except msgspec.DecodeError:
        return {}


def keep_made(made: dict[str, Made], workshop: Workshop) -> None:
    """Write down what is known of the stages."""
    workshop.folder.write_bytes(MADE, msgspec.json.encode(made, order="deterministic"))
