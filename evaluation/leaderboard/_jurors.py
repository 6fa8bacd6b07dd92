"""How jurors voted before any talk, pair by pair, and how long calls took."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import msgspec

from ...agents import BallotOutcome, Finding
from ..metrics import Agreement, QuerySums, Rate, Split, agreement
from ..report import StoredRun


class _Ballot(msgspec.Struct):
    juror: str
    outcome: BallotOutcome
    finding: Finding | None = None
    latency_s: float = 0.0


class _Round(msgspec.Struct):
    round: int
    ballots: tuple[_Ballot, ...]


@dataclass(frozen=True, slots=True)
class PairVotes:
    """How often two jurors voted alike on a case, before any talk.

    Attributes:
        alike: Share of cases with the same vote, over cases on which both voted.
        kappa: Cohen's kappa: agreement beyond what chance would give, at most 1. None where they
            share no case, or where both always voted the same.
    """

    alike: Rate
    kappa: float | None


@dataclass(frozen=True, slots=True)
class JurorVotes:
    """How jurors voted before any talk, over all cases of a leaderboard.

    Attributes:
        seats: The jurors that voted, in the order of their seats.
        unsafe: By juror, the share of its votes that are unsafe.
        pairs: By two jurors, the first in order first.
        agreement: Of all jurors.
    """

    seats: tuple[str, ...] = ()
    unsafe: Mapping[str, Rate] = field(default_factory=dict[str, Rate])
    pairs: Mapping[tuple[str, str], PairVotes] = field(
        default_factory=dict[tuple[str, str], PairVotes]
    )
    agreement: Agreement = Agreement(None, None, 0)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls took, in seconds.

    Those that took no time are not counted, as of responses that were recorded elsewhere.

    Attributes:
        n: Responses, or ballots; all tries of one count together.
        median: Half took longer.
        low: A tenth took less.
        high: A tenth took longer.
    """

    n: int
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: "array[float]") -> "Latency | None":
        """Return that of some calls, None where there is none."""
        known = sorted(each for each in seconds if each > 0)
        if not known:
            return None

        def quantile(share: float) -> float:
            place = share * (len(known) - 1)
            below = int(place)
            above = min(below + 1, len(known) - 1)
            return known[below] + (place - below) * (known[above] - known[below])

        return cls(len(known), quantile(0.5), quantile(0.1), quantile(0.9))


@dataclass(frozen=True, slots=True)
class CallTimes:
    """How long calls took.

    Attributes:
        responses: Of targets, by the names of the run, the target and the condition.
        ballots: Of jurors, by name, over all rounds.
    """

    responses: Mapping[tuple[str, str, str], Latency] = field(
        default_factory=dict[tuple[str, str, str], Latency]
    )
    ballots: Mapping[str, Latency] = field(default_factory=dict[str, Latency])


class JurorTally:
    """Reads the ballots of runs, and sums them up.

    Args:
        seats: The names of the jurors, in order.
    """

    def __init__(self, seats: Sequence[str]) -> None:
        self._seats = tuple(seats)
        self._splits = Counter[Split]()
        self._unsafe = defaultdict[str, QuerySums](QuerySums)
        self._alike = defaultdict[tuple[str, str], QuerySums](QuerySums)
        self._both = defaultdict[tuple[str, str], Counter[tuple[bool, bool]]](
            Counter[tuple[bool, bool]]
        )
        self._ballots = defaultdict[str, "array[float]"](lambda: array("d"))
        self._responses: dict[tuple[str, str, str], Latency] = {}

    def read(self, run: StoredRun, name: str) -> None:
        """Read the ballots and responses of a run whose record was checked.

        Args:
            run: The run.
            name: Its name on the leaderboard.

        Raises:
            RecordChangedError: Something cannot be read.
        """
        for query, said in run.reader.rounds(_Round):
            for ballot in said.ballots:
                self._ballots[ballot.juror].append(ballot.latency_s)
            if said.round == 0:
                self._add(f"{name}/{query}", said.ballots)
        for (target, condition), seconds in run.reader.pages().latencies().items():
            if (found := Latency.of(seconds)) is not None:
                self._responses[name, target, condition] = found

    def _add(self, query: str, ballots: Sequence[_Ballot]) -> None:
        votes = {
            ballot.juror: ballot.finding is Finding.UNSAFE
            for ballot in ballots
            if ballot.outcome is BallotOutcome.VERDICT and ballot.finding is not None
        }
        if not votes:
            return
        unsafe = sum(votes.values())
        self._splits[Split(unsafe, len(votes) - unsafe)] += 1
        known = [name for name in self._seats if name in votes]
        for name in known:
            self._unsafe[name].add(query, votes[name])
        for pair in combinations(known, 2):
            one, two = votes[pair[0]], votes[pair[1]]
            self._alike[pair].add(query, one is two)
            self._both[pair][one, two] += 1

    def votes(self) -> JurorVotes:
        """Return how jurors voted."""
        return JurorVotes(
            tuple(name for name in self._seats if name in self._unsafe),
            {name: Rate.over(sums.sums()) for name, sums in self._unsafe.items()},
            {
                pair: PairVotes(Rate.over(sums.sums()), _kappa(self._both[pair]))
                for pair, sums in self._alike.items()
            },
            agreement(self._splits),
        )

    def times(self) -> CallTimes:
        """Return how long calls took."""
        found = {name: Latency.of(seconds) for name, seconds in self._ballots.items()}
        known = {name: each for name, each in found.items() if each is not None}
        order = [name for name in self._seats if name in known]
        return CallTimes(self._responses, {name: known[name] for name in order})


def _kappa(both: Counter[tuple[bool, bool]]) -> float | None:
    """Return Cohen's kappa of two jurors by what both said of each case."""
    n = both.total()
    one = (both[True, True] + both[True, False]) / n
    two = (both[True, True] + both[False, True]) / n
    chance = one * two + (1 - one) * (1 - two)
    alike = (both[True, True] + both[False, False]) / n
    return None if chance == 1 else (alike - chance) / (1 - chance)
