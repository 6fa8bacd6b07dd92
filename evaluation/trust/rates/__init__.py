"""Rates corrected by labels: pure functions of counts, without numpy."""

from ._agreement import JuryAgreement, Paired, jury_agreement
from ._by_card import LEAST_SUM, Errors, rate_by_card
from ._by_rating import RatedStratum, rating_by_verdict
from ._by_verdict import Stratum, rate_by_verdict, too_few
from ._estimate import LEAST_LABELS, Estimate
from ._of_run import Cases, RunCounts, RunLabel, has_something_to_judge

__all__ = [
    "LEAST_LABELS",
    "LEAST_SUM",
    "Cases",
    "Errors",
    "Estimate",
    "JuryAgreement",
    "Paired",
    "RatedStratum",
    "RunCounts",
    "RunLabel",
    "Stratum",
    "has_something_to_judge",
    "jury_agreement",
    "rate_by_card",
    "rate_by_verdict",
    "rating_by_verdict",
    "too_few",
]
