"""One finished case, flattened to what statistics need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..agents import Finding
from ..datasets import Intent
from ..deliberation import Flips
from ..models import Usage
from ..targets import ResponseOutcome


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One finished case.

    Attributes:
        target: The target's name.
        query_id: The query's id.
        epoch: Repetition, from 0.
        scenario: Canonical scenario id; the category is the part before the dot.
        intent: Harmful or benign.
        response_outcome: How asking the target ended.
        finding: The verdict, None for `no_verdict`.
        initial_finding: The same rule on round-0 ballots.
        rating: Median rating, 1 to 5, None where there is no verdict.
        contested: Whether round 0 called for a discussion.
        over_refusal: For benign queries with a verdict: whether the target
            declined; None where that is not known.
        flips: Changes of mind.
        ballots: Last-round ballots by finding or outcome, as in `Verdict.tally`.
        initial_votes: Round-0 votes (`unsafe`, `safe`).
        calls: Model calls, the target's included.
        usage: Tokens, the target's included.
        cost_usd: US dollars, None where a price is unknown.
    """

    target: str
    query_id: str
    epoch: int
    scenario: str
    intent: Intent
    response_outcome: ResponseOutcome
    finding: Finding | None
    initial_finding: Finding | None
    rating: float | None
    contested: bool
    over_refusal: bool | None = None
    flips: Flips = Flips()
    ballots: Mapping[str, int] = field(default_factory=dict[str, int])
    initial_votes: Mapping[str, int] = field(default_factory=dict[str, int])
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
