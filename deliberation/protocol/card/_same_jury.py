"""Whether the jury that sits is the one that a card was made of."""

from collections.abc import Iterator, Mapping, Sequence

from ....common import ConfigurationError
from ....common.text import quoted
from ._shape import CardJury, CardSeat, JuryCard

_TOLD = 2
"""Differences that an error names."""
_WORDS = {
    "persona": "wording of its persona",
    "senses": "limit on what it takes in",
    "request": "setting in `request:`",
    "agent": "source of its agent",
    "guard": "way to ask its guard",
    "prompts": "wording of its prompts",
    "max_tokens": "cap on the tokens of a ballot",
}


def check_same_jury(card: JuryCard, seated: CardJury, *, force: bool = False) -> None:
    """Check that a card is of the jury that sits.

    What is not known of either is not compared. Of votes that were read from a file only the
    names of the jurors are known.

    Args:
        card: The card.
        seated: Who sits, as `jury_identity` returns it, or by what is known of the seats.
        force: Whether a card will do whose jurors have the same names, and differ otherwise.

    Raises:
        ConfigurationError: The jury is another; the message names what differs.
    """
    measured = {seat.name for seat in card.jury.seats}
    sitting = {seat.name for seat in seated.seats}
    if problems := [*_strangers(sitting - measured, measured - sitting)]:
        raise ConfigurationError(
            f"the jury card is of another jury: {' and '.join(problems)}: seat the jurors that "
            "were measured, under their names, or make a card of this jury with safejury calibrate"
        )
    if not force and (said := other_jury(card, seated)):
        raise ConfigurationError(
            f"the jury card is of another jury: {said}: make a card of this jury with safejury "
            "calibrate, or set jury.card_of_another_jury to true and take its figures as a guess"
        )


def other_jury(card: JuryCard, seated: CardJury) -> str:
    """Return how the jury that sits differs from that of a card, by jurors of the same names.

    Args:
        card: The card.
        seated: See `check_same_jury`.

    Returns:
        The differences in words, empty where none is known.
    """
    if "ballots" in (card.jury.source, seated.source):
        return ""
    return _told([*_differences(card.jury, seated)])


def juries_differ(first: CardJury, second: CardJury) -> str:
    """Return how two juries differ, in words; empty where they are the same.

    Args:
        first: Who sat, as `jury_identity` returns it.
        second: The same of another run.
    """
    one, two = ({seat.name for seat in jury.seats} for jury in (first, second))
    if one == two:
        return _told([*_differences(first, second)])
    return _told(
        [
            f"{_named(names)} on the jury of the {which} only"
            for names, which in ((one - two, "first"), (two - one, "second"))
            if names
        ]
    )


def _told(different: Sequence[str]) -> str:
    more = len(different) - _TOLD
    return "; ".join(different[:_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _strangers(new: set[str], gone: set[str]) -> Iterator[str]:
    if new:
        yield f"{_named(new)} not on the card"
    if gone:
        yield f"{_named(gone, 'measured ')} not seated"


def _named(names: set[str], which: str = "") -> str:
    said = ", ".join(quoted(name) for name in sorted(names))
    return f"the {which}juror {said} is" if len(names) == 1 else f"the {which}jurors {said} are"


def _differences(measured: CardJury, seated: CardJury) -> Iterator[str]:
    """Yield what differs between two juries of the same names, in words."""
    if measured.sha256 and measured.sha256 == seated.sha256:
        return
    found = False
    now = {seat.name: seat for seat in seated.seats}
    for old in measured.seats:
        for words in _of_seat(old, now[old.name]):
            found = True
            yield f"the juror {quoted(old.name)} {words}"
    for part in _differing(measured.parts, seated.parts):
        found = True
        yield f"it had another {_WORDS.get(part, part)}"
    if not found and measured.sha256 and seated.sha256:
        yield "something else that shapes a ballot was different"


def _of_seat(old: CardSeat, new: CardSeat) -> Iterator[str]:
    named = (("model", old.model, new.model), ("persona", old.persona, new.persona))
    for what, before, now in named:
        if before and now and before != now:
            yield f"had the {what} {quoted(before)} and has {quoted(now)}"
    for part in _differing(old.parts, new.parts):
        named_already = part in ("model", "persona") and getattr(old, part) != getattr(new, part)
        if not named_already:
            yield f"had another {_WORDS.get(part, part)}"


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    if old and new:  # else they are not known
        yield from (part for part in {**old, **new} if old.get(part) != new.get(part))
