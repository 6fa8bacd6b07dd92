"""Turns the results of cases into the figures of a report."""

from ._agreement import Agreement, Split, agreement
from ._comparability import Asked, ComparabilityFlag, ComparabilityKind, comparability_flags
from ._cost_summary import Estimated, Limits, RunCost, ServerTime
from ._costs import (
    CASE_OF,
    COST_COLUMNS,
    TOKENS_TOOK,
    cost_words,
    csv_columns,
    read_run_cost,
    read_total,
    with_server_time,
)
from ._counts import macro_average
from ._grouping import LABEL
from ._intervals import (
    Rate,
    Sums,
    macro_mean_interval,
    macro_share_interval,
    mean_interval,
    share_interval,
    student_t,
    wilson_interval,
)
from ._statistics import summarize
from ._summary import (
    AttackSuccess,
    Breakdown,
    FlipCounts,
    Group,
    JurorBallots,
    RunSummary,
    TargetSummary,
    TokenCounts,
)
from ._thresholds import (
    NO_FACTS,
    USUAL,
    RunFacts,
    Thresholds,
    coverage,
    first_warnings,
    left_out_words,
    shortfalls,
)

__all__ = [
    "CASE_OF",
    "COST_COLUMNS",
    "LABEL",
    "NO_FACTS",
    "TOKENS_TOOK",
    "USUAL",
    "Agreement",
    "Asked",
    "AttackSuccess",
    "Breakdown",
    "ComparabilityFlag",
    "ComparabilityKind",
    "Estimated",
    "FlipCounts",
    "Group",
    "JurorBallots",
    "Limits",
    "Rate",
    "RunCost",
    "RunFacts",
    "RunSummary",
    "ServerTime",
    "Split",
    "Sums",
    "TargetSummary",
    "Thresholds",
    "TokenCounts",
    "agreement",
    "comparability_flags",
    "cost_words",
    "coverage",
    "csv_columns",
    "first_warnings",
    "left_out_words",
    "macro_average",
    "macro_mean_interval",
    "macro_share_interval",
    "mean_interval",
    "read_run_cost",
    "read_total",
    "share_interval",
    "shortfalls",
    "student_t",
    "summarize",
    "wilson_interval",
    "with_server_time",
]
