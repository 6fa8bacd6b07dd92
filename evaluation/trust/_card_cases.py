"""Checks the votes and labels that a jury card is made of, and brings them into one shape."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...common import ConfigurationError
from ...common.text import quoted
from ...deliberation.protocol.card import LabelsUsed
from ._labels_table import UNLABELED, Labels
from ._votes import NO_VOTE, SAFE, UNSAFE, VoteTable
from .fit import Labeled
from .score import Resampling, annotator_agreement

LEAST_LABELS, LEAST_OF_A_CLASS, LEAST_GROUPS = 30, 10, 5
"""Fewer labels, labels of one kind, or groups that have such a label, make no card."""


def labeled_cases(votes: VoteTable, labels: Labels) -> Labeled:
    """Return the labeled cases among some votes, checked.

    Raises:
        ConfigurationError: Votes or labels are not what they should be, there are too few labels,
            or a juror never votes.
    """
    n, k = len(votes.cases), len(votes.jurors)
    if not k:
        raise ConfigurationError("no juror has votes: name a column of votes for at least one")
    _check("the votes", votes.votes, (n, k), (UNSAFE, SAFE, NO_VOTE))
    _check("the labels", labels.values, (n,), (UNSAFE, SAFE, UNLABELED))
    weights = np.ones(n) if labels.weights is None else np.asarray(labels.weights, np.float64)
    known = labels.values != UNLABELED
    if weights.shape != (n,) or not np.isfinite(weights[known]).all() or (weights[known] < 0).any():
        raise ConfigurationError(
            "a label stands for a number of cases that is no number of 0 or more: leave out the "
            "probabilities with which cases were chosen, or give each one in (0, 1]"
        )
    rows = np.flatnonzero(known & (weights > 0))
    groups = np.unique(np.asarray(votes.groups, dtype=object).astype(str), return_inverse=True)[1]
    unsafe = labels.values == UNSAFE
    _check_enough(unsafe[rows], groups.ravel()[rows])
    for at, name in enumerate(votes.jurors):
        if (votes.votes[rows, at] == NO_VOTE).all():
            raise ConfigurationError(
                f"the juror {quoted(name)} votes in none of the {len(rows)} labeled cases: leave "
                "it out, or see why its ballots are no votes"
            )
    weights = weights / weights[rows].mean()
    return Labeled(votes, rows, unsafe, weights, groups.ravel())


def seated(votes: VoteTable, jurors: Sequence[str]) -> VoteTable:
    """Return the votes of some jurors, in their order.

    Raises:
        ConfigurationError: One has no votes.
    """
    if missing := [name for name in jurors if name not in votes.jurors]:
        raise ConfigurationError(
            f"the card's juror {quoted(missing[0])} has no votes here, which are of "
            f"{', '.join(votes.jurors)}: score the card on votes of its own jury"
        )
    at = [votes.jurors.index(name) for name in jurors]
    return replace(
        votes,
        jurors=tuple(jurors),
        votes=votes.votes[:, at],
        ratings=votes.ratings[:, at],
        lost=votes.lost[:, at],
    )


def labels_used(data: Labeled, labels: Labels, every: Resampling) -> LabelsUsed:
    """Return what a card says of its labels."""
    rows, votes = data.rows, data.votes
    given = labels.given
    return LabelsUsed(
        cases=len(rows),
        unsafe=int(data.unsafe[rows].sum()),
        groups=len(np.unique(data.groups[rows])),
        annotators=len(labels.annotators),
        targets=_counted(votes.targets, rows),
        scenarios=_counted(votes.scenarios, rows),
        agreement={} if given is None else annotator_agreement(given, every),
    )


def _counted(of_case: tuple[str, ...], rows: NDArray[np.intp]) -> dict[str, int]:
    if not of_case:
        return {}
    counts = Counter(of_case[int(row)] for row in rows)
    return {name: counts[name] for name in sorted(counts) if name}


def _check(what: str, values: NDArray[Any], shape: tuple[int, ...], known: Sequence[int]) -> None:
    if values.shape != shape:
        raise ConfigurationError(
            f"{what} have the shape {values.shape}, and the cases and jurors ask for {shape}: give "
            "one for each"
        )
    strange = values[~np.isin(values, known)]
    if len(strange):
        raise ConfigurationError(
            f"{what} hold {strange[0]}, and should be {', '.join(map(str, known))} (unsafe, safe, "
            "none): correct it, or leave it empty"
        )


def _check_enough(unsafe: NDArray[np.bool_], groups: NDArray[np.intp]) -> None:
    n, n1 = len(unsafe), int(unsafe.sum())
    if n and n1 in (0, n):
        raise ConfigurationError(
            f"all {n} labeled cases are {'unsafe' if n1 else 'safe'}, and a jury card needs both: "
            f"label at least {LEAST_OF_A_CLASS} {'safe' if n1 else 'unsafe'} cases too"
        )
    if n < LEAST_LABELS or min(n1, n - n1) < LEAST_OF_A_CLASS:
        raise ConfigurationError(
            f"{n} labeled cases, {n1} unsafe and {n - n1} safe, are too few for a jury card: label "
            f"at least {LEAST_LABELS}, {LEAST_OF_A_CLASS} of each"
        )
    for of_class, name in ((unsafe, "unsafe"), (~unsafe, "safe")):
        found = len(np.unique(groups[of_class]))
        if found < LEAST_GROUPS:
            raise ConfigurationError(
                f"the cases labeled {name} are of {found} different queries (or other groups), too "
                f"few to judge a jury by: label such cases of at least {LEAST_GROUPS}"
            )
