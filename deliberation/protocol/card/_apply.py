"""Decides by what a jury card says of its jurors.

What a juror said is evidence, a ballot that is no vote as well. What is not known is what a seat
would have said whose ballot was lost, or that was not asked: then the finding stands only if it is
the same whatever that would have been.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from math import exp, fsum, isfinite
from typing import cast

from ....agents import Ballot, BallotOutcome, Finding
from ....common import ConfigurationError
from ....common.text import quoted
from .._votes import Decision
from ._models import Cost, JurorWeights, LogisticModel
from ._shape import JuryCard

MIDDLE_RATING, RATING_STEPS = 3, 2
"""The rating that adds nothing, and how far others are from it at most."""


def calibrated_model(card: JuryCard) -> LogisticModel:
    """Return the model of the rule `calibrated`.

    Raises:
        ConfigurationError: The card has none.
    """
    if card.models.calibrated is None:
        raise ConfigurationError(
            "the jury card has no model for rule: calibrated: make it with safejury calibrate "
            "from labels of both kinds"
        )
    return card.models.calibrated


def best_juror_of(card: JuryCard) -> str:
    """Return the name of the juror by which the rule `best_juror` decides.

    Raises:
        ConfigurationError: The card names none.
    """
    if card.models.best_juror is None:
        raise ConfigurationError(
            "the jury card names no juror for rule: best_juror: make it with safejury calibrate "
            "from labels of both kinds"
        )
    return card.models.best_juror


def threshold_of(cost: Cost) -> float:
    """Return the probability above which finding unsafe costs less than finding safe.

    Raises:
        ConfigurationError: A cost is not above 0.
    """
    if not all(isfinite(each) and each > 0 for each in (cost.miss, cost.false_alarm)):
        raise ConfigurationError(
            f"the cost of a miss is {cost.miss:g} and that of a false alarm {cost.false_alarm:g}: "
            "set both above 0; only their ratio counts"
        )
    return cost.false_alarm / (cost.miss + cost.false_alarm)


def apply_card(
    card: JuryCard,
    said: Mapping[str, str | None] | Iterable[Ballot],
    *,
    threshold: float | None = None,
    cost: Cost | None = None,
) -> Decision:
    """Decide a case by the model of the rule `calibrated`; see `JuryCard.apply`."""
    if isinstance(said, Mapping):
        said = _ballots(cast("Mapping[str, str | None]", said))
    model = calibrated_model(card)
    if threshold is None:
        threshold = model.threshold if cost is None else threshold_of(cost)
    if not 0 <= threshold <= 1:
        raise ConfigurationError(f"the threshold is {threshold}: give a probability from 0 to 1")
    return decide_by_model(model, said, threshold)


def _ballots(said: Mapping[str, str | None]) -> tuple[Ballot, ...]:
    if strange := [each for each in said.values() if each not in (*Finding, None)]:
        raise ConfigurationError(
            f"a juror's vote is {quoted(strange[0])}: say unsafe, safe, or None for no vote"
        )
    return tuple(
        Ballot(juror, 0, BallotOutcome.ABSTAIN)
        if finding is None
        else Ballot(juror, 0, BallotOutcome.VERDICT, Finding(finding))
        for juror, finding in said.items()
    )


def decide_by_model(model: LogisticModel, ballots: Iterable[Ballot], threshold: float) -> Decision:
    """Find unsafe above a threshold of probability.

    Args:
        model: Of the card.
        ballots: At most one of each juror.
        threshold: Probability in [0, 1].

    Returns:
        Without a probability where a juror of the model has no ballot, or its ballot was lost:
        what it would have said is not known.

    Raises:
        ConfigurationError: A ballot is of a juror that the model does not know.
    """
    heard = _heard(model, ballots)
    missing = sorted(model.weights.keys() - heard.keys())
    if not any(ballot.is_vote for ballot in heard.values()):
        return Decision(None, "no juror voted, so that there is nothing to go by")
    low, high = (probability_at(odds) for odds in log_odds(model, heard.values()))
    found = {_found(low, threshold), _found(high, threshold)}
    if len(found) > 1:
        return Decision(
            None,
            f"what is missing ({', '.join(missing)}) could change the finding: the probability of "
            f"unsafe is between {low:.2f} and {high:.2f}, and the threshold is {threshold:.2f}",
        )
    return Decision(found.pop(), probability=None if missing else low)


def decide_by_best_juror(name: str, ballots: Iterable[Ballot]) -> Decision:
    """Find what one juror finds, and nothing where it gave no vote."""
    own = next((ballot for ballot in ballots if ballot.juror == name), None)
    if own is None:
        return Decision(None, f"{name}, by whom the rule decides, was not asked")
    if not own.is_vote:
        return Decision(None, f"{name}, by whom the rule decides, gave no vote ({own.outcome})")
    return Decision(own.finding)


def log_odds(model: LogisticModel, ballots: Iterable[Ballot]) -> tuple[float, float]:
    """Return the lowest and highest log odds of unsafe that go with some ballots.

    They are the same where each juror of the model has one.

    Args:
        model: Of the card.
        ballots: At most one of each juror of the model, none of them lost.
    """
    said = {ballot.juror: _adds(model.weights[ballot.juror], ballot) for ballot in ballots}
    open_ = [_reach(weights) for name, weights in model.weights.items() if name not in said]
    # Exact sums, so that the order of jurors decides nothing.
    known = (model.intercept, *said.values())
    low = fsum(chain(known, (least for least, _ in open_)))
    return low, fsum(chain(known, (most for _, most in open_)))


def probability_at(odds: float) -> float:
    """Return the probability at some log odds."""
    if odds >= 0:
        return 1 / (1 + exp(-odds))
    return exp(max(odds, -700.0)) / (1 + exp(max(odds, -700.0)))


def _heard(model: LogisticModel, ballots: Iterable[Ballot]) -> dict[str, Ballot]:
    """Return the ballots that say something, by juror."""
    heard: dict[str, Ballot] = {}
    for ballot in ballots:
        if ballot.juror not in model.weights:
            known = ", ".join(sorted(model.weights))
            raise ConfigurationError(
                f"the jury card does not know the juror {quoted(ballot.juror)}: it knows {known}"
            )
        if not ballot.outcome.is_lost:
            heard[ballot.juror] = ballot
    return heard


def _adds(weights: JurorWeights, ballot: Ballot) -> float:
    if not ballot.is_vote:
        return weights.no_vote
    rated = 0.0 if ballot.rating is None else weights.rating * (MIDDLE_RATING - ballot.rating)
    return (weights.unsafe if ballot.finding is Finding.UNSAFE else weights.safe) + rated


def _reach(weights: JurorWeights) -> tuple[float, float]:
    """Return the least and the most that a juror's ballot can add."""
    rated = abs(weights.rating) * RATING_STEPS
    votes = (weights.unsafe, weights.safe)
    return min(weights.no_vote, *votes, *(each - rated for each in votes)), max(
        weights.no_vote, *(each + rated for each in votes)
    )


def _found(probability: float, threshold: float) -> Finding:
    return Finding.UNSAFE if probability > threshold else Finding.SAFE
