"""The stage `pictures`: a picture for each query and each twin."""

from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from msgspec.structs import replace

from ...datasets import NearPictures
from ..calls import NamedModel, without_secrets
from ..items import FROM_DESCRIPTIONS, Picture, PictureSettings
from ..pipeline import (
    PICTURES,
    QUERIES,
    TAXONOMY,
    TWINS,
    Calls,
    ItemWriter,
    MediaCache,
    StageContext,
    StageCounts,
    TemporaryItems,
    in_order,
    set_texts,
)
from ..prompts import prompt_hashes
from ._estimate import estimate_pictures
from ._maker import PictureMaker, PictureResult
from ._model_calls import PROMPTS, PictureCalls
from ._nsfw import classifier_identity
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
    """Draws pictures, and redraws near-duplicates.

    What a renderer filters is counted and drawn by the fallback. Pictures, scores and
    prompts are kept one by one, so that a stage that is cut short goes on where it was.
    """

    name: str = "pictures"

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the file that lists all pictures."""
        return () if context.settings.pictures is None else (PICTURES,)

    def inputs(self, context: StageContext) -> object:
        """Return all that decides the result, without secrets."""
        settings = context.settings.pictures
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
            "seed": context.settings.seed,
            "max_tokens": context.settings.max_tokens,
            "queries": context.folder.hash_of(QUERIES),
            "twins": context.folder.hash_of(TWINS),
            "taxonomy": context.folder.hash_of(TAXONOMY),
            "models": _models(context) if described else None,
            "prompts": prompt_hashes(*PROMPTS) if described else None,
        }

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        """Return the estimated calls."""
        return estimate_pictures(context)

    async def make(self, context: StageContext) -> None:
        """Make it.

        Raises:
            ConfigurationError: A renderer or the classifier cannot work at all.
            DatasetError: The set's folder cannot be written.
            FirstContactError: A model never answered once and waiting won't help.
            ModelError: See `StageCounts.settle`; what there is is written.
        """
        settings = context.settings.pictures
        if settings is None:
            return
        async with AsyncExitStack() as stack:
            maker = _open_maker(context, settings, stack)
            with TemporaryItems(context.folder, self.name) as temporary:
                run = _PictureRun(context, maker, temporary, settings.near_duplicate)
                await run.draw_all()
                await run.redraw()
                context.folder.write(PICTURES, run.pictures())
        context.folder.count(self.name, dict(run.counts))
        _report(context, run)


class _PictureRun(StageCounts):
    """Makes the pictures of a set in order, and drops near-duplicates."""

    def __init__(
        self, context: StageContext, maker: PictureMaker, temporary: TemporaryItems, distance: int
    ) -> None:
        super().__init__()
        self._context, self._maker, self._temporary = context, maker, temporary
        self._near = NearPictures(distance)
        self._repeats = dict[str, str]()
        """Ids of those that nearly repeat another, and of those."""
        self.counts.update(dict.fromkeys(_COUNTED, 0))

    async def draw_all(self) -> None:
        """Draw every picture once."""
        progress = self._context.progress
        total = sum(1 for _ in _subjects(self._context))
        progress.stage(PicturesStage.name, total)
        make = (self._maker.make(subject) for subject in _subjects(self._context))
        with self._temporary.writer(_FIRST) as writer:

            def take(result: PictureResult) -> None:
                self._take(result, writer, self._repeats)
                repeats = len(self._repeats)
                progress.step(1, f"{repeats} near-duplicates" if repeats else "")

            await in_order(make, self._context.concurrency, take)
        self.counts["pictures"] = total

    async def redraw(self) -> None:
        """Draw near-duplicates once more."""
        self.counts["drawn_anew"] = len(self._repeats)
        still = dict[str, str]()
        with self._temporary.writer(_ANEW) as writer:

            def take(result: PictureResult) -> None:
                self._take(result, writer, still)

            await in_order(self._anew(), self._context.concurrency, take)
        self._repeats = still

    def pictures(self) -> Iterator[Picture]:
        """Yield the final pictures, and count them."""
        anew = self._temporary.read(_ANEW, Picture)
        later = next(anew, None)
        for picture in self._temporary.read(_FIRST, Picture):
            if later is not None and later.of == picture.of:
                picture, later = later, next(anew, None)
            self._count(picture)
            other = self._repeats.get(picture.of)
            if other is None:
                yield picture
            else:
                yield replace(picture, file=None, nsfw=None, duplicate_of=other)

    def _anew(self) -> Iterator[Coroutine[Any, Any, PictureResult]]:
        pictures = self._temporary.read(_FIRST, Picture)
        for subject, picture in zip(_subjects(self._context), pictures, strict=True):
            if subject.id in self._repeats:
                yield self._maker.redraw(subject, picture)

    def _take(self, result: PictureResult, writer: ItemWriter, repeats: dict[str, str]) -> None:
        picture = result.picture
        writer.add(picture)
        if picture.phash is not None:
            other = self._near.add(picture.of, int(picture.phash, 16))
            if other is not None:
                repeats[picture.of] = other
        if result.failure is not None:
            self.add_failure(result.failure)
            self.counts["failed_calls"] += 1
            self.counts["failed_but_drawn"] += result.by_fallback
        self.counts.update(f"description_{reason}" for reason in result.undescribed)

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
        self.counts["by_fallback"] += chosen.renderer != self._maker.renderer.name
        self.counts["judged"] += chosen.fits is not None
        self.counts["duplicates"] += picture.of in self._repeats


def _subjects(context: StageContext) -> Iterator[Subject]:
    """Yield the queries and twins that need a picture."""
    taxonomy = context.taxonomy()
    for one in set_texts(context):
        yield Subject(one.id, one.text, taxonomy.resolve(one.scenario))


def _open_maker(
    context: StageContext, settings: PictureSettings, stack: AsyncExitStack
) -> PictureMaker:
    """Return the picture maker; the stack closes its renderers."""
    models = context.models
    tools = open_tools(settings, stack, concurrency=context.concurrency, services=context.services)
    seed, max_tokens = context.settings.seed, context.settings.max_tokens
    return PictureMaker(
        MediaCache(context.folder, "drawings", "image/png"),
        PictureCalls(models.describer, _sighted(models.viewer), seed, max_tokens),
        tools.renderer,
        tools.fallback,
        tools.classifier,
        settings.rounds,
        settings.good_fit,
        seed,
    )


def _sighted(viewer: NamedModel | None) -> NamedModel | None:
    """Return the viewer if its model accepts images."""
    return viewer if viewer is not None and "image" in viewer.model.modalities else None


def _report(context: StageContext, stage: StageCounts) -> None:
    """Report what is missing, and fail if repeating the command may fix it."""
    counts = stage.counts
    total = counts["pictures"]
    if counts["missing"] or counts["by_fallback"]:
        context.progress.notify(
            f"pictures: {counts['by_fallback']} of {total} drawn by the fallback, "
            f"{counts['missing']} missing ({counts['filtered']} filtered); see {PICTURES}"
        )
    if counts["duplicates"]:
        context.progress.notify(
            f"pictures: {counts['duplicates']} near-duplicates left out after a second attempt"
        )
    if stage.passing:
        drawn = counts["failed_but_drawn"]
        mended = f" ({drawn} drawn by the fallback)" if drawn else ""
        stage.settle(
            context,
            PicturesStage.name,
            f"calls failed for {stage.passing} of {total} pictures{mended}; last error",
            may_pass=counts["failed_calls"] > drawn,
            empty=counts["missing"] == total,
        )


def _models(context: StageContext) -> list[object]:
    models = context.models
    return [
        None if member is None else member.identity()
        for member in (models.describer, _sighted(models.viewer))
    ]
