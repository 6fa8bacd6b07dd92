"""Reads and writes jury cards."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ....common import ConfigurationError
from ....common.files import atomic_write, read_text_and_bytes
from ....common.text import quoted
from ._models import LogisticModel, VoteModel
from ._shape import FORMAT, JuryCard, Scores

_SUM_TOLERANCE = 1e-6
_LARGEST_WEIGHT = 1e9
_MOST_BYTES = 16 * 1024**2


class _Format(msgspec.Struct):
    format: object = None


def read_card(path: str | Path) -> JuryCard:
    """Read a jury card.

    Raises:
        ConfigurationError: The file cannot be read, is no jury card, or one of another format.
    """
    holds = "a jury card written by safejury calibrate"
    _, data = read_text_and_bytes(Path(path), "jury card", holds, most_bytes=_MOST_BYTES)
    try:
        found = msgspec.json.decode(data, type=_Format).format
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not a jury card: {error}") from error
    if found != FORMAT or isinstance(found, bool):
        raise ConfigurationError(
            f"{path} is a jury card of format {quoted(found)}, and this version reads format "
            f"{FORMAT}: make it again with safejury calibrate."
        )
    try:
        card = msgspec.json.decode(data, type=JuryCard)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError(
            f"{path} is not a whole jury card: {error}: make it again with safejury calibrate."
        ) from error
    for why in _what_is_wrong(card):
        raise ConfigurationError(f"{path}: {why}: make it again with safejury calibrate.")
    return card


def write_card(card: JuryCard, path: str | Path) -> None:
    """Write a jury card, replacing an earlier one whole.

    Raises:
        OSError: It cannot be written.
    """
    with atomic_write(Path(path)) as file:
        file.write(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


def card_sha256(card: JuryCard) -> str:
    """Return a hash of what a card says, however it was laid out in its file."""
    return hashlib.sha256(msgspec.json.encode(card, order="sorted")).hexdigest()


def _what_is_wrong(card: JuryCard) -> Iterator[str]:
    """Yield what makes a card unusable, in the words of a reader of its file."""
    models = card.models
    for name, model in (("dawid_skene", models.dawid_skene), ("joint", models.joint)):
        if model is not None:
            yield from (f"models.{name}: {why}" for why in _not_chances(model))
    seats = {seat.name for seat in card.jury.seats}
    if len(seats) < len(card.jury.seats):
        yield "two seats of the jury have one name"
    calibrated = models.calibrated
    if calibrated is not None and not 0 <= calibrated.threshold <= 1:
        yield f"models.calibrated: the threshold is {calibrated.threshold}, not from 0 to 1"
    if calibrated is not None and calibrated.weights.keys() != seats:
        yield "models.calibrated: the weights are not those of the jurors of the card"
    if calibrated is not None and not all(map(_can_be_added_up, _log_odds(calibrated))):
        yield "models.calibrated: a weight is too large to be added up"
    if models.best_juror is not None and models.best_juror not in seats:
        yield f"models.best_juror: {quoted(models.best_juror)} is no juror of the card"
    for name, scores in (*card.jurors.items(), *card.rules.items()):
        if min(scores.design_effect) < 1 - _SUM_TOLERANCE:
            yield f"{quoted(name)}: a design effect is below 1"
        if any(count < 0 for count in _counts(scores)):
            yield f"{quoted(name)}: a count of cases is below 0"


def _log_odds(model: LogisticModel) -> Iterator[float]:
    yield model.intercept
    for juror in model.weights.values():
        yield from (juror.unsafe, juror.safe, juror.no_vote, juror.rating)


def _can_be_added_up(weight: float) -> bool:
    return abs(weight) <= _LARGEST_WEIGHT


def _counts(scores: Scores) -> Iterator[float]:
    if scores.confusion is not None:
        for found in (scores.confusion.unsafe, scores.confusion.safe):
            yield from (found.unsafe, found.safe, found.none)


def _not_chances(model: VoteModel) -> Iterator[str]:
    if not model.classes or not _are_chances(model.classes):
        yield "the shares of the classes do not sum to 1"
    for juror, votes in model.votes.items():
        if len(votes) != len(model.classes) or not all(map(_are_chances, votes)):
            yield f"the chances of the votes of {quoted(juror)} do not sum to 1 in each class"


def _are_chances(values: tuple[float, ...]) -> bool:
    return all(0 <= value <= 1 for value in values) and abs(sum(values) - 1) < _SUM_TOLERANCE
