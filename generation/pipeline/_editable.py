"""Keeps edits of `taxonomy.yaml` from being overwritten."""

import hashlib

from ...common import DatasetError
from ._context import StageContext
from ._folder import TAXONOMY
from ._stage_records import UNFINISHED, StageRecord, read_stage_records, write_stage_records

EDITABLE_BY = "taxonomy"
"""The stage whose file users may edit; the others' files are made again."""


def edited_by_hand(context: StageContext) -> bool:
    """Return whether the taxonomy differs from the one that the panel made."""
    before = read_stage_records(context).get(EDITABLE_BY)
    return before is not None and before.outputs.get(TAXONOMY) != context.folder.hash_of(TAXONOMY)


def check_unedited(context: StageContext) -> None:
    """Check that the taxonomy is unedited or missing.

    Raises:
        DatasetError: It was edited, or its origin is unknown.
    """
    found, before = context.folder.hash_of(TAXONOMY), read_stage_records(context).get(EDITABLE_BY)
    known = None if before is None else before.outputs.get(TAXONOMY)
    if found is None or found == known:
        return
    what = "is of unknown origin" if known is None else "was edited by hand"
    raise DatasetError(
        f"{context.folder.path / TAXONOMY}: {what}, and making the stage {EDITABLE_BY} "
        f"again would overwrite it: move it away, or discard it with `--again {EDITABLE_BY}`"
    )


def unfinished(context: StageContext) -> StageRecord | None:
    """Return the record of the stage while it runs: the taxonomy that it may overwrite."""
    found = context.folder.hash_of(TAXONOMY)
    return None if found is None else StageRecord(UNFINISHED, {TAXONOMY: found}, "")


def write_taxonomy(context: StageContext, content: bytes) -> None:
    """Write the taxonomy and record it as unedited, even if its stage fails later.

    Raises:
        DatasetError: It was edited in the meantime, or cannot be written.
    """
    check_unedited(context)
    made = read_stage_records(context)
    made[EDITABLE_BY] = StageRecord(UNFINISHED, {TAXONOMY: hashlib.sha256(content).hexdigest()}, "")
    write_stage_records(made, context)
    context.folder.write_bytes(TAXONOMY, content)
