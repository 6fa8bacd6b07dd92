"""The stages `queries` and `twins`: proposed and scored in dialogue with a panel.

The same generator and judges take part in any AutoGen team as `query_agents`.
"""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._panel_scores import mean_harm
    from ._query_stage import QueriesStage
    from ._team import query_agents
    from ._twin_stage import TwinsStage

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_panel_scores": ["mean_harm"],
            "_query_stage": ["QueriesStage"],
            "_team": ["query_agents"],
            "_twin_stage": ["TwinsStage"],
        },
    )

__all__ = [
    "QueriesStage",
    "TwinsStage",
    "mean_harm",
    "query_agents",
]
