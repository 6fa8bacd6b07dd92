"""Where votes come from, and how labels are matched to them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....common import ConfigurationError
from ....common.text import many, quoted
from ....deliberation.protocol.card import CardJury, CardSeat
from .._decided import Decided
from .._labels_table import UNLABELED, Labels
from .._votes import SAFE, UNSAFE, VoteTable
from ._labels import LabelSet

_NAMED = 3
"""Cases that a message names."""


@dataclass(frozen=True, slots=True)
class Source:
    """Votes of a jury, and what is known of it.

    Attributes:
        name: Where they were read from, for messages.
        votes: The votes of round 0.
        jury: Which jury.
        decided: What the run itself decided; None where that is not known.
        tie: How the rule `majority` decides a tie: `unsafe`, `safe`, or None for not at all.
        unheard: Cases that the jury did not hear, because there was no response to judge.
        notes: What a reader must know, a sentence each.
        of: Hash of the queries and responses of a run; empty for votes from a file.
    """

    name: str
    votes: VoteTable
    jury: CardJury
    decided: Decided | None = None
    tie: str | None = None
    unheard: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """Labels in the order of a table of votes.

    Attributes:
        labels: The labels.
        notes: What was left out, a sentence each.
    """

    labels: Labels
    notes: tuple[str, ...]


def jury_of_names(names: Sequence[str]) -> CardJury:
    """Return the identity of a jury of which only the jurors' names are known."""
    known = "\n".join(sorted(names)).encode()
    seats = tuple(CardSeat(name) for name in names)
    return CardJury(sha256=hashlib.sha256(known).hexdigest(), source="ballots", seats=seats)


def match(labels: LabelSet, source: Source) -> Matched:
    """Match labels to votes.

    Only the labels that count do, see `LabelSet.counted`.

    Raises:
        ConfigurationError: No label is of a case with votes.
    """
    import numpy as np

    votes = source.votes
    place = {case: at for at, case in enumerate(votes.cases)}
    usable = [case for case in labels.unsafe if case in labels.counted]
    if not any(case in place for case in usable):
        raise _no_match(labels, source, usable)
    values = np.full(len(votes.cases), UNLABELED, np.int8)
    given = np.full((len(votes.cases), len(labels.annotators)), UNLABELED, np.int8)
    weights = np.ones(len(votes.cases), np.float64)
    column = {name: at for at, name in enumerate(labels.annotators)}
    for case, one in labels.counted.items():
        if (at := place.get(case)) is None:
            continue
        if one.unsafe is not None:
            values[at] = UNSAFE if one.unsafe else SAFE
            weights[at] = one.weight
        # Also of a case that has no label, or annotators would seem to agree on all they say.
        for who, unsafe in one.by.items():
            given[at, column[who]] = UNSAFE if unsafe else SAFE
    labeled = weights[values != UNLABELED]
    even = bool((labeled == labeled[0]).all())
    table = Labels(values, labels.annotators, given, None if even else weights)
    picked = len(labels.unsafe) - len(usable)
    return Matched(table, tuple(_notes(labels, source, place, usable, picked)))


def _notes(
    labels: LabelSet,
    source: Source,
    place: Mapping[str, int],
    usable: Sequence[str],
    picked: int,
) -> list[str]:
    """Return what labels were left out and why."""
    notes: list[str] = []
    unheard = [case for case in usable if case in source.unheard]
    strange = [case for case in usable if case not in place and case not in source.unheard]
    if strange:
        notes.append(
            f"{many(len(strange), 'labeled case')} not in {source.name}, and left out: "
            f"{_some(strange)}."
        )
    if unheard:
        notes.append(
            f"{many(len(unheard), 'labeled case')} left out, which the jury did not hear: "
            f"{_some(unheard)}."
        )
    if tied := labels.tied:
        notes.append(
            f"{many(len(tied), 'case')} left out, on which annotators are split evenly: "
            f"{_some(tied)}."
        )
    if labels.blank:
        notes.append(f"{many(labels.blank, 'row')} without a label left out.")
    if picked:
        notes.append(
            f"{many(picked, 'label')} left out: only cases that a review drew at random count, "
            "as others were picked for being contested or close."
        )
    return notes


def _no_match(labels: LabelSet, source: Source, usable: Sequence[str]) -> ConfigurationError:
    if not usable:
        return ConfigurationError(
            f"{labels.source}: no case has a label that counts: on each of them annotators are "
            "split evenly"
        )
    if all(case in source.unheard for case in usable):
        return ConfigurationError(
            f"{labels.source}: the jury of {source.name} heard none of the labeled cases, such as "
            f"{_some(usable)}: label cases that have a response"
        )
    return ConfigurationError(
        f"{labels.source}: no label matches a case of {source.name}: "
        f"{many(len(usable), 'label')} of {_some(usable)}, and cases that are called "
        f"{_some(source.votes.cases)}"
    )


def _some(cases: Sequence[str]) -> str:
    more = ", …" if len(cases) > _NAMED else ""
    return ", ".join(map(quoted, cases[:_NAMED])) + more
