"""`taxonomy.yaml`, the one file of a set that users may edit, and that is not overwritten then."""

import hashlib

from ...common import DatasetError
from ._context import StageContext
from ._folder import TAXONOMY
from ._stage_records import UNFINISHED, StageRecord, read_stage_records, write_stage_records

EDITABLE_BY = "taxonomy"
"""The stage whose file users may edit; the others' files are made again."""


def edited_by_hand(context: StageContext) -> bool:
    """Return whether the set's taxonomy is another than the panel made."""
    before = read_stage_records(context).get(EDITABLE_BY)
    return before is not None and before.outputs.get(TAXONOMY) != context.folder.hash_of(TAXONOMY)


def check_unedited(context: StageContext) -> None:
    """Check that the set's taxonomy is the panel's, or that there is none.

    Raises:
        DatasetError: It was edited, or nobody knows who made it.
    """
    found, before = context.folder.hash_of(TAXONOMY), read_stage_records(context).get(EDITABLE_BY)
    known = None if before is None else before.outputs.get(TAXONOMY)
    if found is None or found == known:
        return
    what = "is of unknown making" if known is None else "was edited by hand"
    raise DatasetError(
        f"{context.folder.path / TAXONOMY}: {what}, and the stage {EDITABLE_BY}, which is to be "
        f"made again, would overwrite it: move it away, or give it up by `--again {EDITABLE_BY}`"
    )


def unfinished(context: StageContext) -> StageRecord | None:
    """Return what to know of the stage while it is made: the taxonomy that it may overwrite."""
    found = context.folder.hash_of(TAXONOMY)
    return None if found is None else StageRecord(UNFINISHED, {TAXONOMY: found}, "")


def write_taxonomy(context: StageContext, content: bytes) -> None:
    """Write the panel's taxonomy, so that it is known as the panel's even if its stage fails.

    Raises:
        DatasetError: It was edited in the meantime, or cannot be written.
    """
    check_unedited(context)
    made = read_stage_records(context)
    made[EDITABLE_BY] = StageRecord(UNFINISHED, {TAXONOMY: hashlib.sha256(content).hexdigest()}, "")
    write_stage_records(made, context)
    context.folder.write_bytes(TAXONOMY, content)
