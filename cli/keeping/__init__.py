"""Commands about runs as a whole: `runs` and `prune`."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._prune import prune
    from ._runs import runs

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_prune": ["prune"],
            "_runs": ["runs"],
        },
    )

__all__ = [
    "prune",
    "runs",
]
