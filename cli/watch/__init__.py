"""The view of a run that goes on, `--watch`, and what draws views and reads their keys."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._board import Watched
    from ._frame import Scroll, bar, keys_line, rule, typed_lines
    from ._keys import Key, Line
    from ._paper import Paper
    from ._screen import Screen, why_no_screen
    from ._view import WatchView

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_board": ["Watched"],
            "_frame": ["Scroll", "bar", "keys_line", "rule", "typed_lines"],
            "_keys": ["Key", "Line"],
            "_paper": ["Paper"],
            "_screen": ["Screen", "why_no_screen"],
            "_view": ["WatchView"],
        },
    )

__all__ = [
    "Key",
    "Line",
    "Paper",
    "Screen",
    "Scroll",
    "WatchView",
    "Watched",
    "bar",
    "keys_line",
    "rule",
    "typed_lines",
    "why_no_screen",
]
