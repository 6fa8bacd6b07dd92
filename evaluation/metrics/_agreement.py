"""Agreement among the jurors before any discussion.

Both measures need only how often each split of votes occurred, so a run of any
length takes as many counters as there are ways a jury can split.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...common import Coincidences

_SAFE, _UNSAFE = 0, 1


@dataclass(frozen=True, slots=True)
class Split:
    """Counts the round-0 votes of one case by finding."""

    unsafe: int
    safe: int

    @property
    def votes(self) -> int:
        """Number of votes; other outcomes of a ballot are not votes."""
        return self.unsafe + self.safe


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of the round-0 votes; missing votes are left out, not guessed.

    Attributes:
        pairwise: Share in [0, 1] of pairs of votes on the same case that say the
            same; None where no case has two votes.
        alpha: Krippendorff's alpha for nominal data, at most 1. 1 is perfect, 0 is
            what chance would give, below 0 is less than chance. None where no
            case has two votes, or where all votes say the same: then agreement
            cannot be told from a habit.
        cases: Cases with two votes or more, on which both rest.
    """

    pairwise: float | None
    alpha: float | None
    cases: int


def agreement(splits: Mapping[Split, int]) -> Agreement:
    """Compute the agreement of votes from the number of cases with each split.

    On skewed votes alpha can be low while nearly all pairs agree; read both.
    """
    pairable = sorted(
        ((split, times) for split, times in splits.items() if split.votes >= 2),
        key=lambda item: (item[0].unsafe, item[0].safe),
    )
    cases = sum(times for _, times in pairable)
    if cases == 0:
        return Agreement(None, None, 0)
    pairs = sum(times * split.votes * (split.votes - 1) // 2 for split, times in pairable)
    apart = sum(times * split.unsafe * split.safe for split, times in pairable)
    coincidences = Coincidences()
    for split, times in pairable:
        coincidences.add({_SAFE: split.safe, _UNSAFE: split.unsafe}, times)
    return Agreement(1 - apart / pairs, coincidences.alpha("nominal"), cases)
