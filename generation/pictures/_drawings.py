"""Draws pictures, once each."""

import asyncio
from pathlib import Path
from typing import Literal

import msgspec

from ...datasets import picture_hash
from ..pipeline import MediaCache, finish_once_paid
from ._nsfw import NsfwClassifier
from .renderers import NotDrawn, Renderer, Subject


class Drawing(msgspec.Struct, frozen=True):
    """The result of drawing a prompt.

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


async def draw(
    cache: MediaCache, renderer: Renderer, prompt: str, subject: Subject, seed: int
) -> Drawing:
    """Return the drawing of a prompt.

    It is known by its renderer, prompt, scenario and seed. One that is in the cache, or that
    was filtered, is not asked for again; one that failed is.

    Raises:
        ConfigurationError: The renderer cannot work at all.
        DatasetError: The set's folder cannot be written.
    """
    request = (renderer.identity, prompt, subject.scenario.id, seed)

    def find() -> Drawing | None:
        found = cache.find(Drawing, *request)
        is_whole = found is not None and (found.sha256 is None or cache.has(found.sha256))
        return found if is_whole else None

    def keep(png: bytes, note: str) -> Drawing:
        medium = cache.media(cache.add(png))
        phash = f"{picture_hash(Path(medium.path)):016x}"
        drawing = Drawing("drawn", medium.sha256, phash, note)
        cache.keep(drawing, *request)
        return drawing

    async def make() -> Drawing:
        drawn = await renderer.draw(prompt, subject, seed)
        if not isinstance(drawn, NotDrawn):
            return await asyncio.to_thread(keep, drawn.png, drawn.note)
        drawing = Drawing(drawn.outcome, detail=drawn.detail, passing=drawn.passing)
        if drawn.outcome == "filtered":
            await asyncio.to_thread(cache.keep, drawing, *request)
        return drawing

    return await asyncio.to_thread(find) or await finish_once_paid(make())


async def nsfw_score(cache: MediaCache, sha256: str, classifier: NsfwClassifier) -> float:
    """Return a classifier's score of a picture in the cache, in [0, 1].

    Raises:
        ConfigurationError: The classifier cannot be loaded, or knows no unsafe label.
        DatasetError: The set's folder cannot be written.
    """
    request = (classifier.identity, cache.file_of(sha256))
    found = cache.find(_Score, *request)
    if found is None:
        medium = cache.media(sha256)
        found = _Score(await classifier.score(Path(medium.path)))
        cache.keep(found, *request)
    return found.nsfw
