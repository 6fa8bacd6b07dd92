"""What rules find of labeled cases, and how a card scores it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...deliberation.protocol.card import DecidedBy, Figure, JuryCard, RuleScores, best_juror_of
from ..record import tie_of
from ._decided import Decided
from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable
from .fit import CrossValidated, DawidSkene, Labeled, apply_model, latent_findings, vote_shares
from .score import Resampling, Tally, minus, rule_figures

NOTHING = Figure(0.0, (0.0, 0.0))
"""What a rule differs from itself."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleFindings:
    """What a rule finds.

    Attributes:
        findings: Repeats by labeled cases, or of labeled cases alone.
        by: The protocol.
        cross_validated: Whether it was fitted on other cases of the same file.
    """

    findings: NDArray[np.int8]
    by: DecidedBy
    cross_validated: bool = False


def majority(votes: VoteTable, tie: str | None) -> NDArray[np.int8]:
    """Return what the rule `majority` finds: more than half of all seats, voting or not."""
    unsafe, safe = ((votes.votes == said).sum(axis=1) for said in (UNSAFE, SAFE))
    seats = len(votes.jurors)
    found = np.where(2 * unsafe > seats, UNSAFE, np.where(2 * safe > seats, SAFE, NO_VOTE))
    if tie in ("unsafe", "safe"):
        tied = (unsafe == safe) & (unsafe + safe == seats)
        found = np.where(tied, UNSAFE if tie == "unsafe" else SAFE, found)
    return found.astype(np.int8)


def by_folds(found: CrossValidated) -> dict[str, RuleFindings]:
    """Return what rules find that were fitted out of fold."""
    of = {
        "best_juror": found.best_juror,
        "dawid_skene": found.dawid_skene,
        "calibrated": found.calibrated,
    }
    return {name: RuleFindings(it, DecidedBy(name), True) for name, it in of.items()}


def by_card(card: JuryCard, data: Labeled) -> dict[str, RuleFindings]:
    """Return what the models of a card find."""
    votes, rows = data.votes, data.rows
    best = votes.votes[rows, votes.jurors.index(best_juror_of(card))]
    rules = {"best_juror": RuleFindings(best, DecidedBy("best_juror"))}
    if card.models.dawid_skene is not None:
        model = DawidSkene.of(card.models.dawid_skene, votes.jurors)
        belief = model.probabilities(vote_shares(votes)[rows])
        rules["dawid_skene"] = RuleFindings(
            latent_findings(belief, votes.votes[rows]), DecidedBy("dawid_skene")
        )
    if card.models.calibrated is not None:
        found, _ = apply_model(card.models.calibrated, votes)
        rules["calibrated"] = RuleFindings(found[rows], DecidedBy("calibrated"))
    return rules


def with_votes(
    rules: Mapping[str, RuleFindings], data: Labeled, tie: str | None, decided: Decided | None
) -> dict[str, RuleFindings]:
    """Add what is found without a model: by majority, and by the run itself."""
    by = DecidedBy("majority", tie=tie_of(tie, len(data.votes.jurors)))
    found = RuleFindings(majority(data.votes, tie)[data.rows], by)
    every = {"majority": found, **rules}
    if decided is not None:
        every["as_decided"] = RuleFindings(decided.findings[data.rows], decided.by)
    return every


def tallies(
    rules: Mapping[str, RuleFindings], data: Labeled, resampling: Resampling
) -> dict[str, Tally]:
    """Count what each rule finds."""
    return {name: tally_of(rule.findings, data, resampling) for name, rule in rules.items()}


def tally_of(findings: NDArray[np.int8], data: Labeled, resampling: Resampling) -> Tally:
    """Count what is found of the labeled cases."""
    rows = data.rows
    return Tally.of(findings, data.unsafe[rows], data.weights[rows], resampling)


def rule_scores(
    rules: Mapping[str, RuleFindings], counted: Mapping[str, Tally]
) -> dict[str, RuleScores]:
    """Return the scores of rules, each with its differences to the best juror and to majority.

    Where rules are fitted out of fold, the best juror is chosen there as well: chosen by all the
    labels that it is scored on, it would have the advantage of hindsight.
    """

    def differences(name: str, other: str) -> dict[str, Figure]:
        if name == other:
            return dict.fromkeys(("f1", "kappa", "sensitivity", "specificity"), NOTHING)
        return minus(counted[name], counted[other])

    return {
        name: RuleScores(
            **rule_figures(counted[name]),
            protocol=rule.by,
            cross_validated=rule.cross_validated,
            minus_best_juror=differences(name, "best_juror"),
            minus_majority=differences(name, "majority"),
        )
        for name, rule in rules.items()
    }
