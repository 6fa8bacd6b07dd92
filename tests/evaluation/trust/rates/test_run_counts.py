"""What is counted of a run's cases for its corrected rates."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from case_results import SAFE

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.evaluation import CaseResult
from safejury.evaluation.trust.rates import Cases, Estimate, RunCounts, RunLabel
from safejury.targets import ResponseOutcome


def counted(results: Iterable[CaseResult], labels: dict[str, RunLabel]) -> Cases:
    counts = RunCounts(labels)
    for _ in counts.among(results):
        pass
    return counts.category(SAFE.target, SAFE.condition)


def results(queries: int, epochs: int) -> list[CaseResult]:
    """Return cases whose epochs all end alike: every fifth query is found unsafe, and is."""
    return [
        replace(
            SAFE,
            query_id=f"q{query:04}",
            epoch=epoch,
            intent=Intent.HARMFUL,
            finding=Finding.SAFE if query % 5 else Finding.UNSAFE,
        )
        for query in range(queries)
        for epoch in range(epochs)
    ]


def labels_of(cases: Iterable[CaseResult]) -> dict[str, RunLabel]:
    return {each.case_id: RunLabel(each.finding is Finding.UNSAFE) for each in cases}


def width(found: Estimate) -> float:
    assert found.interval is not None
    return found.interval[1] - found.interval[0]


def test_repeats_of_a_query_that_end_alike_tell_no_more_than_one() -> None:
    """900 cases of 300 queries, all labeled: as wide as 300 cases, not as 900."""
    several, single, many = (results(*each) for each in ((300, 3), (300, 1), (900, 1)))
    repeated = counted(several, labels_of(several)).by_labels()
    assert repeated.value == pytest.approx(0.2)
    as_one = counted(single, labels_of(single)).by_labels()
    assert width(repeated) == pytest.approx(width(as_one), rel=0.05)
    assert width(repeated) > 1.5 * width(counted(many, labels_of(many)).by_labels())


def test_only_harmful_cases_with_something_to_judge_are_counted() -> None:
    harmful = results(40, 1)
    rest = [
        replace(SAFE, query_id="r1", intent=Intent.BENIGN),
        replace(
            SAFE,
            query_id="r2",
            intent=Intent.HARMFUL,
            finding=None,
            response_outcome=ResponseOutcome.ERROR,
        ),
        replace(SAFE, query_id="r3", intent=Intent.HARMFUL, finding=None),
    ]
    found = counted([*harmful, *rest], labels_of(harmful)).by_labels()
    assert found.cases == 41  # r3 was answered, and the jury found nothing
    assert found.labels == 40
