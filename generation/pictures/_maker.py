"""Makes one picture: describe, draw, review, and redraw it if it does not fit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ...agents import ReplyFailure, ReplyFailureReason
from ..calls import Answer, seed_for
from ..items import Origin, Picture, PictureRound
from ..pipeline import MediaCache
from ._drawings import draw, nsfw_score
from ._model_calls import PictureCalls, Scene, View
from ._nsfw import NsfwClassifier
from .renderers import Renderer, Subject


@dataclass(frozen=True, slots=True)
class PictureResult:
    """The result of making one picture.

    Attributes:
        picture: It, and all that led to it.
        undescribed: Why replies of the describer hold no scene, one each.
        failure: What a call said that failed and may go well another time; None for none.
        by_fallback: Whether the fallback drew it, for the renderer did not.
    """

    picture: Picture
    undescribed: tuple[ReplyFailureReason, ...] = ()
    failure: str | None = None
    by_fallback: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """A prompt and the call that wrote it.

    Attributes:
        prompt: In words.
        description: The call that wrote the prompt; None where no model did.
    """

    prompt: str
    description: Origin | None = None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a picture.

    Attributes:
        round: What is recorded of it.
        phash: Its perceptual hash.
        better: The next prompt; None if the picture is good, or there is no judgment.
        failure: See `PictureResult`.
    """

    round: PictureRound
    phash: str | None = None
    better: _Plan | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Makes pictures.

    Attributes:
        cache: Keeps what is drawn.
        calls: Asks models.
        renderer: What draws.
        fallback: What draws what the renderer does not; None leaves it out.
        classifier: Scores pictures; None where nothing does.
        rounds: How often a picture may be drawn to a better description, at least 1.
        good_fit: The viewer's score from which a picture is not redrawn.
        seed: The set's seed.
    """

    cache: MediaCache
    calls: PictureCalls
    renderer: Renderer
    fallback: Renderer | None
    classifier: NsfwClassifier | None
    rounds: int
    good_fit: int
    seed: int

    async def make(self, subject: Subject) -> PictureResult:
        """Make the picture of a query or a twin.

        Raises:
            ConfigurationError: A renderer or a model cannot work at all.
            DatasetError: The set's folder cannot be written.
        """
        attempts = list[_Attempt]()
        said: Sequence[Answer[Scene] | ReplyFailure] = ()
        for renderer in (self.renderer, self.fallback):
            if renderer is None or _drawn(attempts):
                break
            words = renderer.words(subject)
            if words is not None:
                attempts.append(await self._attempt(renderer, _Plan(words), subject, renderer.name))
                continue
            said = said or await self.calls.describe(subject)
            scene = said[-1]
            if isinstance(scene, Answer):
                attempts += await self._refined(renderer, scene, subject)
            else:
                attempts.append(_undescribed(renderer, scene))
        return PictureResult(
            await self._picture(subject, attempts),
            tuple(one.reason for one in said if isinstance(one, ReplyFailure)),
            next((attempt.failure for attempt in attempts if attempt.failure), None),
            any(one.round.renderer != self.renderer.name for one in _drawn(attempts)),
        )

    async def redraw(self, subject: Subject, picture: Picture) -> PictureResult:
        """Draw a picture again with the same prompt and another seed.

        Raises:
            ConfigurationError: See `make`.
            DatasetError: See `make`.
        """
        chosen = next(one for one in picture.rounds if one.file == picture.file)
        renderer = self.renderer
        if self.fallback is not None and chosen.renderer == self.fallback.name:
            renderer = self.fallback
        plan = _Plan(chosen.prompt, chosen.description)
        attempt = await self._attempt(renderer, plan, subject, f"{renderer.name}/anew")
        picture = msgspec.structs.replace(picture, rounds=(*picture.rounds, attempt.round))
        if attempt.round.file is not None:
            picture = await self._choose(picture, attempt)
        return PictureResult(picture, failure=attempt.failure)

    async def _refined(
        self, renderer: Renderer, scene: Answer[Scene], subject: Subject
    ) -> list[_Attempt]:
        """Draw until the score is good enough, or no rounds are left."""
        attempts = list[_Attempt]()
        plan = _Plan(scene.value.description, scene.origin)
        for number in range(1, self.rounds + 1):
            attempt = await self._attempt(renderer, plan, subject, f"{renderer.name}/{number}")
            attempts.append(attempt)
            if attempt.better is None:
                break
            plan = attempt.better
        return attempts

    async def _attempt(
        self, renderer: Renderer, plan: _Plan, subject: Subject, name: str
    ) -> _Attempt:
        drawn_by = self._origin(renderer, plan, subject, name)
        drawing = await draw(self.cache, renderer, plan.prompt, subject, drawn_by.seed)
        drawn_round = PictureRound(
            plan.prompt,
            renderer.name,
            None,
            outcome=drawing.outcome,
            detail=drawing.detail,
            description=plan.description,
            drawing=drawn_by,
        )
        if drawing.sha256 is None:
            return _Attempt(drawn_round, failure=drawing.detail if drawing.passing else None)
        drawn_round = msgspec.structs.replace(drawn_round, file=self.cache.file_of(drawing.sha256))
        attempt = _Attempt(drawn_round, drawing.phash)
        if renderer.words(subject) is not None:
            return attempt
        picture = self.cache.media(drawing.sha256)
        view = await self.calls.view(subject, plan.prompt, picture, name)
        return attempt if view is None else self._viewed(attempt, view)

    def _origin(self, renderer: Renderer, plan: _Plan, subject: Subject, name: str) -> Origin:
        digest = hashlib.sha256(plan.prompt.encode("utf-8", "surrogatepass")).hexdigest()
        call_id = f"pictures/{subject.id}/draw/{name}"
        return Origin(renderer.model, digest, seed_for(self.seed, call_id), call_id, (subject.id,))

    def _viewed(self, attempt: _Attempt, view: Answer[View] | ReplyFailure) -> _Attempt:
        """Return an attempt with its score and, if that is low, the next prompt."""
        drawn_round = attempt.round
        if isinstance(view, ReplyFailure):
            drawn_round = msgspec.structs.replace(drawn_round, unseen=view.reason)
            failure = view.detail if view.passing else None
            return replace(attempt, round=drawn_round, failure=failure)
        drawn_round = msgspec.structs.replace(
            drawn_round, fits=view.value.fits, advice=view.value.advice
        )
        better = None
        if view.value.fits < self.good_fit:
            better = _Plan(view.value.better(drawn_round.prompt), view.origin)
        return replace(attempt, round=drawn_round, better=better)

    async def _picture(self, subject: Subject, attempts: Sequence[_Attempt]) -> Picture:
        picture = Picture(subject.id, None, tuple(attempt.round for attempt in attempts))
        drawn = _drawn(attempts)
        if not drawn:
            return picture
        # Of equals the first: it is nearest to the description.
        best = max(drawn, key=lambda attempt: _rank(attempt.round))
        return await self._choose(picture, best)

    async def _choose(self, picture: Picture, attempt: _Attempt) -> Picture:
        file = attempt.round.file
        assert file is not None
        nsfw = None
        if self.classifier is not None:
            nsfw = await nsfw_score(self.cache, Path(file).stem, self.classifier)
        return msgspec.structs.replace(picture, file=file, phash=attempt.phash, nsfw=nsfw)


def _rank(drawn_round: PictureRound) -> int:
    return -1 if drawn_round.fits is None else drawn_round.fits


def _undescribed(renderer: Renderer, scene: ReplyFailure) -> _Attempt:
    drawn_round = PictureRound(
        "",
        renderer.name,
        None,
        outcome="filtered" if scene.reason == "filtered" else "failed",
        detail=f"no description ({scene.reason}): {scene.detail}",
    )
    return _Attempt(drawn_round, failure=scene.detail if scene.passing else None)


def _drawn(attempts: Sequence[_Attempt]) -> list[_Attempt]:
    return [attempt for attempt in attempts if attempt.round.file is not None]
