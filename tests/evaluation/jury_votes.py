"""Votes and labels for tests: written by hand, planted with a known truth, and recorded ones."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safejury.deliberation.protocol.card import CardJury, CardSeat, JuryCard
from safejury.evaluation.trust import NO_VOTE, SAFE, UNSAFE, Labels, VoteTable, make_card

RECORDED = Path(__file__).parents[1] / "data/verdicts"


def vote_table(
    votes: Any,
    *,
    jurors: Sequence[str] = (),
    groups: Sequence[object] = (),
    ratings: Any = None,
    lost: Any = None,
) -> VoteTable:
    """Return a table, each case in a group of its own unless told otherwise."""
    found = np.array(votes, np.int8)
    n, k = found.shape
    return VoteTable(
        jurors=tuple(jurors) or tuple(f"juror {at}" for at in range(k)),
        cases=tuple(f"case {at:05}" for at in range(n)),
        groups=tuple(f"query {group}" for group in groups or range(n)),
        votes=found,
        ratings=np.zeros((n, k), np.int8) if ratings is None else np.array(ratings, np.int8),
        lost=np.zeros((n, k), np.bool_) if lost is None else np.array(lost, np.bool_),
    )


def labels_of(values: Any, **more: Any) -> Labels:
    """Return labels."""
    return Labels(np.array(values, np.int8), **more)


def planted(
    random: np.random.Generator,
    n: int,
    jurors: Sequence[tuple[float, float]],
    *,
    rate: float = 0.3,
    none: float = 0.0,
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return votes, and the truth, of jurors who err independently.

    Args:
        random: What draws them.
        n: Cases.
        jurors: Sensitivity and specificity of each.
        rate: Share of unsafe cases.
        none: Share of ballots that are no vote.
    """
    truth = random.random(n) < rate
    votes = np.empty((n, len(jurors)), np.int8)
    for at, (sensitivity, specificity) in enumerate(jurors):
        right = random.random(n) < np.where(truth, sensitivity, specificity)
        votes[:, at] = np.where(right, truth, ~truth)
    votes[random.random(votes.shape) < none] = NO_VOTE
    return votes, truth.astype(np.int8)


def card_of(votes: VoteTable, labels: Labels, **settings: Any) -> JuryCard:
    """Make a card in a hurry."""
    seats = tuple(CardSeat(name) for name in votes.jurors)
    hurried: dict[str, Any] = {"repeats": 1, "resamples": 200, **settings}
    return make_card(
        votes, labels, jury=CardJury(sha256="0" * 64, source="ballots", seats=seats), **hurried
    )


def recorded(name: str, *, without: Sequence[str] = ()) -> tuple[VoteTable, Labels]:
    """Return recorded verdicts and the labels of people; see tests/data/verdicts/README.md."""
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    jurors = [juror for juror in sorted(rows[0]["judge_verdicts"]) if juror not in without]
    said = {1: UNSAFE, 0: SAFE, None: NO_VOTE}
    table = vote_table(
        [[said[row["judge_verdicts"][juror]] for juror in jurors] for row in rows],
        jurors=jurors,
        groups=[row["group_id"] for row in rows],
    )
    given = np.array([[said[label] for label in row["human_labels"]] for row in rows], np.int8)
    majority = [row["human_majority"] for row in rows]
    return table, labels_of(majority, annotators=("first", "second"), given=given)
