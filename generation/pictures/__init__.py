"""The stage `pictures`: an image for every query and every twin."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._stage import PicturesStage
    from ._tools import check_pictures
    from .renderers import Drawn, NotDrawn, Renderer, Subject, open_renderer

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_stage": ["PicturesStage"],
            "_tools": ["check_pictures"],
            "renderers": ["Drawn", "NotDrawn", "Renderer", "Subject", "open_renderer"],
        },
    )

__all__ = [
    "Drawn",
    "NotDrawn",
    "PicturesStage",
    "Renderer",
    "Subject",
    "check_pictures",
    "open_renderer",
]
