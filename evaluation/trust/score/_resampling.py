"""Resamples groups of cases, the same ones for every figure, so that differences are paired."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import Figure

FloatArray = NDArray[np.float64]
_AT_ONCE, _MOST_KEPT = 2**21, 2**24
_BOUNDS = (0.025, 0.975)
_IMAGINED = 0.5


class Resampling:
    """Groups of cases, drawn with replacement as many times as there are groups.

    What is resampled are sums over cases: they are added up by group once, and each resample
    weighs the groups by how often it drew them.

    Attributes:
        groups: Number of groups.
        of_case: Group of each case.
        resamples: How many resamples.
        imagined: Resamples by 2 classes by 2: what two imagined cases of each class count in
            each resample, one of them right, one wrong. Each has half a case in the mean
            (Jeffreys' prior), so that a figure without a single error claims no certainty, and
            a difference rests on more than a few cases that all happen to point one way.
    """

    def __init__(self, groups: Sequence[str], resamples: int, seed: int) -> None:
        names, of_case = np.unique(
            np.asarray(groups, dtype=object).astype(str), return_inverse=True
        )
        self.groups = len(names)
        self.of_case: NDArray[np.intp] = of_case.ravel()
        self.resamples = resamples
        self._seed = seed
        self._kept: list[NDArray[np.uint16]] = []
        self._order = np.argsort(self.of_case, kind="stable")
        sizes = np.bincount(self.of_case, minlength=self.groups)
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.imagined: FloatArray = np.random.default_rng((seed, 1)).gamma(
            _IMAGINED, size=(resamples, 2, 2)
        )

    def by_group(self, values: FloatArray) -> FloatArray:
        """Return sums over the cases of each group; the first axis is that of the cases."""
        return np.add.reduceat(values[self._order], self._starts, axis=0)

    def draws(self, values: FloatArray) -> FloatArray:
        """Return sums over the cases of each resample; the first axis is that of the cases."""
        sums = self.by_group(values).reshape(self.groups, -1)
        drawn = [times.astype(np.float64) @ sums for times in self._times()]
        return np.concatenate(drawn).reshape(self.resamples, *values.shape[1:])

    def _times(self) -> Iterable[NDArray[np.uint16]]:
        """Return how often each resample draws each group, some resamples at once.

        They are kept while that takes little memory, else drawn again each time.
        """
        if self.resamples * self.groups > _MOST_KEPT:
            return self._drawn()
        if not self._kept:
            self._kept = list(self._drawn())
        return self._kept

    def _drawn(self) -> Iterator[NDArray[np.uint16]]:
        random = np.random.default_rng((self._seed, 0))
        step = max(1, _AT_ONCE // self.groups)
        for start in range(0, self.resamples, step):
            count = min(step, self.resamples - start)
            picks = random.integers(self.groups, size=(count, self.groups))
            picks += (np.arange(count) * self.groups)[:, None]
            times = np.bincount(picks.ravel(), minlength=count * self.groups)
            yield times.reshape(count, -1).astype(np.uint16)


def figure(
    value: float,
    draws: FloatArray,
    *,
    low: float = -1.0,
    high: float = 1.0,
    spread: tuple[float, float] | None = None,
) -> Figure:
    """Return a figure with the percentile interval of its resamples.

    Args:
        value: Of all cases; not a number where there is nothing to measure it on.
        draws: Of each resample; those that are not numbers are left out.
        low: Least possible value.
        high: Greatest possible value.
        spread: Lowest and highest of the repeats.
    """
    known = draws[np.isfinite(draws)]
    if not np.isfinite(value) or not len(known):
        return Figure(None, None)
    ends = np.clip(np.quantile(known, _BOUNDS), low, high)
    return Figure(float(value), (float(min(ends[0], value)), float(max(ends[1], value))), spread)
