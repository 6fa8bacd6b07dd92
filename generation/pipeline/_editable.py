"""`taxonomy.yaml`, the one file of a set that users may edit, and that is not overwritten then."""

import hashlib

from ...common import DatasetError
from ._folder import TAXONOMY
from ._made import UNFINISHED, Made, keep_made, read_made
from ._workshop import Workshop

EDITABLE_BY = "taxonomy"
"""The stage whose file users may edit; the others' files are made again."""


def edited_by_hand(workshop: Workshop) -> bool:
    """Return whether the set's taxonomy is another than the panel made."""
    before = read_made(workshop).get(EDITABLE_BY)
    return before is not None and before.outputs.get(TAXONOMY) != workshop.folder.hash_of(TAXONOMY)


def check_unedited(workshop: Workshop) -> None:
    """Check that the set's taxonomy is the panel's, or that there is none.

    Raises:
        DatasetError: It was edited, or nobody knows who made it.
    """
    found, before = workshop.folder.hash_of(TAXONOMY), read_made(workshop).get(EDITABLE_BY)
    known = None if before is None else before.outputs.get(TAXONOMY)
    if found is None or found == known:
        return
    what = "is of unknown making" if known is None else "was edited by hand"
    raise DatasetError(
        f"{workshop.folder.path / TAXONOMY}: {what}, and the stage {EDITABLE_BY}, which is to be "
        f"made again, would overwrite it: move it away, or give it up by `--again {EDITABLE_BY}`"
    )


def unfinished(workshop: Workshop) -> Made | None:
    """Return what to know of the stage while it is made: the taxonomy that it may overwrite."""
    found = workshop.folder.hash_of(TAXONOMY)
    return None if found is None else Made(UNFINISHED, {TAXONOMY: found}, "")


def write_taxonomy(workshop: Workshop, content: bytes) -> None:
    """Write the panel's taxonomy, so that it is known as the panel's even if its stage fails.

    Raises:
        DatasetError: It was edited in the meantime, or cannot be written.
    """
    check_unedited(workshop)
    made = read_made(workshop)
    made[EDITABLE_BY] = Made(UNFINISHED, {TAXONOMY: hashlib.sha256(content).hexdigest()}, "")
    keep_made(made, workshop)
    workshop.folder.write_bytes(TAXONOMY, content)
