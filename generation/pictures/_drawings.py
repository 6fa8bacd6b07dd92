"""Drawings in a set's folder: each made once, however often the command is repeated."""

import asyncio
import hashlib
from typing import Literal

import msgspec

from ...datasets import Media, picture_hash
from ..pipeline import MEDIA, SetFolder, keeping
from ._nsfw import NsfwClassifier
from .renderers import NotDrawn, Renderer, Subject

_NOTES = "drawings"


class Drawing(msgspec.Struct, frozen=True):
    """What became of a prompt.

    Attributes:
        outcome: `drawn`, `filtered`, `failed`.
        sha256: Of the picture's file; None where there is none.
        phash: Its perceptual hash, 16 hex digits; None where there is no picture.
        detail: Why there is none, or what is not quite as asked.
        passing: Whether the same may go well another time; such drawings are not kept.
    """

    outcome: Literal["drawn", "filtered", "failed"]
    sha256: str | None = None
    phash: str | None = None
    detail: str = ""
    passing: bool = False


class _Score(msgspec.Struct, frozen=True):
    nsfw: float


class Drawings:
    """Draws, and keeps in the set's folder what became of each prompt.

    A drawing is known by its renderer, prompt, scenario and seed. One that is there, or
    that was filtered, is not asked for again; one that failed is.

    Args:
        folder: The set's folder.
    """

    def __init__(self, folder: SetFolder) -> None:
        self._folder = folder

    async def draw(self, renderer: Renderer, prompt: str, subject: Subject, seed: int) -> Drawing:
        """Return the drawing of a prompt.

        Raises:
            ConfigurationError: The renderer cannot work at all.
            DatasetError: The folder cannot be written.
        """
        place = _place(renderer.identity, prompt, subject.scenario.id, seed)
        kept = await asyncio.to_thread(self._kept, place)
        if kept is not None:
            return kept
        return await keeping(self._drawn(place, renderer, prompt, subject, seed))

    async def _drawn(
        self, place: str, renderer: Renderer, prompt: str, subject: Subject, seed: int
    ) -> Drawing:
        drawn = await renderer.draw(prompt, subject, seed)
        if isinstance(drawn, NotDrawn):
            drawing = Drawing(drawn.outcome, detail=drawn.detail, passing=drawn.passing)
            if drawn.outcome == "filtered":
                await asyncio.to_thread(self._note, place, drawing)
            return drawing
        return await asyncio.to_thread(self._keep, place, drawn.png, drawn.note)

    async def nsfw(self, file: str, classifier: NsfwClassifier) -> float:
        """Return a classifier's score of a picture that is kept, in [0, 1].

        Args:
            file: The picture's path within the set's folder.
            classifier: What scores it.
        """
        place = _place(classifier.identity, file)
        try:
            content = (self._folder.path / place).read_bytes()
            return msgspec.json.decode(content, type=_Score).nsfw
        except (FileNotFoundError, msgspec.DecodeError):
            score = await classifier.score(self._folder.path / file)
            self._note(place, _Score(score))
            return score

    def media(self, sha256: str) -> Media:
        """Return a picture that is kept as a model is shown it."""
        path = self._folder.path / picture_name(sha256)
        return Media(sha256, "image/png", path.stat().st_size, str(path))

    def _kept(self, place: str) -> Drawing | None:
        try:
            content = (self._folder.path / place).read_bytes()
            drawing = msgspec.json.decode(content, type=Drawing)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        if drawing.sha256 is None:
            return drawing
        held = self._folder.holds(picture_name(drawing.sha256), drawing.sha256)
        return drawing if held else None

    def _keep(self, place: str, png: bytes, note: str) -> Drawing:
        digest = hashlib.sha256(png).hexdigest()
        self._folder.write_bytes(picture_name(digest), png)
        phash = picture_hash(self._folder.path / picture_name(digest))
        drawing = Drawing("drawn", digest, f"{phash:016x}", note)
        self._note(place, drawing)
        return drawing

    def _note(self, place: str, noted: msgspec.Struct) -> None:
        self._folder.write_bytes(place, msgspec.json.encode(noted))


def picture_name(sha256: str) -> str:
    """Return where a picture lies within the set's folder."""
    return f"{MEDIA}/{sha256}.png"


def _place(*decides: str | int) -> str:
    return f"{_NOTES}/{hashlib.sha256(msgspec.json.encode(decides)).hexdigest()}.json"
