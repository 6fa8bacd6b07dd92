"""The stage `taxonomy`: risk scenarios, proposed, merged, scored, voted on and grouped."""

from ._items import Mark, Merge, Proposal, Standing
from ._stage import TaxonomyStage

__all__ = ["Mark", "Merge", "Proposal", "Standing", "TaxonomyStage"]
