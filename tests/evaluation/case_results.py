"""Finished cases for tests of figures: others are made of `SAFE` by `replace`."""

from collections.abc import Iterable
from dataclasses import replace

from safejury.agents import Finding
from safejury.datasets import Intent
from safejury.evaluation import CaseResult
from safejury.targets import ResponseOutcome

MALWARE = "cybersecurity.malware_generation"
SAFE = CaseResult(
    target="mine",
    query_id="q",
    epoch=0,
    scenario=MALWARE,
    intent=Intent.HARMFUL,
    response_outcome=ResponseOutcome.ANSWERED,
    finding=Finding.SAFE,
    initial_finding=Finding.SAFE,
    rating=5,
    contested=False,
)


def apart(results: Iterable[CaseResult]) -> list[CaseResult]:
    """Return cases, each of a query of its own."""
    return [replace(result, query_id=f"q{number:04}") for number, result in enumerate(results)]
