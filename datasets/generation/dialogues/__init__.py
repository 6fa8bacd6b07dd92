"""The stages `queries` and `twins`: texts that a generator and the panel make in dialogue."""

from ._panel_scores import mean_harm
from ._query_stage import QueriesStage
from ._twin_stage import TwinsStage

__all__ = ["QueriesStage", "TwinsStage", "mean_harm"]
