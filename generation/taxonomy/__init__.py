"""The stage `taxonomy`: the risk scenarios that a dataset is made for."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._items import Mark, Merge, Proposal, Standing
    from ._stage import TaxonomyStage

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_items": ["Mark", "Merge", "Proposal", "Standing"],
            "_stage": ["TaxonomyStage"],
        },
    )

__all__ = [
    "Mark",
    "Merge",
    "Proposal",
    "Standing",
    "TaxonomyStage",
]
