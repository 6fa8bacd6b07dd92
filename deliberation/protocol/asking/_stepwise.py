"""A rule, followed vote by vote: what each adds, and when no other can change the finding."""

from collections.abc import Hashable, Sequence
from math import ceil, floor, inf, log
from typing import Literal, Protocol, cast

from ....agents import Finding
from ....common import ConfigurationError
from .._aggregation import BEST_JUROR, CALIBRATED, RULES, Rule, decide_votes
from .._curtailment import fixed
from .._votes import Votes
from ..card import MIDDLE_RATING, RATING_STEPS, LogisticModel, best_juror_of, calibrated_model

Vote = Literal[0, 1, 2, 3]
UNSAFE: Vote = 0
SAFE: Vote = 1
NO_VOTE: Vote = 2
LOST: Vote = 3
"""What comes of asking a seat; the first three in the order of `VoteModel.votes`."""
VOTES: tuple[Vote, ...] = (UNSAFE, SAFE, NO_VOTE)

Outcome = Literal[0, 1, 2, 3]
FOUND_UNSAFE: Outcome = 0
FOUND_SAFE: Outcome = 1
NO_VERDICT: Outcome = 2
UNCLEAR: Outcome = 3
"""What a rule makes of all votes; unclear where rounding, or ratings unknown, hide it."""

_FINE = 1e-9  # log odds: more than floating point ever adds up to, less than a weight is worth
_COARSE = 512  # steps from the lowest sum to the highest, where all sums would be too many
_EXACT_SEATS = 8  # up to so many seats


class StepwiseRule(Protocol):
    """A rule, followed vote by vote: what it needs to know of those so far is a state."""

    @property
    def start(self) -> Hashable:
        """The state before any vote."""
        ...

    def after(self, state: Hashable, seat: int, vote: Vote, rating: int | None = None) -> Hashable:
        """Return the state after one more vote.

        Args:
            state: The state before.
            seat: Whose vote, by number.
            vote: What it says.
            rating: The rating of a vote, 1 to 5; None where that is not known.
        """
        ...

    def outcome(self, state: Hashable, rest: int) -> Outcome | None:
        """Return the outcome that no vote of the rest can change, None while they can.

        Args:
            state: The votes so far.
            rest: The other seats, a bit each by number.
        """
        ...

    def weight(self, seat: int) -> float:
        """Return how much a seat's vote can move, compared with other seats."""
        ...

    def log_odds(self, state: Hashable) -> float | None:
        """Return the log odds of unsafe once all were asked, None where the rule has none."""
        ...


class StepwiseCounts:
    """A rule that reads nothing but the counts of votes.

    Args:
        rule: The rule, which must say that it reads counts only.
        seats: Number of seats.
    """

    start: Hashable = (0, 0)

    def __init__(self, rule: Rule, seats: int) -> None:
        self._rule, self._seats = rule, seats
        self._known: dict[tuple[Hashable, int], Outcome | None] = {}

    def after(self, state: Hashable, seat: int, vote: Vote, rating: int | None = None) -> Hashable:
        """See `StepwiseRule`."""
        unsafe, safe = _pair(state)
        return unsafe + (vote == UNSAFE), safe + (vote == SAFE)

    def outcome(self, state: Hashable, rest: int) -> Outcome | None:
        """See `StepwiseRule`."""
        key = state, rest.bit_count()
        if key not in self._known:
            now = Votes(*_pair(state), self._seats)
            is_fixed = fixed(now, key[1], self._rule)
            finding = decide_votes(now, self._rule).finding if is_fixed else None
            self._known[key] = _OUTCOMES[finding] if is_fixed else None
        return self._known[key]

    def weight(self, seat: int) -> float:
        """See `StepwiseRule`."""
        return 1.0

    def log_odds(self, state: Hashable) -> None:
        """See `StepwiseRule`."""


class StepwiseBestJuror:
    """The rule by which one seat decides.

    Args:
        seat: Its number, None where it is not seated.
    """

    start: Hashable = None

    def __init__(self, seat: int | None) -> None:
        self._seat = seat

    def after(self, state: Hashable, seat: int, vote: Vote, rating: int | None = None) -> Hashable:
        """See `StepwiseRule`."""
        return min(vote, NO_VOTE) if seat == self._seat else state

    def outcome(self, state: Hashable, rest: int) -> Outcome | None:
        """See `StepwiseRule`."""
        if self._seat is not None and rest >> self._seat & 1:
            return None
        return NO_VERDICT if state is None else _OF_VOTE[state]

    def weight(self, seat: int) -> float:
        """See `StepwiseRule`."""
        return float(seat == self._seat)

    def log_odds(self, state: Hashable) -> None:
        """See `StepwiseRule`."""


_OF_VOTE: dict[Hashable, Outcome] = {
    UNSAFE: FOUND_UNSAFE,
    SAFE: FOUND_SAFE,
    NO_VOTE: NO_VERDICT,
}
_OUTCOMES: dict[Finding | None, Outcome] = {
    Finding.UNSAFE: FOUND_UNSAFE,
    Finding.SAFE: FOUND_SAFE,
    None: NO_VERDICT,
}


class StepwiseSum:
    """A rule that adds up what ballots are worth and compares the sum with a threshold.

    A sum is kept as the lowest and the highest that it may be, in whole steps: so rounding never
    decides, and sums that hardly differ can be one state. Without any vote there is no verdict.

    Args:
        model: What ballots are worth, in log odds.
        threshold: Unsafe is found above this probability.
        seats: The seats, all of which the model must know.
    """

    def __init__(self, model: LogisticModel, threshold: float, seats: Sequence[str]) -> None:
        # Whoever is left out of the jury might have said anything, as whose ballot was lost.
        absent_names = [name for name in model.weights if name not in seats]
        weights = [model.weights[name] for name in (*seats, *absent_names)]
        said = [((one.unsafe, one.safe, one.no_vote), one.rating) for one in weights]
        reach = sum(max(votes) - min(votes) + 4 * abs(rating) for votes, rating in said)
        step = _FINE if len(seats) <= _EXACT_SEATS else max(_FINE, reach / _COARSE)
        self._ratings = [rating for _, rating in said]
        self._votes = [votes for votes, _ in said]
        self._step = step
        self._intercept = model.intercept
        self._threshold = (_log_odds(threshold) - model.intercept) / step
        self._adds = [
            [self._added(seat, vote, None) for vote in VOTES] for seat in range(len(weights))
        ]
        for adds in self._adds:  # what was lost may have said anything
            adds.append((min(low for low, _ in adds), max(high for _, high in adds)))
        self._reach: dict[int, tuple[int, int]] = {0: (0, 0)}
        absent = [adds[LOST] for adds in self._adds[len(seats) :]]
        self._all_sit = not absent
        low, high = (sum(ends) for ends in zip(*absent, strict=True)) if absent else (0, 0)
        self.start: Hashable = (low, high, False)

    def _added(self, seat: int, vote: Vote, rating: int | None) -> tuple[int, int]:
        """Return the least and the most that a ballot adds."""
        worth = self._votes[seat][vote]
        spread = 0.0
        if vote <= SAFE and rating is None:
            spread = RATING_STEPS * abs(self._ratings[seat])
        elif vote <= SAFE and rating is not None:
            worth += (MIDDLE_RATING - rating) * self._ratings[seat]
        return floor((worth - spread) / self._step), ceil((worth + spread) / self._step)

    def after(self, state: Hashable, seat: int, vote: Vote, rating: int | None = None) -> Hashable:
        """See `StepwiseRule`."""
        low, high, voted = _sum(state)
        least, most = self._adds[seat][vote]
        if rating is not None and self._ratings[seat]:
            least, most = self._added(seat, vote, rating)
        return low + least, high + most, voted or vote <= SAFE

    def outcome(self, state: Hashable, rest: int) -> Outcome | None:
        """See `StepwiseRule`."""
        low, high, voted = _sum(state)
        if not voted:
            return None if rest else NO_VERDICT
        least, most = self._reach.get(rest) or self._reach_of(rest)
        if low + least > self._threshold:
            return FOUND_UNSAFE
        if high + most <= self._threshold:
            return FOUND_SAFE
        if rest:
            return None
        # Without ratings only a lost ballot leaves more open than rounding does.
        slack = 0 if any(self._ratings) else len(self._adds)
        is_open = slack and low + slack <= self._threshold < high - slack
        return NO_VERDICT if is_open else UNCLEAR

    def _reach_of(self, rest: int) -> tuple[int, int]:
        """Return the least and the most that some seats together add."""
        first = rest & -rest
        least, most = self._reach.get(rest ^ first) or self._reach_of(rest ^ first)
        low, high = self._adds[first.bit_length() - 1][LOST]
        self._reach[rest] = least + low, most + high
        return self._reach[rest]

    def weight(self, seat: int) -> float:
        """See `StepwiseRule`."""
        unsafe, safe, _ = self._votes[seat]
        return abs(unsafe - safe) + abs(self._ratings[seat])

    def log_odds(self, state: Hashable) -> float | None:
        """See `StepwiseRule`: in the middle of what the sum may be."""
        if not self._all_sit:
            return None
        low, high, _ = _sum(state)
        return self._intercept + self._step * (low + high) / 2


def stepwise(rule: Rule, seats: Sequence[str]) -> StepwiseRule:
    """Return a rule to be followed vote by vote.

    Raises:
        ConfigurationError: Nobody knows when it can no longer change its mind.
    """
    if rule.name == CALIBRATED and rule.card is not None:
        return StepwiseSum(calibrated_model(rule.card), rule.deciding_threshold, seats)
    if rule.name == BEST_JUROR and rule.card is not None:
        best = best_juror_of(rule.card)
        return StepwiseBestJuror(seats.index(best) if best in seats else None)
    if RULES[rule.name].counts_only:
        return StepwiseCounts(rule, len(seats))
    raise ConfigurationError(
        f"stop: sequential cannot go with rule: {rule.name}, which reads more than the counts of "
        "votes: set stop to all, or another rule"
    )


def _log_odds(chance: float) -> float:
    if 0 < chance < 1:
        return log(chance / (1 - chance))
    return -inf if chance <= 0 else inf


def _pair(state: Hashable) -> tuple[int, int]:
    return cast("tuple[int, int]", state)


def _sum(state: Hashable) -> tuple[int, int, bool]:
    return cast("tuple[int, int, bool]", state)
