"""The view of a run that goes on: `--watch`."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._board import Watched
    from ._screen import why_no_screen
    from ._view import WatchView

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_board": ["Watched"],
            "_screen": ["why_no_screen"],
            "_view": ["WatchView"],
        },
    )

__all__ = [
    "WatchView",
    "Watched",
    "why_no_screen",
]
