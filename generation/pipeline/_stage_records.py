"""Records which stages are made, from which inputs, with which outputs."""

import msgspec

from ._context import StageContext

STAGES = "stages.json"
UNFINISHED = ""
"""The inputs of a stage that was begun and not made to its end."""


class StageRecord(msgspec.Struct, frozen=True):
    """The inputs and outputs of a stage that was made.

    Attributes:
        inputs: Hash of all that decided its result.
        outputs: SHA-256 of each file that it wrote.
        counts: Hash of what it counted.
    """

    inputs: str
    outputs: dict[str, str]
    counts: str


def read_stage_records(context: StageContext) -> dict[str, StageRecord]:
    """Return the records of all stages, by name; none if the file cannot be read."""
    if not context.folder.exists(STAGES):
        return {}
    try:
        content = (context.folder.path / STAGES).read_bytes()
        return msgspec.json.decode(content, type=dict[str, StageRecord])
    except msgspec.DecodeError:
        return {}


def write_stage_records(made: dict[str, StageRecord], context: StageContext) -> None:
    """Write the records of all stages."""
    context.folder.write_bytes(STAGES, msgspec.json.encode(made, order="deterministic"))
