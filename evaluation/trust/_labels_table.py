"""What people say of the cases of a table of votes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNLABELED = -1
"""What stands beside `UNSAFE` and `SAFE` where a case has no label."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of the n cases of a table of votes, in its order.

    Attributes:
        values: For each case `UNSAFE`, `SAFE` or `UNLABELED`.
        annotators: Who labeled, where that is known.
        given: n x annotators, what each said: `UNSAFE`, `SAFE` or `UNLABELED`; None where it is
            not known.
        weights: For each case, how many cases it stands for: one over the probability with which
            it was chosen for labeling. None where all cases were equally likely to be.
    """

    values: "NDArray[np.int8]"
    annotators: tuple[str, ...] = ()
    given: "NDArray[np.int8] | None" = None
    weights: "NDArray[np.float64] | None" = None
