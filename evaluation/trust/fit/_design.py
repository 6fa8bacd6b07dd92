"""What ballots say, in the numbers that a logistic model adds up."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....deliberation.protocol.card import MIDDLE_RATING
from .._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The different ways that ballots were cast, and which case has which.

    Juries agree on most cases: thousands of them have a few dozen patterns of votes, and what is
    fitted on cases is fitted on patterns and how often they occur.

    Attributes:
        patterns: Different patterns of ballots, each once.
        columns: Patterns by 3 k: of each juror its finding (1 unsafe, -1 safe, 0 neither), then of
            each whether it cast a ballot that is no vote, then of each its rating below the
            middle. A ballot that was lost says nothing: 0 in all three.
        of_case: Pattern of each case.
        has_ratings: Whether any ballot has a rating.
        plain: The same without ratings: fewer patterns.
    """

    patterns: VoteTable
    columns: FloatArray
    of_case: NDArray[np.intp]
    has_ratings: bool
    plain: "Design | None" = None

    @classmethod
    def of(cls, votes: VoteTable) -> "Design":
        """Encode a table of votes."""
        rated = np.where(votes.votes == NO_VOTE, 0, votes.ratings)
        plain = cls.of(replace(votes, ratings=np.zeros_like(rated))) if rated.any() else None
        k = len(votes.jurors)
        ballots = np.hstack([votes.votes, rated, votes.lost]).astype(np.int8)
        kinds, of_case = np.unique(ballots, axis=0, return_inverse=True)
        found, rated, lost = kinds[:, :k], kinds[:, k : 2 * k], kinds[:, 2 * k :] > 0
        ids = tuple(map(str, range(len(kinds))))
        patterns = replace(
            votes,
            cases=ids,
            groups=ids,
            votes=found,
            ratings=rated,
            lost=lost,
            targets=(),
            scenarios=(),
        )
        columns = [
            np.where(found == UNSAFE, 1.0, np.where(found == SAFE, -1.0, 0.0)),
            ((found == NO_VOTE) & ~lost).astype(np.float64),
            np.where(rated > 0, MIDDLE_RATING - rated.astype(np.float64), 0.0),
        ]
        return cls(patterns, np.hstack(columns), of_case.ravel(), plain is not None, plain)

    def times(self, cases: NDArray[np.bool_]) -> FloatArray:
        """Return how many of some cases have each pattern."""
        counts = np.bincount(self.of_case[cases], minlength=len(self.columns))
        return counts.astype(np.float64)

    def used(self, *, ratings: bool, without: int | None) -> NDArray[np.bool_]:
        """Return which columns a model uses.

        Args:
            ratings: Whether it uses ratings.
            without: A juror that it leaves out.
        """
        used = np.ones((3, len(self.patterns.jurors)), np.bool_)
        used[2] = ratings
        if without is not None:
            used[:, without] = False
        return used.ravel()
