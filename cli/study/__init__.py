"""Commands on finished runs: report, show, verify, replay, review, calibrate, recheck."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._calibrate import calibrate
    from ._recheck import recheck
    from ._replay import replay
    from ._report import report
    from ._review import review
    from ._show import show
    from ._table import show_table
    from ._verify import verify

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_calibrate": ["calibrate"],
            "_recheck": ["recheck"],
            "_replay": ["replay"],
            "_report": ["report"],
            "_review": ["review"],
            "_show": ["show"],
            "_table": ["show_table"],
            "_verify": ["verify"],
        },
    )

__all__ = [
    "calibrate",
    "recheck",
    "replay",
    "report",
    "review",
    "show",
    "show_table",
    "verify",
]
