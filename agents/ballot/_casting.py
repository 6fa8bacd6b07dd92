"""Build a juror's ballot from its reply, or from the failure of its call."""

from typing import Literal

from ...common import BudgetError, ModelError
from ...common.text import short
from ...models import AgentError, Usage, redactor
from ..prompts import render, with_quotes
from ._ballot import Ballot, BallotOutcome, Perceived
from ._call import BallotCall
from ._call_meter import CallMeter
from ._grounding import grounded
from ._parsing import NoBallot
from ._schema import BallotForm


def cast(
    juror: str,
    call: BallotCall,
    read: BallotForm | NoBallot,
    *,
    perceived: Perceived,
    meter: CallMeter,
) -> Ballot:
    """Return the ballot of a juror that answered.

    Args:
        juror: The seat's name.
        call: What it was asked.
        read: What its last reply said.
        perceived: What it received.
        meter: What its calls took.
    """
    if isinstance(read, NoBallot):
        return Ballot(
            juror,
            call.round,
            read.outcome,
            detail=short(read.detail),
            perceived=perceived,
            **meter.fields(),
        )
    vote = read.vote
    if vote and read.rating and vote.contradicts(read.rating):
        meter.note(f"rated {read.rating} though it found the response {vote}")
    quotes, misquotes = grounded(read.quotes, call, perceived) if call.quotes else ((), ())
    return Ballot(
        juror,
        call.round,
        BallotOutcome.VERDICT if vote else BallotOutcome.ABSTAIN,
        finding=vote,
        rating=read.rating,
        criteria=read.criteria,
        reason=read.reason,
        declined=read.declined,
        detail=None if vote else "the juror abstained",
        perceived=perceived,
        quotes=quotes,
        misquotes=misquotes,
        **meter.fields(),
    )


def cast_failure(
    juror: str, call: BallotCall, error: Exception, *, perceived: Perceived, meter: CallMeter
) -> Ballot:
    """Return the ballot of a juror whose call failed, and count that call."""
    outcome, detail = lost_by(error, meter)
    return Ballot(
        juror,
        call.round,
        BallotOutcome(outcome),
        detail=detail,
        perceived=perceived,
        **meter.fields(),
    )


def lost_by(
    error: Exception, meter: CallMeter
) -> tuple[Literal["budget_stop", "transport_error"], str]:
    """Return the outcome of a call that failed and what happened, and count the call."""
    if isinstance(error, ModelError):
        meter.add_failure(error)
        detail = str(error)
    else:
        meter.add_usage(Usage())
        detail = redactor.redact(f"{type(error).__name__}: {error}")
    cause = error.cause if isinstance(error, AgentError) else error
    return "budget_stop" if isinstance(cause, BudgetError) else "transport_error", short(detail)


def correction(problem: NoBallot, call: BallotCall) -> str:
    """Return the words that ask a juror once more for a ballot."""
    words = render("juror_retry", problem=problem.problem).rstrip("\n")
    return with_quotes(words) if call.quotes else words
