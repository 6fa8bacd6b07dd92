"""The stage `pictures`: every query and every twin gets a picture of its own."""

from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from msgspec.structs import replace

from ...datasets import NearPictures
from ..calls import Member, without_secrets
from ..items import FROM_DESCRIPTIONS, Picture, PictureSettings
from ..pipeline import (
    PICTURES,
    QUERIES,
    TAXONOMY,
    TWINS,
    Calls,
    MediaCache,
    Pile,
    Scratch,
    StageCounts,
    Workshop,
    in_order,
    set_texts,
)
from ..prompts import prompt_hashes
from ._estimate import estimate_pictures
from ._nsfw import classifier_identity
from ._painter import Painted, Painter
from ._talk import PROMPTS, PictureTalk
from ._tools import open_tools
from .renderers import Subject, our_identities

_FIRST, _ANEW = "first.jsonl", "anew.jsonl"
_COUNTED = (
    "pictures",  # that are wanted
    "drawings",
    "judged",
    "by_fallback",
    "filtered",
    "failed",
    "failed_calls",  # that may go well another time
    "failed_but_drawn",  # of these, by the fallback
    "drawn_anew",  # for they repeat another
    "duplicates",  # which still repeat another
    "missing",
)


class PicturesStage:
    """Draws pictures, and again those that nearly repeat another.

    What a renderer filters is counted and drawn by the fallback. Pictures, scores and
    prompts are kept one by one, so that a stage that is cut short goes on where it was.
    """

    name: str = "pictures"

    def outputs(self, workshop: Workshop) -> Collection[str]:
        """Return the file that tells of all pictures."""
        return () if workshop.settings.pictures is None else (PICTURES,)

    def inputs(self, workshop: Workshop) -> object:
        """Return what decides how the pictures are: no secret is among it."""
        settings = workshop.settings.pictures
        if settings is None:
            return None
        described = bool(FROM_DESCRIPTIONS & {settings.renderer, settings.fallback})
        return {
            **asdict(settings),
            "api_key": None,
            "price": None,
            "base_url": without_secrets(settings.base_url),
            "font": None,
            "ours": our_identities(settings),
            "nsfw_model": settings.nsfw_model and classifier_identity(settings.nsfw_model),
            "seed": workshop.settings.seed,
            "max_tokens": workshop.settings.max_tokens,
            "queries": workshop.folder.hash_of(QUERIES),
            "twins": workshop.folder.hash_of(TWINS),
            "taxonomy": workshop.folder.hash_of(TAXONOMY),
            "models": _models(workshop) if described else None,
            "prompts": prompt_hashes(*PROMPTS) if described else None,
        }

    def estimate(self, workshop: Workshop) -> Sequence[Calls]:
        """Return what it will ask of models, a guess."""
        return estimate_pictures(workshop)

    async def make(self, workshop: Workshop) -> None:
        """Make it.

        Raises:
            ConfigurationError: A renderer or the classifier cannot work at all.
            DatasetError: The set's folder cannot be written.
            FirstContactError: A model never answered once and waiting won't help.
            ModelError: See `StageCounts.settle`; what there is is written.
        """
        settings = workshop.settings.pictures
        if settings is None:
            return
        async with AsyncExitStack() as stack:
            painter = _painter(workshop, settings, stack)
            with Scratch(workshop.folder, self.name) as scratch:
                hanging = _Hanging(workshop, painter, scratch, settings.near_duplicate)
                await hanging.paint_all()
                await hanging.paint_anew()
                workshop.folder.write(PICTURES, hanging.pictures())
        workshop.folder.count(self.name, dict(hanging.counts))
        _tell(workshop, hanging)


class _Hanging(StageCounts):
    """The pictures of a set, in its order; those that nearly repeat another come off."""

    def __init__(
        self, workshop: Workshop, painter: Painter, scratch: Scratch, distance: int
    ) -> None:
        super().__init__()
        self._workshop, self._painter, self._scratch = workshop, painter, scratch
        self._near = NearPictures(distance)
        self._repeats = dict[str, str]()
        """Ids of those that nearly repeat another, and of those."""
        self.counts.update(dict.fromkeys(_COUNTED, 0))

    async def paint_all(self) -> None:
        """Paint every picture once."""
        progress = self._workshop.progress
        total = sum(1 for _ in _subjects(self._workshop))
        progress.stage(PicturesStage.name, total)
        paint = (self._painter.paint(subject) for subject in _subjects(self._workshop))
        with self._scratch.pile(_FIRST) as pile:

            def take(painted: Painted) -> None:
                self._take(painted, pile, self._repeats)
                repeats = len(self._repeats)
                progress.step(1, f"{repeats} repeat another" if repeats else "")

            await in_order(paint, self._workshop.concurrency, take)
        self.counts["pictures"] = total

    async def paint_anew(self) -> None:
        """Paint those that nearly repeat another once more."""
        self.counts["drawn_anew"] = len(self._repeats)
        still = dict[str, str]()
        with self._scratch.pile(_ANEW) as pile:

            def take(painted: Painted) -> None:
                self._take(painted, pile, still)

            await in_order(self._anew(), self._workshop.concurrency, take)
        self._repeats = still

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures as they are in the end, and count them."""
        anew = self._scratch.read(_ANEW, Picture)
        later = next(anew, None)
        for picture in self._scratch.read(_FIRST, Picture):
            if later is not None and later.of == picture.of:
                picture, later = later, next(anew, None)
            self._count(picture)
            other = self._repeats.get(picture.of)
            if other is None:
                yield picture
            else:
                yield replace(picture, file=None, nsfw=None, duplicate_of=other)

    def _anew(self) -> Iterator[Coroutine[Any, Any, Painted]]:
        pictures = self._scratch.read(_FIRST, Picture)
        for subject, picture in zip(_subjects(self._workshop), pictures, strict=True):
            if subject.id in self._repeats:
                yield self._painter.paint_anew(subject, picture)

    def _take(self, painted: Painted, pile: Pile, repeats: dict[str, str]) -> None:
        picture = painted.picture
        pile.add(picture)
        if picture.phash is not None:
            other = self._near.add(picture.of, int(picture.phash, 16))
            if other is not None:
                repeats[picture.of] = other
        if painted.failure is not None:
            self.add_failure(painted.failure)
            self.counts["failed_calls"] += 1
            self.counts["failed_but_drawn"] += painted.by_fallback
        self.counts.update(f"description_{reason}" for reason in painted.undescribed)

    def _count(self, picture: Picture) -> None:
        rounds = picture.rounds
        self.counts["drawings"] += sum(one.file is not None for one in rounds)
        self.counts["filtered"] += any(one.outcome == "filtered" for one in rounds)
        self.counts["failed"] += any(one.outcome == "failed" for one in rounds)
        for one in rounds:
            if one.unseen:
                self.counts[f"view_{one.unseen}"] += 1
            if one.description is not None and one.outcome != "drawn":
                self.counts[f"drawing_{one.outcome}"] += 1
        if picture.file is None:
            self.counts["missing"] += 1
            return
        chosen = next(one for one in rounds if one.file == picture.file)
        self.counts["by_fallback"] += chosen.renderer != self._painter.renderer.name
        self.counts["judged"] += chosen.fits is not None
        self.counts["duplicates"] += picture.of in self._repeats


def _subjects(workshop: Workshop) -> Iterator[Subject]:
    """Yield what pictures are made for."""
    taxonomy = workshop.taxonomy()
    for one in set_texts(workshop):
        yield Subject(one.id, one.text, taxonomy.resolve(one.scenario))


def _painter(workshop: Workshop, settings: PictureSettings, stack: AsyncExitStack) -> Painter:
    """Return who paints, with renderers that the stack closes."""
    cast = workshop.cast
    tools = open_tools(
        settings, stack, concurrency=workshop.concurrency, services=workshop.services
    )
    seed, max_tokens = workshop.settings.seed, workshop.settings.max_tokens
    return Painter(
        MediaCache(workshop.folder, "drawings", "image/png"),
        PictureTalk(cast.describer, _sighted(cast.viewer), seed, max_tokens),
        tools.renderer,
        tools.fallback,
        tools.classifier,
        settings.rounds,
        settings.good_fit,
        seed,
    )


def _sighted(viewer: Member | None) -> Member | None:
    """Return the viewer, None where its model takes no pictures."""
    return viewer if viewer is not None and "image" in viewer.model.modalities else None


def _tell(workshop: Workshop, stage: StageCounts) -> None:
    """Say what is missing, and fail where a repeated command may mend it."""
    counts = stage.counts
    total = counts["pictures"]
    if counts["missing"] or counts["by_fallback"]:
        workshop.progress.notify(
            f"pictures: of {total}, {counts['by_fallback']} are drawn by the fallback and "
            f"{counts['missing']} are missing ({counts['filtered']} were filtered); "
            f"{PICTURES} says why"
        )
    if counts["duplicates"]:
        workshop.progress.notify(
            f"pictures: {counts['duplicates']} still repeat another after a second drawing "
            "and are left out"
        )
    if stage.passing:
        drawn = counts["failed_but_drawn"]
        mended = f", and the fallback drew {drawn} of them" if drawn else ""
        stage.settle(
            workshop,
            PicturesStage.name,
            f"for {stage.passing} of {total}, calls failed{mended}; the last one failed so",
            may_pass=counts["failed_calls"] > drawn,
            empty=counts["missing"] == total,
        )


def _models(workshop: Workshop) -> list[object]:
    cast = workshop.cast
    return [
        None if member is None else member.identity()
        for member in (cast.describer, _sighted(cast.viewer))
    ]
