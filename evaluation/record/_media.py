"""The media of a run: paths relative to its directory, and checks against their hashes."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from ...agents import Case
from ...common import RecordError
from ...common.text import quoted
from ...datasets import Media, Query, with_media
from ...deliberation import CaseOpened, Entry
from ...targets import Response
from ..trials import Exchange

MEDIA = "media"
"""Folder of images and audio within a run's directory."""
_SHA256 = re.compile("[0-9a-f]{64}")


def portable(entry: Entry) -> Entry:
    """Return an entry with media paths relative to the run's directory."""
    if not isinstance(entry, CaseOpened):
        return entry
    case = case_in(entry.case, Path())
    return entry if case is entry.case else replace(entry, case=case)


def case_in(case: Case, directory: Path) -> Case:
    """Return a case of a record with the paths of its media in the run's directory.

    Raises:
        RecordError: One is not named by its hash, and may lie anywhere.
    """
    if not _has_media(case.query, case.response):
        return case
    put = placed(Exchange(case.query, case.response), directory / MEDIA)
    return replace(case, query=put.query, response=put.response)


def placed(exchange: Exchange, folder: Path) -> Exchange:
    """Return an exchange with the paths of all its media in a folder.

    Raises:
        RecordError: One is not named by its hash, and may lie anywhere.
    """
    query, response, sent = exchange.query, exchange.response, exchange.response.sent
    if not _has_media(query, response):
        return exchange
    query = with_media(query, lambda medium: _in(medium, folder))
    if sent is not None and sent.media:
        media = tuple(_in(medium, folder) for medium in sent.media)
        response = replace(response, sent=replace(sent, media=media))
    return Exchange(query, response)


def _has_media(query: Query, response: Response) -> bool:
    sent = response.sent
    return bool(query.media or (sent is not None and sent.media))


def is_named_by_hash(name: str) -> bool:
    """Return whether a medium is named by a SHA-256."""
    return _SHA256.fullmatch(name) is not None


def _in(media: Media, folder: Path) -> Media:
    if not is_named_by_hash(media.sha256):  # a record may come from anybody
        raise RecordError(
            f"a picture or sound is named {quoted(media.sha256)}, and not by its SHA-256: safejury "
            "did not write this"
        )
    return replace(media, path=str(folder / media.sha256))


class MediaFolder:
    """Checks the media of a run, each at most once.

    Args:
        directory: The run's directory.
        pruned: Hashes of those that were removed on purpose.
        read: Whether to read and hash them, rather than only check that they exist.
        optional: Whether one that is not there is no problem.
    """

    def __init__(
        self, directory: Path, pruned: frozenset[str], *, read: bool, optional: bool = False
    ) -> None:
        self._folder = directory / MEDIA
        self._read = read
        self._optional = optional
        self._pruned = pruned
        self._seen: dict[str, str | None] = {}

    def problem(self, media: Media) -> str | None:
        """Return the problem with a medium, None if it is fine."""
        if media.sha256 not in self._seen:
            self._seen[media.sha256] = self._check(media.sha256)
        return self._seen[media.sha256]

    def _check(self, sha256: str) -> str | None:
        try:
            if not self._read:
                (self._folder / sha256).stat()
                return None
            with (self._folder / sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            may_be_gone = self._optional or sha256 in self._pruned
            if may_be_gone and isinstance(error, FileNotFoundError):
                return None
            return f"its medium {sha256[:12]} cannot be read ({error.strerror})"
        return None if found == sha256 else f"its medium {sha256[:12]} has different content"
