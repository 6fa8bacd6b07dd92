"""The checks of a jury card, recorded beside it: when, and what became of each juror."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ....common import ConfigurationError, escape_line
from ....common.files import append_line, open_regular, write_error
from ....common.text import many
from ....deliberation import read_card
from ._compare import JurorCheck
from ._sample import FOLDER

_CHECKS = "checks.jsonl"


class CheckedJuror(msgspec.Struct, frozen=True):
    """What a check says of a juror; see `JurorCheck`."""

    cases: int
    lost: int
    changed: int
    asked_again: int
    confirmed: int
    p: float
    moved: bool

    @classmethod
    def of(cls, one: JurorCheck) -> "CheckedJuror":
        """Return what is recorded of a juror."""
        return cls(
            one.cases, one.lost, one.changed, one.asked_again, one.confirmed, one.p, one.moved
        )


class Check(msgspec.Struct, frozen=True):
    """A check of a jury card.

    Attributes:
        at: When it ended, as an ISO 8601 time in UTC.
        sample: Hash of the cases that were heard.
        alpha: The false-alarm rate that it was set to.
        jurors: What became of each juror, by name.
    """

    at: str
    sample: str
    alpha: float
    jurors: dict[str, CheckedJuror]

    @property
    def moved(self) -> tuple[str, ...]:
        """The jurors that moved."""
        return tuple(name for name, juror in self.jurors.items() if juror.moved)

    @property
    def time(self) -> datetime:
        """When it ended; in UTC where it names no zone."""
        said = datetime.fromisoformat(self.at)
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said


def record_check(
    folder: Path, sample: str, alpha: float, jurors: Sequence[JurorCheck], now: datetime
) -> Check:
    """Add a check to those beside a card.

    Raises:
        ConfigurationError: It cannot be written.
    """
    said = {one.juror: CheckedJuror.of(one) for one in jurors}
    check = Check(now.astimezone(UTC).isoformat(timespec="seconds"), sample, alpha, said)
    path = folder / _CHECKS
    try:
        append_line(path, msgspec.json.encode(check))
    except OSError as error:
        raise write_error(path, error) from None
    return check


def last_check(card: Path) -> Check | None:
    """Return the latest check of the cases that a jury card has now, None without one.

    Args:
        card: The card's file.

    Raises:
        ConfigurationError: The card cannot be read.
    """
    sample = read_card(card).sample
    try:
        with open_regular(card.parent / FOLDER / _CHECKS) as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found: Check | None = None
    for line in lines:
        try:
            check = msgspec.json.decode(line, type=Check)
            is_later = check.time >= (check if found is None else found).time
        except (msgspec.MsgspecError, ValueError):  # cut off, or of another version
            continue
        if sample is not None and check.sample == sample.sha256 and is_later:
            found = check
    return found


def why_unchecked(card: Path, days: float, *, now: datetime | None = None) -> str | None:
    """Return why a card was not checked within some days, in a line; None where it was.

    A check by which a juror moved does not count: the card is of the jury as it was.

    Args:
        card: The card's file.
        days: How old its latest check may be, in days.
        now: The time now, unless it is the clock's.

    Raises:
        ConfigurationError: The card cannot be read, or so many days are no number.
    """
    if not 0 <= days <= timedelta.max.days:
        raise ConfigurationError(f"--card-checked-within is a number of days, and not {days:g}")
    check, now = last_check(card), now or datetime.now(UTC)
    again = f"run safejury recheck {card}"
    if check is None:
        return f"The jury card {card} was never checked: {again}."
    if check.moved:
        return (
            f"By the latest check of the jury card {card}, {check.at[:10]}, "
            f"{escape_line(', '.join(check.moved))} moved: make a card of the jury as it is now."
        )
    age = now - check.time
    if age > timedelta(days=days):
        return (
            f"The jury card {card} was checked {many(age.days, 'day')} ago, {check.at[:10]}, and "
            f"is to be checked within {days:g}: {again}."
        )
    return None
