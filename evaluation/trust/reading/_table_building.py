"""Gathers ballots into a table of votes, case by case, without their words."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from ....agents import BallotOutcome, Finding
from ....common import ConfigurationError
from ....common.text import did_you_mean, quoted
from .._votes import NO_VOTE, SAFE, UNSAFE, VoteTable

_LOWEST, _HIGHEST = 1, 5


@dataclass(frozen=True, slots=True)
class Said:
    """What a table keeps of a ballot.

    Attributes:
        vote: `UNSAFE`, `SAFE` or `NO_VOTE`.
        rating: 1 to 5, 0 where there is none.
        lost: Whether no reply came, or none was asked for.
        cost: US dollars, not a number where that is not known.
    """

    vote: int = NO_VOTE
    rating: int = 0
    lost: bool = False
    cost: float = nan

    @classmethod
    def of(
        cls,
        outcome: BallotOutcome,
        finding: Finding | None,
        rating: int | None,
        cost: float | None = None,
    ) -> "Said":
        """Return what a table keeps of a ballot with this outcome."""
        paid = nan if cost is None else cost
        if outcome is not BallotOutcome.VERDICT or finding is None:
            return cls(lost=outcome.is_lost, cost=paid)
        rated = rating if rating is not None and _LOWEST <= rating <= _HIGHEST else 0
        return cls(UNSAFE if finding is Finding.UNSAFE else SAFE, rated, cost=paid)


NOT_ASKED = Said(lost=True)
"""What stands in a table where a juror has no ballot of a case."""


class TableBuilder:
    """Builds a table of votes; a case takes a few bytes a juror.

    Args:
        jurors: The names of the jurors, in the order of the table.
    """

    def __init__(self, jurors: Sequence[str]) -> None:
        self.jurors = tuple(jurors)
        self._cases, self._groups = list[str](), list[str]()
        self._targets, self._scenarios = list[str](), list[str]()
        self._votes, self._ratings, self._lost = array("b"), array("b"), array("b")
        self._costs: dict[str, tuple[int, float]] = {name: (0, 0.0) for name in self.jurors}

    def add(
        self,
        case: str,
        said: Mapping[str, Said],
        *,
        group: str,
        target: str = "",
        scenario: str = "",
    ) -> None:
        """Add a case with its ballots by juror; those of other jurors are left out."""
        self._cases.append(case)
        self._groups.append(group)
        self._targets.append(target)
        self._scenarios.append(scenario)
        row = [said.get(name, NOT_ASKED) for name in self.jurors]
        self._votes.extend(each.vote for each in row)
        self._ratings.extend(each.rating for each in row)
        self._lost.extend(each.lost for each in row)
        for name, each in zip(self.jurors, row, strict=True):
            if not each.lost:
                n, total = self._costs[name]
                self._costs[name] = n + 1, total + each.cost

    def done(self) -> VoteTable:
        """Return the table."""
        import numpy as np

        shape = len(self._cases), len(self.jurors)

        def table(values: "array[int]") -> "np.ndarray[tuple[int, int], np.dtype[np.int8]]":
            return np.array(values, np.int8).reshape(shape)

        costs = {name: total / n for name, (n, total) in self._costs.items() if n}
        return VoteTable(
            self.jurors,
            tuple(self._cases),
            tuple(self._groups),
            table(self._votes),
            table(self._ratings),
            table(self._lost).astype(np.bool_),
            tuple(self._targets),
            tuple(self._scenarios),
            {name: cost for name, cost in costs.items() if isfinite(cost)},
        )


def remaining(jurors: Iterable[str], without: Sequence[str]) -> tuple[str, ...]:
    """Return jurors without some.

    Args:
        jurors: Their names.
        without: Those to leave out.

    Raises:
        ConfigurationError: One of these is no juror, or nobody is left.
    """
    names = tuple(jurors)
    for name in without:
        if name not in names:
            near = did_you_mean(name, names)
            raise ConfigurationError(
                f"--without {quoted(name)}: the jury has no such juror{near}; there are "
                f"{', '.join(map(quoted, names))}"
            )
    left = tuple(name for name in names if name not in without)
    if not left:
        raise ConfigurationError("--without leaves no juror: leave fewer out")
    return left
