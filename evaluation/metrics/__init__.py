"""Turns the results of cases into the figures of a report."""

from ._agreement import Agreement, Split, agreement
from ._comparability import (
    ComparabilityFlag,
    ComparabilityKind,
    TargetResponse,
    comparability_flags,
)
from ._cost_summary import Estimated, Limits, RunCost, ServerTime
from ._costs import (
    CASE_OF,
    COST_COLUMNS,
    IS_OF_AUDIT,
    OF_AUDIT,
    TOKENS_USED,
    csv_columns,
    describe_cost,
    read_run_cost,
    read_total,
    with_server_time,
)
from ._counts import macro_average
from ._grouping import LABEL
from ._guards import GuardFigures, NamedCategory
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
    DEFAULT_THRESHOLDS,
    NO_FACTS,
    RunFacts,
    Thresholds,
    coverage,
    describe_skipped,
    first_warnings,
    shortfalls,
)

__all__ = [
    "CASE_OF",
    "COST_COLUMNS",
    "DEFAULT_THRESHOLDS",
    "IS_OF_AUDIT",
    "LABEL",
    "NO_FACTS",
    "OF_AUDIT",
    "TOKENS_USED",
    "Agreement",
    "AttackSuccess",
    "Breakdown",
    "ComparabilityFlag",
    "ComparabilityKind",
    "Estimated",
    "FlipCounts",
    "Group",
    "GuardFigures",
    "JurorBallots",
    "Limits",
    "NamedCategory",
    "Rate",
    "RunCost",
    "RunFacts",
    "RunSummary",
    "ServerTime",
    "Split",
    "Sums",
    "TargetResponse",
    "TargetSummary",
    "Thresholds",
    "TokenCounts",
    "agreement",
    "comparability_flags",
    "coverage",
    "csv_columns",
    "describe_cost",
    "describe_skipped",
    "first_warnings",
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
