"""What `stop: sequential` saves on labeled cases, and what it changes."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...deliberation.protocol.card import JuryCard, SequentialScores
from ._votes import VoteTable
from .fit import CrossValidated, Design, Labeled
from .score import Resampling, Tally, mean_figure, minus, scores_of, share_figure
from .sequential import BOUND, fit_joint, stop_early

_FEW_REPEATS, _MANY_JURORS, _MOST_JURORS = 3, 8, 10
"""Whom to ask next of many jurors takes long to plan: a few repeats have to do, and then none."""


@dataclass(frozen=True, slots=True, eq=False)
class Stopped:
    """What stopping early did on labeled cases: repeats by cases.

    Attributes:
        bound: The bound on the chance that the rest would change the finding.
        asked: Ballots asked for.
        findings: What was found.
        of_all: What is found by asking all.
    """

    bound: float
    asked: NDArray[np.intp]
    findings: NDArray[np.int8]
    of_all: NDArray[np.int8]


def stopped_by_folds(data: Labeled, validated: CrossValidated, seed: int) -> Stopped | None:
    """Stop early on each fold by models of the others: of the labels, and of the joint votes.

    It is not tried with more jurors than it can be planned for.
    """
    if len(data.votes.jurors) > _MOST_JURORS:
        return None
    many = len(data.votes.jurors) > _MANY_JURORS
    repeats = min(len(validated.models), _FEW_REPEATS) if many else len(validated.models)
    shape = (repeats, len(data.rows))
    asked, findings, of_all = np.zeros(shape, np.intp), *(np.zeros(shape, np.int8) for _ in "ab")
    design = Design.of(data.votes)
    plain = design.plain or design
    for repeat in range(repeats):
        for fold, model in validated.models[repeat].items():
            out = validated.folds[repeat] == fold
            held = data.rows[out]
            others = plain.times(~np.isin(data.groups, data.groups[held]))
            joint = fit_joint(plain.patterns, seed=seed, times=others)
            stopped = stop_early(_some(data.votes, held), model, joint, bound=BOUND)
            asked[repeat, out] = stopped.asked
            findings[repeat, out] = stopped.findings
            of_all[repeat, out] = stopped.of_all
    return Stopped(BOUND, asked, findings, of_all)


def stopped_by_card(card: JuryCard, data: Labeled) -> Stopped | None:
    """Stop early by the models of a card; None where it has none of the joint votes.

    It is not tried with more jurors than it can be planned for.
    """
    model, joint = card.models.calibrated, card.models.joint
    if model is None or joint is None or len(model.weights) > _MOST_JURORS:
        return None
    bound = BOUND if card.sequential is None else card.sequential.bound
    votes = replace(_some(data.votes, data.rows), costs=card.models.costs)
    stopped = stop_early(votes, model, joint, bound=bound)
    return Stopped(bound, stopped.asked[None], stopped.findings[None], stopped.of_all[None])


def sequential_scores(stopped: Stopped, data: Labeled, resampling: Resampling) -> SequentialScores:
    """Return what stopping early saves, and what it changes."""
    rows = data.rows
    unsafe, weights = data.unsafe[rows], data.weights[rows]
    early, every = (
        Tally.of(found, unsafe, weights, resampling) for found in (stopped.findings, stopped.of_all)
    )
    changed = (stopped.findings != stopped.of_all).astype(np.float64)
    of_repeats = np.average(changed, axis=1, weights=weights)
    spread = (float(of_repeats.min()), float(of_repeats.max())) if len(of_repeats) > 1 else None
    by_group = resampling.by_group(changed.mean(axis=0) * weights)
    return SequentialScores(
        bound=stopped.bound,
        rule="calibrated",
        calls=mean_figure(stopped.asked / len(data.votes.jurors), weights, resampling),
        changed=share_figure(by_group, resampling.by_group(weights), spread)[0],
        f1=scores_of(early).f1,
        minus_all=minus(early, every),
    )


def _some(votes: VoteTable, rows: NDArray[np.intp]) -> VoteTable:
    at = [int(row) for row in rows]
    return replace(
        votes,
        cases=tuple(votes.cases[row] for row in at),
        groups=tuple(votes.groups[row] for row in at),
        votes=votes.votes[rows],
        ratings=votes.ratings[rows],
        lost=votes.lost[rows],
        targets=(),
        scenarios=(),
    )
