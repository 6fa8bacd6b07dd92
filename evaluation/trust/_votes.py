"""The votes of a jury on many cases, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNSAFE, SAFE, NO_VOTE = 1, 0, -1
"""What stands in a table of votes."""


@dataclass(frozen=True, slots=True, eq=False)
class VoteTable:
    """The ballots of one round on n cases by k jurors, without a word of what they said.

    Attributes:
        jurors: The k names of the jurors.
        cases: The n ids of the cases.
        groups: For each case, what it is resampled with: its query, unless told otherwise.
        votes: n x k, each `UNSAFE`, `SAFE` or `NO_VOTE`.
        ratings: n x k, 1 to 5, 0 where a ballot has none.
        lost: n x k, True where no reply came, or none was asked for.
        targets: For each case, the target; empty where that is not known.
        scenarios: For each case, the scenario; empty where that is not known.
        costs: Mean US dollars of a ballot, by juror; without those of whom it is not known.
    """

    jurors: tuple[str, ...]
    cases: tuple[str, ...]
    groups: tuple[str, ...]
    votes: "NDArray[np.int8]"
    ratings: "NDArray[np.int8]"
    lost: "NDArray[np.bool_]"
    targets: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    costs: Mapping[str, float] = field(default_factory=dict[str, float])
