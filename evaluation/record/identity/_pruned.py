"""What a record says of pictures and sounds that were removed on purpose."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from ....common.text import many

PRUNED = "pruned"
"""Key in `meta` of all notes. The digest of a run leaves it out, so that one that was published
still holds."""
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """One time at which pictures and sounds of a run were removed.

    Attributes:
        when: The time, in UTC, as ISO 8601.
        version: The version of safejury that removed them.
        media: Their hashes, by which cases name them, in order.
        size: Bytes of all together.
    """

    when: str
    version: str
    media: tuple[_Sha256, ...] = ()
    size: Annotated[int, msgspec.Meta(ge=0)] = 0


def written_notes(notes: Iterable[Pruned]) -> str:
    """Return the value of `meta` of some notes: each once, the earliest first."""
    return msgspec.json.encode(sorted(set(notes), key=lambda note: note.when)).decode()


def describe_pruned(notes: Sequence[Pruned]) -> str | None:
    """Return a sentence on what was removed, None where nothing was."""
    if not notes:
        return None
    number = len({medium for note in notes for medium in note.media})
    days = ", ".join(dict.fromkeys(note.when[:10] for note in notes))
    were = many(number, "picture or sound was", "pictures and sounds were")
    return f"{were} pruned ({days}): cases keep the SHA-256 of each, and cannot show it."
