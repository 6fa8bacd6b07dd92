"""Divides cases into folds, the cases of a group always together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Seed = int | Sequence[int]


def folds_by_group(
    unsafe: NDArray[np.bool_], groups: NDArray[np.intp], folds: int, seed: Seed
) -> NDArray[np.intp]:
    """Return the fold of each case, so that folds have about equally many unsafe and safe cases.

    Groups are shuffled, sorted by their numbers of unsafe and of safe cases, and dealt out to
    the folds, each to one in turn in an order that is drawn anew for each round.

    Args:
        unsafe: Whether each case is labeled unsafe.
        groups: The group of each case, numbered from 0.
        folds: Number of folds; of fewer groups, some are empty.
        seed: Of the shuffle.
    """
    random = np.random.default_rng(seed)
    present, inverse = np.unique(groups, return_inverse=True)
    of_unsafe = np.bincount(inverse, unsafe, len(present))
    of_safe = np.bincount(inverse, ~unsafe, len(present))
    order = np.lexsort((random.random(len(present)), of_safe, of_unsafe))[::-1]
    rounds = -(-len(present) // folds)
    dealt = random.permuted(np.tile(np.arange(folds), (rounds, 1)), axis=1).ravel()
    fold_of_group = np.empty(len(present), np.intp)
    fold_of_group[order] = dealt[: len(present)]
    return fold_of_group[inverse]
