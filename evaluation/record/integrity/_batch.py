"""Checks some cases, in whichever process."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .._chain import Row
from .._media import MediaFolder
from ._case import CheckedCase

Case = tuple[str, Row | None, list[Row]]
"""A case's id, its row among the finished cases, if it is one, and the rows of its entries."""
Checked = tuple[str, bool, str, str | None, bool, bool, int]
"""A case's id, whether it is finished, the head over what is there, how it was changed, and the
attributes `unchained`, `uncompared` and `unsealable` of `CheckedCase`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the cases of a record are checked.

    Attributes:
        directory: The run's directory, as bytes: not all are text.
        sealed: Whether every finished case of the run has a chain.
        pruned: Hashes of media that were removed on purpose.
        read_media: Whether media are read and hashed, rather than only looked for.
        media_may_be_gone: Whether a missing one is no change.
    """

    directory: bytes
    sealed: bool
    pruned: frozenset[str] = frozenset()
    read_media: bool = False
    media_may_be_gone: bool = False

    def media(self) -> MediaFolder:
        """Return what checks the media."""
        return MediaFolder(
            Path(os.fsdecode(self.directory)),
            self.pruned,
            read=self.read_media,
            optional=self.media_may_be_gone,
        )


class Checker:
    """Checks cases, each medium at most once.

    Args:
        terms: How.
    """

    def __init__(self, terms: Terms) -> None:
        self._sealed = terms.sealed
        self._media = terms.media()

    def check(self, cases: Iterable[Case]) -> list[Checked]:
        """Return what was found of each case."""
        media, sealed, found = self._media, self._sealed, list[Checked]()
        for case_id, row, transcript in cases:
            one = CheckedCase(case_id, row, transcript, media, sealed=sealed)
            doubts = one.unchained, one.uncompared, one.unsealable
            found.append((case_id, row is not None, one.head, one.why, *doubts))
        return found
