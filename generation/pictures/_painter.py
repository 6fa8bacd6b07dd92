"""One picture: described, drawn, looked at, and drawn anew where it does not fit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ...agents import Silence, SilenceReason
from ..calls import Answer, seed_for
from ..items import Origin, Picture, PictureRound
from ..pipeline import MediaCache
from ._drawings import draw, nsfw_score
from ._nsfw import NsfwClassifier
from ._talk import PictureTalk, Scene, View
from .renderers import Renderer, Subject


@dataclass(frozen=True, slots=True)
class Painted:
    """What became of one picture.

    Attributes:
        picture: It, and all that led to it.
        undescribed: Why replies of the describer hold no scene, one each.
        failure: What a call said that failed and may go well another time; None for none.
        by_fallback: Whether the fallback drew it, for the renderer did not.
    """

    picture: Picture
    undescribed: tuple[SilenceReason, ...] = ()
    failure: str | None = None
    by_fallback: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be drawn.

    Attributes:
        prompt: In words.
        description: The call that wrote the prompt; None where no model did.
    """

    prompt: str
    description: Origin | None = None


@dataclass(frozen=True, slots=True)
class _Sketch:
    """One drawing, or why there is none.

    Attributes:
        round: What is told of it.
        phash: Its perceptual hash.
        better: What is to be drawn instead; None if it is good, or nobody says.
        failure: See `Painted`.
    """

    round: PictureRound
    phash: str | None = None
    better: _Plan | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Painter:
    """Makes pictures.

    Attributes:
        cache: Keeps what is drawn.
        talk: Asks models.
        renderer: What draws.
        fallback: What draws what the renderer does not; None leaves it out.
        classifier: Scores pictures; None where nothing does.
        rounds: How often a picture may be drawn to a better description, at least 1.
        good_fit: The viewer's score from which a picture is not drawn anew.
        seed: The set's seed.
    """

    cache: MediaCache
    talk: PictureTalk
    renderer: Renderer
    fallback: Renderer | None
    classifier: NsfwClassifier | None
    rounds: int
    good_fit: int
    seed: int

    async def paint(self, subject: Subject) -> Painted:
        """Make the picture of a query or a twin.

        Raises:
            ConfigurationError: A renderer or a model cannot work at all.
            DatasetError: The set's folder cannot be written.
        """
        sketches = list[_Sketch]()
        said: Sequence[Answer[Scene] | Silence] = ()
        for renderer in (self.renderer, self.fallback):
            if renderer is None or _drawn(sketches):
                break
            words = renderer.words(subject)
            if words is not None:
                sketches.append(await self._sketch(renderer, _Plan(words), subject, renderer.name))
                continue
            said = said or await self.talk.describe(subject)
            scene = said[-1]
            if isinstance(scene, Answer):
                sketches += await self._refined(renderer, scene, subject)
            else:
                sketches.append(_undescribed(renderer, scene))
        return Painted(
            await self._picture(subject, sketches),
            tuple(one.reason for one in said if isinstance(one, Silence)),
            next((sketch.failure for sketch in sketches if sketch.failure), None),
            any(one.round.renderer != self.renderer.name for one in _drawn(sketches)),
        )

    async def paint_anew(self, subject: Subject, picture: Picture) -> Painted:
        """Draw a picture once more as it is, but with another seed.

        Raises:
            ConfigurationError: See `paint`.
            DatasetError: See `paint`.
        """
        chosen = next(one for one in picture.rounds if one.file == picture.file)
        renderer = self.renderer
        if self.fallback is not None and chosen.renderer == self.fallback.name:
            renderer = self.fallback
        plan = _Plan(chosen.prompt, chosen.description)
        sketch = await self._sketch(renderer, plan, subject, f"{renderer.name}/anew")
        picture = msgspec.structs.replace(picture, rounds=(*picture.rounds, sketch.round))
        if sketch.round.file is not None:
            picture = await self._choose(picture, sketch)
        return Painted(picture, failure=sketch.failure)

    async def _refined(
        self, renderer: Renderer, scene: Answer[Scene], subject: Subject
    ) -> list[_Sketch]:
        """Draw until the viewer is content, or the rounds are over."""
        sketches = list[_Sketch]()
        plan = _Plan(scene.value.description, scene.origin)
        for number in range(1, self.rounds + 1):
            sketch = await self._sketch(renderer, plan, subject, f"{renderer.name}/{number}")
            sketches.append(sketch)
            if sketch.better is None:
                break
            plan = sketch.better
        return sketches

    async def _sketch(
        self, renderer: Renderer, plan: _Plan, subject: Subject, name: str
    ) -> _Sketch:
        drawn_by = self._origin(renderer, plan, subject, name)
        drawing = await draw(self.cache, renderer, plan.prompt, subject, drawn_by.seed)
        told = PictureRound(
            plan.prompt,
            renderer.name,
            None,
            outcome=drawing.outcome,
            detail=drawing.detail,
            description=plan.description,
            drawing=drawn_by,
        )
        if drawing.sha256 is None:
            return _Sketch(told, failure=drawing.detail if drawing.passing else None)
        told = msgspec.structs.replace(told, file=self.cache.file_of(drawing.sha256))
        sketch = _Sketch(told, drawing.phash)
        if renderer.words(subject) is not None:
            return sketch
        picture = self.cache.media(drawing.sha256)
        view = await self.talk.look(subject, plan.prompt, picture, name)
        return sketch if view is None else self._viewed(sketch, view)

    def _origin(self, renderer: Renderer, plan: _Plan, subject: Subject, name: str) -> Origin:
        digest = hashlib.sha256(plan.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        call_id = f"pictures/{subject.id}/draw/{name}"
        return Origin(renderer.model, digest, seed_for(self.seed, call_id), call_id, (subject.id,))

    def _viewed(self, sketch: _Sketch, view: Answer[View] | Silence) -> _Sketch:
        """Return a sketch with its score, and what is to be drawn instead."""
        told = sketch.round
        if isinstance(view, Silence):
            told = msgspec.structs.replace(told, unseen=view.reason)
            failure = view.detail if view.passing else None
            return replace(sketch, round=told, failure=failure)
        told = msgspec.structs.replace(told, fits=view.value.fits, advice=view.value.advice)
        better = None
        if view.value.fits < self.good_fit:
            better = _Plan(view.value.better(told.prompt), view.origin)
        return replace(sketch, round=told, better=better)

    async def _picture(self, subject: Subject, sketches: Sequence[_Sketch]) -> Picture:
        picture = Picture(subject.id, None, tuple(sketch.round for sketch in sketches))
        drawn = _drawn(sketches)
        if not drawn:
            return picture
        # Of equals the first: it is nearest to the description.
        best = max(drawn, key=lambda sketch: _rank(sketch.round))
        return await self._choose(picture, best)

    async def _choose(self, picture: Picture, sketch: _Sketch) -> Picture:
        file = sketch.round.file
        assert file is not None
        nsfw = None
        if self.classifier is not None:
            nsfw = await nsfw_score(self.cache, Path(file).stem, self.classifier)
        return msgspec.structs.replace(picture, file=file, phash=sketch.phash, nsfw=nsfw)


def _rank(told: PictureRound) -> int:
    return -1 if told.fits is None else told.fits


def _undescribed(renderer: Renderer, scene: Silence) -> _Sketch:
    told = PictureRound(
        "",
        renderer.name,
        None,
        outcome="filtered" if scene.reason == "filtered" else "failed",
        detail=f"no description ({scene.reason}): {scene.detail}",
    )
    return _Sketch(told, failure=scene.detail if scene.passing else None)


def _drawn(sketches: Sequence[_Sketch]) -> list[_Sketch]:
    return [sketch for sketch in sketches if sketch.round.file is not None]
