"""Hears the labeled cases of a jury card again, and names the juror that moved."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._checks import Check, last_check, why_unchecked
    from ._compare import JurorCheck, Rates, compare
    from ._hearing import Checked, check_card, shortfall
    from ._plan import CheckPlan, Estimate, estimate_check, plan_check
    from ._sample import Said, Sample, SampledCase, keep_sample, read_sample, write_sample
    from ._written import check_data, check_text

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_checks": ["Check", "last_check", "why_unchecked"],
            "_compare": ["JurorCheck", "Rates", "compare"],
            "_hearing": ["Checked", "check_card", "shortfall"],
            "_plan": ["CheckPlan", "Estimate", "estimate_check", "plan_check"],
            "_sample": [
                "Said",
                "Sample",
                "SampledCase",
                "keep_sample",
                "read_sample",
                "write_sample",
            ],
            "_written": ["check_data", "check_text"],
        },
    )

__all__ = [
    "Check",
    "CheckPlan",
    "Checked",
    "Estimate",
    "JurorCheck",
    "Rates",
    "Said",
    "Sample",
    "SampledCase",
    "check_card",
    "check_data",
    "check_text",
    "compare",
    "estimate_check",
    "keep_sample",
    "last_check",
    "plan_check",
    "read_sample",
    "shortfall",
    "why_unchecked",
    "write_sample",
]
