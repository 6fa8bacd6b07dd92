"""Commands that measure a jury: calibrate, recheck, replay, review."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._calibrate import calibrate
    from ._recheck import recheck
    from ._replay import replay
    from ._review import review

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_calibrate": ["calibrate"],
            "_recheck": ["recheck"],
            "_replay": ["replay"],
            "_review": ["review"],
        },
    )

__all__ = [
    "calibrate",
    "recheck",
    "replay",
    "review",
]
