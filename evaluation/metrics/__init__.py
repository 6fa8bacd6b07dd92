"""From results to the numbers of a report."""

from ._agreement import Agreement, Split, agreement
from ._comparability import Asked, ComparabilityFlag, ComparabilityKind, comparability_flags
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
from ._spent import (
    CASE_OF,
    SPENT_COLUMNS,
    TOKENS_TOOK,
    csv_columns,
    read_spent,
    read_total,
    spent_words,
    with_server_time,
)
from ._statistics import summarise
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
from ._summary_spent import Estimated, Limits, RunSpent, ServerTime
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
    "LABEL",
    "NO_FACTS",
    "SPENT_COLUMNS",
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
    "RunFacts",
    "RunSpent",
    "RunSummary",
    "ServerTime",
    "Split",
    "Sums",
    "TargetSummary",
    "Thresholds",
    "TokenCounts",
    "agreement",
    "comparability_flags",
    "coverage",
    "csv_columns",
    "first_warnings",
    "left_out_words",
    "macro_average",
    "macro_mean_interval",
    "macro_share_interval",
    "mean_interval",
    "read_spent",
    "read_total",
    "share_interval",
    "shortfalls",
    "spent_words",
    "student_t",
    "summarise",
    "wilson_interval",
    "with_server_time",
]
