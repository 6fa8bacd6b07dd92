"""The stage `pictures`: each query's picture, described, drawn and judged in rounds."""

from ._renderer import Drawn, NotDrawn, Renderer, Subject
from ._renderers import open_renderer
from ._stage import PicturesStage
from ._tools import check_pictures

__all__ = [
    "Drawn",
    "NotDrawn",
    "PicturesStage",
    "Renderer",
    "Subject",
    "check_pictures",
    "open_renderer",
]
