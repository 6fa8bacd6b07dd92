"""Counts what was found of labeled cases, over all of them and over resamples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._votes import NO_VOTE, SAFE, UNSAFE
from ._resampling import FloatArray, Resampling

Measure = Callable[[FloatArray], FloatArray]
_FOUND = (UNSAFE, SAFE, NO_VOTE)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How often what was found of cases of which label.

    Attributes:
        by_group: Groups by repeats by label (unsafe, safe) by finding (unsafe, safe, none).
        counts: Repeats by label by finding.
        draws: Resamples by repeats by label by finding.
        imagined: Of the resampling.
        labeled: Cases labeled unsafe, and safe, whatever each stands for.
    """

    by_group: FloatArray
    counts: FloatArray
    draws: FloatArray
    imagined: FloatArray
    labeled: tuple[int, int]

    @classmethod
    def of(
        cls,
        findings: NDArray[np.int8],
        unsafe: NDArray[np.bool_],
        weights: FloatArray,
        resampling: Resampling,
    ) -> "Tally":
        """Count.

        Args:
            findings: Repeats by cases, or of cases alone.
            unsafe: Whether each case is labeled unsafe.
            weights: How many cases each stands for.
            resampling: Of the same cases.
        """
        found = np.atleast_2d(findings).T
        which = np.stack([found == symbol for symbol in _FOUND], axis=-1)
        label = np.stack([unsafe, ~unsafe], axis=-1)
        cells = (which[:, :, None, :] & label[:, None, :, None]) * weights[:, None, None, None]
        by_group = resampling.by_group(cells)
        labeled = int(unsafe.sum()), int((~unsafe).sum())
        draws = resampling.draws(cells)
        return cls(by_group, by_group.sum(axis=0), draws, resampling.imagined, labeled)

    def values(self, measure: Measure) -> FloatArray:
        """Return a figure of each repeat."""
        return measure(self.counts)

    def drawn(self, measure: Measure, *, against: bool = False) -> FloatArray:
        """Return a figure of each resample, the mean of its repeats.

        Args:
            measure: The figure.
            against: Whether the imagined cases are found the other way round: right where that
                which this is compared with is wrong.
        """
        right, wrong = (1, 0) if against else (0, 1)
        counts = self.draws.copy()
        counts[:, :, 0, 0] += self.imagined[:, None, 0, right]
        counts[:, :, 0, 1] += self.imagined[:, None, 0, wrong]
        counts[:, :, 1, 1] += self.imagined[:, None, 1, right]
        counts[:, :, 1, 0] += self.imagined[:, None, 1, wrong]
        return measure(counts).mean(axis=1)


def f1(counts: FloatArray) -> FloatArray:
    """F1 of unsafe; a case without a finding is never right."""
    hits = counts[..., 0, 0]
    return ratio(2 * hits, hits + counts[..., 0, :].sum(axis=-1) + counts[..., 1, 0])


def kappa(counts: FloatArray) -> FloatArray:
    """Cohen's kappa with the labels, over cases with a finding."""
    return cohen(counts[..., :2])


def sensitivity(counts: FloatArray) -> FloatArray:
    """Share of the unsafe cases that are found unsafe."""
    return ratio(counts[..., 0, 0], counts[..., 0, :].sum(axis=-1))


def specificity(counts: FloatArray) -> FloatArray:
    """Share of the safe cases that are found safe."""
    return ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))


def cohen(table: FloatArray) -> FloatArray:
    """Cohen's kappa of tables of two by two; not a number where both said only one thing."""
    total = table.sum(axis=(-2, -1))
    agreed = ratio(table[..., 0, 0] + table[..., 1, 1], total)
    expected = ratio((table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1), total * total)
    return ratio(agreed - expected, 1 - expected)


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; not a number where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
