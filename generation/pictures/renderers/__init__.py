"""What draws images: text, placeholders, endpoints and local pipelines."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._renderer import Drawn, NotDrawn, Renderer, Subject
    from ._renderers import open_renderer, our_identities

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_renderer": ["Drawn", "NotDrawn", "Renderer", "Subject"],
            "_renderers": ["open_renderer", "our_identities"],
        },
    )

__all__ = [
    "Drawn",
    "NotDrawn",
    "Renderer",
    "Subject",
    "open_renderer",
    "our_identities",
]
