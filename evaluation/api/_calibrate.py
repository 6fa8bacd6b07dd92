"""Measures a jury by labels, from Python."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path

from ...common import require
from ...deliberation import Cost, JuryCard
from ._result import Result


def calibrate(
    run: Result | str | PathLike[str],
    labels: Mapping[str, object] | str | PathLike[str],
    *,
    card: JuryCard | None = None,
    unsafe_words: Iterable[str] = (),
    safe_words: Iterable[str] = (),
    without: Iterable[str] = (),
    groups: str | None = None,
    cost: Cost | None = None,
    out: str | PathLike[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    unfinished: bool = False,
) -> JuryCard:
    """Measure a jury by labels, and return its card. No model is called.

    Example:
        >>> card = sj.calibrate("runs/first", "labels.csv")
        >>> card.rules["calibrated"].minus_best_juror["f1"].interval

    Args:
        run: A finished run, or a file of recorded votes.
        labels: A file of labels, or `unsafe` or `safe` by case id.
        card: A card of the same jury: its rules are scored on these cases, and none is made.
        unsafe_words: Further words that mean unsafe.
        safe_words: Further words that mean safe.
        without: Jurors to leave out.
        groups: For a file of votes: the column that tells which cases go together.
        cost: What errors cost, which sets the threshold of the rule `calibrated`; without it, the
            threshold maximizes F1.
        out: A folder for the card, its page, and cases of the run by which `safejury recheck`
            tells whether a juror changed; nothing is written unless given.
        resamples: Resamples behind each interval.
        seed: Of what is random.
        unfinished: Whether an unfinished run will do.

    Raises:
        ConfigurationError: Labels or votes cannot be used, or do not fit each other or the card;
            or the extra `trust` is not installed.
        RecordChangedError: A case is not as it was recorded.
    """
    require("sj.calibrate", "sklearn")
    from ..report import check_card_folder, save_card
    from ..trust import (
        Words,
        calibrate_jury,
        labels_of,
        read_labels,
        read_run_votes,
        read_votes,
        score_jury_card,
    )
    from ..trust.recheck import keep_sample

    words = Words(unsafe_words, safe_words)
    if isinstance(labels, Mapping):
        labeled = labels_of(labels, words=words)
    else:
        labeled = read_labels(Path(labels), words=words)
    place = run.directory if isinstance(run, Result) else Path(run)
    left_out = tuple(without)
    if place.is_file():
        source = read_votes(place, words=words, groups=groups, without=left_out)
    else:
        source = read_run_votes(place, without=left_out, unfinished=unfinished)
    if out is not None:
        check_card_folder(Path(out), source.jury, scored=card)
    if card is None:
        found = calibrate_jury(source, labeled, cost=cost, resamples=resamples, seed=seed)
    else:
        found = score_jury_card(card, source, labeled, resamples=resamples, seed=seed)
    if out is not None:
        if card is None and place.is_dir():
            found = keep_sample(found, place, labeled, Path(out))
        save_card(found, Path(out))
    return found
