"""A jury as a scorer of Inspect: `safejury/jury`."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._scorer import jury_scorer

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(__name__, {"_scorer": ["jury_scorer"]})

__all__ = [
    "jury_scorer",
]
