"""Calibrates a jury: from votes and labels to its card."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from ...common import require
from ...deliberation.protocol.card import Cost, JuryCard, check_same_jury
from .reading import LabelSet, Source, jury_of_names, match

_OWN_CASES = (
    "The card was made of cases of this same run: its rules are scored on what they were fitted "
    "to, and their figures are too high."
)


def calibrate_jury(
    source: Source,
    labels: LabelSet,
    *,
    cost: Cost | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> JuryCard:
    """Measure a jury by labels, and return its card.

    Args:
        source: The jury's votes.
        labels: Of some of its cases.
        cost: What errors cost.
        resamples: Resamples behind each interval.
        seed: Of what is random.

    Raises:
        ConfigurationError: The labels do not fit the votes, or are too few; or the extra `trust`
            is not installed.
    """
    require("safejury calibrate", "sklearn")
    from ._card_making import make_card

    matched = match(labels, source)
    card = make_card(
        source.votes,
        matched.labels,
        jury=source.jury,
        cost=cost,
        decided=source.decided,
        tie=source.tie,
        resamples=resamples,
        seed=seed,
        made=datetime.now(UTC).date().isoformat(),
    )
    used = msgspec.structs.replace(card.labels, of=source.of)
    return msgspec.structs.replace(card, labels=used, notes=(*source.notes, *matched.notes))


def score_jury_card(
    card: JuryCard, source: Source, labels: LabelSet, *, resamples: int = 1000, seed: int = 0
) -> JuryCard:
    """Score a jury's card on other cases, in the shape of a card.

    Args:
        card: The card.
        source: Votes of the same jury.
        labels: Of some of its cases.
        resamples: Resamples behind each interval.
        seed: Of what is random.

    Raises:
        ConfigurationError: The votes are of another jury, or the labels do not fit them; or the
            extra `trust` is not installed.
    """
    require("safejury calibrate", "sklearn")
    from ._card_making import score_card

    source = _checked(card, source)
    matched = match(labels, source)
    scored = score_card(
        card,
        source.votes,
        matched.labels,
        decided=source.decided,
        tie=source.tie,
        resamples=resamples,
        seed=seed,
    )
    used = msgspec.structs.replace(scored.labels, of=source.of)
    own = (_OWN_CASES,) if source.of and source.of == card.labels.of else ()
    return msgspec.structs.replace(scored, labels=used, notes=(*own, *source.notes, *matched.notes))


def _checked(card: JuryCard, source: Source) -> Source:
    """Return votes of a card's jury, with a note if a file has those of others as well.

    Raises:
        ConfigurationError: The card is of another jury.
    """
    names = tuple(card.jurors)
    others = [name for name in source.votes.jurors if name not in names]
    if source.jury.source == "ballots" and others and {*names} < {*source.votes.jurors}:
        note = f"Votes of jurors that the card does not have are left out: {', '.join(others)}."
        source = replace(source, jury=jury_of_names(names), notes=(*source.notes, note))
    check_same_jury(card, source.jury)
    return source
