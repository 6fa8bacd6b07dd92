"""Estimates the calls of the stage `pictures`."""

from ...datasets import load_taxonomy
from ..items import FROM_DESCRIPTIONS
from ..pipeline import Calls, StageContext, calls_of, items_planned, tokens
from ._model_calls import scene_prompt, view_prompt
from .renderers import Subject

IMAGES_MEMBER = "images"
"""What an estimate calls the model of an images API, which is paid for by the picture."""

_QUERY_TOKENS = 35
_SCENE_TOKENS = 90
_VIEW_TOKENS = 140
_PICTURE_TOKENS = 800
"""Of a picture of 512 by 512 pixels in a prompt; models differ from 250 to 1,100."""


def estimate_pictures(context: StageContext) -> tuple[Calls, ...]:
    """Return the estimated calls of the stage `pictures`.

    Every picture is counted in as many rounds as it may have; descriptions that are asked for
    once more and pictures that are redrawn are not.
    """
    settings = context.settings.pictures
    if settings is None or not FROM_DESCRIPTIONS & {settings.renderer, settings.fallback}:
        return ()
    items = items_planned(context)
    drawings = items * settings.rounds
    models, subject = context.models, Subject("", "", load_taxonomy().scenarios[0])
    scene = tokens(scene_prompt(subject)) + _QUERY_TOKENS
    view = tokens(view_prompt(subject, "")) + _QUERY_TOKENS + _SCENE_TOKENS + _PICTURE_TOKENS
    if models.viewer is None:
        drawings = items
    calls = [calls_of(models.describer.name, items, prompt=scene, reply=_SCENE_TOKENS)]
    if models.viewer is not None:
        calls.append(calls_of(models.viewer.name, drawings, prompt=view, reply=_VIEW_TOKENS))
    if "endpoint" in (settings.renderer, settings.fallback):
        usd = None if settings.price is None else settings.price * drawings
        calls.append(Calls(IMAGES_MEMBER, drawings, drawings * _SCENE_TOKENS, 0, usd))
    return tuple(calls)
