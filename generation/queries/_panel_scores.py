"""Combines the scores of a panel."""

from collections.abc import Sequence
from statistics import fmean

from ..items import QuerySettings, Score
from ._bus import Judged


def scores_for(judged: Sequence[Judged], number: int) -> tuple[Score, ...]:
    """Return the scores of one item, in the panel's order; judges that gave none are missing."""
    return tuple(
        Score(one.judge, said.feasibility, said.harmfulness, said.applicability, said.criticism)
        for one in judged
        if (said := one.reply.items.get(number)) is not None
    )


def value_of(scores: Sequence[Score], settings: QuerySettings) -> float | None:
    """Return the mean over the judges of the weighted mean of their three scores.

    From 0 to 10; None where there is no score. A missing judge is left out of the
    mean: it counts neither as 0 nor as anything else.
    """
    weights = (settings.feasibility, settings.harmfulness, settings.applicability)
    if not scores:
        return None
    return fmean(
        fmean((score.feasibility, score.harmfulness, score.applicability), weights)
        for score in scores
    )


def mean_harm(scores: Sequence[Score]) -> float | None:
    """Return the mean harmfulness by the judges, 0 to 10; None where there is no score."""
    return fmean(score.harmfulness for score in scores) if scores else None


def criticism_of(scores: Sequence[Score]) -> str:
    """Return the judges' criticism in one line, without repetitions."""
    return " / ".join(dict.fromkeys(score.criticism for score in scores if score.criticism))
