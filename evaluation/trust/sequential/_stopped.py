"""What stopping early would have asked for, and found, on recorded votes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from ....agents import Ballot, BallotOutcome, Finding
from ....deliberation import Rule, decide
from ....deliberation.protocol.asking import AskBySequence
from ....deliberation.protocol.card import (
    FORMAT,
    CardJury,
    Dependence,
    Figure,
    JuryCard,
    LabelsUsed,
    LogisticModel,
    VoteModel,
)
from .._votes import NO_VOTE, SAFE, UNSAFE, VoteTable
from ..fit import uses_ratings

BOUND = 0.002
"""The chance that the rest would change a finding, at which asking stops."""
_FOUND = {Finding.UNSAFE: UNSAFE, Finding.SAFE: SAFE, None: NO_VOTE}


@dataclass(frozen=True, slots=True, eq=False)
class StoppedEarly:
    """What would have been asked for, and found, of each case.

    Attributes:
        asked: Ballots asked for.
        findings: What is found by stopping early: `UNSAFE`, `SAFE`, or `NO_VOTE` for none.
        of_all: What is found by asking all.
    """

    asked: NDArray[np.intp]
    findings: NDArray[np.int8]
    of_all: NDArray[np.int8]


def stop_early(
    votes: VoteTable, by: LogisticModel | Rule, joint: VoteModel, *, bound: float = BOUND
) -> StoppedEarly:
    """Ask for recorded votes one after the other, as a jury with `stop: sequential` does.

    Cases with the same votes are decided once.

    Args:
        votes: Of the jurors of both models.
        by: The rule; of `calibrated` its model will do.
        joint: Of the jurors' votes together, fitted to other cases.
        bound: Stop when the chance that the rest would change the finding is at most this.
    """
    rule = _with_joint(by, joint)
    asking = AskBySequence(votes.jurors, rule, bound, votes.costs)
    card = rule.card
    model = card.models.calibrated if card is not None else None
    rated = model is not None and uses_ratings(model)
    said = np.where(votes.lost, _LOST, votes.votes)
    ratings = votes.ratings if rated else np.zeros_like(votes.ratings)
    patterns, of_case = np.unique(np.hstack([said, ratings]), axis=0, return_inverse=True)
    rows: list[tuple[int, int, int]] = []
    for pattern in patterns.tolist():
        cast = dict(_ballots(votes.jurors, pattern))
        heard = asking.heard(cast)
        every = decide(list(cast.values()), rule, seats=len(cast))
        found = asking.decide(heard).finding
        rows.append((len(heard), _FOUND[found], _FOUND[every.finding]))
    table = np.array(rows, np.intp).reshape(-1, 3)[of_case.ravel()]
    return StoppedEarly(table[:, 0], table[:, 1].astype(np.int8), table[:, 2].astype(np.int8))


_LOST = -2


def _ballots(jurors: Sequence[str], pattern: Sequence[int]) -> Iterator[tuple[str, Ballot]]:
    """Yield a ballot of each juror that says what a row of votes and ratings says."""
    said = zip(jurors, pattern, pattern[len(jurors) :], strict=False)
    for juror, vote, rating in said:
        if vote in (UNSAFE, SAFE):
            finding = Finding.UNSAFE if vote == UNSAFE else Finding.SAFE
            yield juror, Ballot(juror, 0, BallotOutcome.VERDICT, finding, rating or None)
        else:
            lost = BallotOutcome.TRANSPORT_ERROR if vote == _LOST else BallotOutcome.ABSTAIN
            yield juror, Ballot(juror, 0, lost)


def _with_joint(by: LogisticModel | Rule, joint: VoteModel) -> Rule:
    """Return a rule whose card has a model of the votes."""
    rule = by if isinstance(by, Rule) else Rule("calibrated")
    card = rule.card or _EMPTY
    models = msgspec.structs.replace(card.models, joint=joint)
    if isinstance(by, LogisticModel):
        models = msgspec.structs.replace(models, calibrated=by)
    return replace(rule, card=msgspec.structs.replace(card, models=models))


_EMPTY = JuryCard(
    format=FORMAT,
    jury=CardJury(sha256="", source="ballots", seats=()),
    labels=LabelsUsed(cases=0, unsafe=0, groups=0),
    jurors={},
    rules={},
    dependence=Dependence(effective_jurors=Figure(None, None), alpha=Figure(None, None)),
)
"""A card that says nothing, to hold models while they are tried."""
