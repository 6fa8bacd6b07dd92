"""The verdict where the foreperson decides, with the majority's finding beside it."""

from collections.abc import Sequence
from dataclasses import replace

from ...agents import Ballot, BallotOutcome
from ...common.text import short
from ._aggregation_verdict import dissent
from ._verdict import Verdict


def as_decided(verdict: Verdict, decision: Ballot | None, ballots: Sequence[Ballot]) -> Verdict:
    """Return a verdict by the foreperson's decision: never by the majority in its place.

    Args:
        verdict: By the majority.
        decision: The foreperson's, None where there was nothing to decide by.
        ballots: Those that it read.
    """
    majority, finding = verdict.finding, None if decision is None else decision.finding
    decided = replace(
        verdict,
        finding=finding,
        reason=_reason(verdict, decision),
        dissent=dissent(ballots, finding),
        decision=decision,
        majority=majority,
    )
    if decision is None or decision.rating is None:
        return decided
    return replace(decided, rating=float(decision.rating), mean_rating=float(decision.rating))


def _reason(verdict: Verdict, decision: Ballot | None) -> str:
    if decision is None:
        return "no juror reached a finding, so that the foreperson had nothing to decide by"
    if decision.finding is None:
        return f"the foreperson gave no decision: {_why_not(decision)}"
    # What it read, where that is an earlier round; how a tie is broken says nothing of it.
    stands = f"; {verdict.reason}" if verdict.revote_lost else ""
    if decision.finding is verdict.finding:
        return stands.removeprefix("; ")
    found = verdict.finding or "nothing"
    return f"the foreperson decides {decision.finding}, and the majority found {found}{stands}"


def _why_not(decision: Ballot) -> str:
    if decision.outcome is BallotOutcome.ABSTAIN:
        return f"it abstained ({short(decision.reason)})"
    return f"{decision.outcome}" + (f" ({decision.detail})" if decision.detail else "")
