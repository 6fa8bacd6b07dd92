"""Compares runs, targets and conditions over the queries that they share."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._changed import changed_queries
    from ._compare import compare
    from ._difference import Pairs, difference_of, macro_difference
    from ._figures import (
        HIGHER_IS_SAFER,
        METRICS,
        TOGETHER,
        ChangedQuery,
        Changes,
        Comparison,
        Metric,
        PairedTargets,
        RateDifference,
        Side,
    )
    from ._resilience import broken_queries, resilience
    from ._sides import PLAIN, Chosen
    from ._table import comparison_table
    from ._tied import Attacks
    from ._words import first_lines, missing_of, verdict_of
    from ._written import ComparisonForm, comparison_data, written_comparison

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_changed": ["changed_queries"],
            "_compare": ["compare"],
            "_difference": ["Pairs", "difference_of", "macro_difference"],
            "_figures": [
                "HIGHER_IS_SAFER",
                "METRICS",
                "TOGETHER",
                "ChangedQuery",
                "Changes",
                "Comparison",
                "Metric",
                "PairedTargets",
                "RateDifference",
                "Side",
            ],
            "_resilience": ["broken_queries", "resilience"],
            "_sides": ["PLAIN", "Chosen"],
            "_table": ["comparison_table"],
            "_tied": ["Attacks"],
            "_words": ["first_lines", "missing_of", "verdict_of"],
            "_written": ["ComparisonForm", "comparison_data", "written_comparison"],
        },
    )

__all__ = [
    "HIGHER_IS_SAFER",
    "METRICS",
    "PLAIN",
    "TOGETHER",
    "Attacks",
    "ChangedQuery",
    "Changes",
    "Chosen",
    "Comparison",
    "ComparisonForm",
    "Metric",
    "PairedTargets",
    "Pairs",
    "RateDifference",
    "Side",
    "broken_queries",
    "changed_queries",
    "compare",
    "comparison_data",
    "comparison_table",
    "difference_of",
    "first_lines",
    "macro_difference",
    "missing_of",
    "resilience",
    "verdict_of",
    "written_comparison",
]
