"""Asks models to describe a scene, and to judge whether a picture shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from ...agents import Points, ReplyFailure, neutralize
from ...datasets import Media
from ..calls import Answer, NamedModel, ask, printable_line, seed_for
from ..prompts import render
from .renderers import Subject

PROMPTS = ("picture_describe", "picture_view")


def _line(said: object) -> object:
    return printable_line(said) if isinstance(said, str) else said


Line = Annotated[str, Field(max_length=2000), BeforeValidator(_line)]
"""A model's words: they go into further prompts, into what is drawn and into files."""


# Names and docstrings of shapes are part of the schema that is sent: with others, journaled
# calls are not found.
class Scene(BaseModel):
    """What a picture is to show."""

    description: Annotated[Line, Field(min_length=1)]


class View(BaseModel):
    """What somebody thinks who looks at a picture."""

    fits: Points
    advice: Line = ""
    description: Line = ""

    def better(self, prompt: str) -> str:
        """Return the description of a better picture than that of `prompt`."""
        return self.description.strip() or f"{prompt} {self.advice}".strip()


@dataclass(frozen=True, slots=True)
class PictureCalls:
    """Asks models about pictures; each call is known by its item and purpose.

    Attributes:
        describer: Describes scenes.
        viewer: Judges pictures; None for no viewer.
        seed: The set's seed.
        max_tokens: Cap on the tokens of one reply.
    """

    describer: NamedModel
    viewer: NamedModel | None
    seed: int
    max_tokens: int

    async def describe(self, subject: Subject) -> Sequence[Answer[Scene] | ReplyFailure]:
        """Return the describer's replies; the last is a scene, or why there is none.

        It is asked for once more where the reply could not be read.
        """
        said = [await self._asked(subject, 1)]
        if isinstance(said[0], ReplyFailure) and said[0].reason == "unparsed":
            said.append(await self._asked(subject, 2))
        return said

    async def view(
        self, subject: Subject, prompt: str, picture: Media, name: str
    ) -> Answer[View] | ReplyFailure | None:
        """Return the viewer's judgment, None if there is no viewer.

        Args:
            subject: What the picture is for.
            prompt: What it was to show.
            picture: The picture.
            name: Names the drawing among those of the subject.
        """
        if self.viewer is None:
            return None
        call_id = f"pictures/{subject.id}/view/{name}"
        return await ask(
            self.viewer,
            view_prompt(subject, prompt),
            View,
            call_id=call_id,
            seed=seed_for(self.seed, call_id),
            max_tokens=self.max_tokens,
            images=(picture,),
            parents=(subject.id,),
        )

    async def _asked(self, subject: Subject, attempt: int) -> Answer[Scene] | ReplyFailure:
        call_id = f"pictures/{subject.id}/describe/{attempt}"
        return await ask(
            self.describer,
            scene_prompt(subject),
            Scene,
            call_id=call_id,
            seed=seed_for(self.seed, call_id),
            max_tokens=self.max_tokens,
            parents=(subject.id,),
        )


def scene_prompt(subject: Subject) -> str:
    """Return the prompt for the describer."""
    scenario = subject.scenario
    return render(
        "picture_describe",
        title=neutralize(scenario.title),
        definition=neutralize(scenario.definition),
        text=neutralize(subject.text),
    )


def view_prompt(subject: Subject, prompt: str) -> str:
    """Return the prompt for the viewer."""
    return render(
        "picture_view",
        title=neutralize(subject.scenario.title),
        text=neutralize(subject.text),
        description=printable_line(prompt),
    )
