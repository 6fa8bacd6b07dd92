"""Whom to ask next, and when to stop: a plan from a model of what the jurors vote together."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev

from ..card import VoteModel, probability_at
from ._stepwise import (
    FOUND_SAFE,
    FOUND_UNSAFE,
    LOST,
    NO_VERDICT,
    SAFE,
    UNCLEAR,
    UNSAFE,
    VOTES,
    Outcome,
    StepwiseRule,
    Vote,
)

_LEAST = 1e-6  # no vote is impossible, whatever the model saw
_TOGETHER, _OF_MORE = 7, 5  # seats planned for together: 3 to the power of this many states
_WAVE = 4  # seats of a wave at most: each more makes it four times as dear to find
_MOST_STATES = 300_000  # of these the plan forgets all, so that ratings do not fill the memory
_SAVES = 0.01  # a seat goes before earlier ones where it saves this much: like ones keep one order

Chances = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a case once some seats were asked.

    Attributes:
        rest: Seats not asked, a bit each.
        said: What the others said, three bits each.
        state: What the rule needs to know of it.
        belief: For each class of the model, its share times the chance of what was said.
        voted: Whether anybody voted.
    """

    rest: int
    said: int
    state: Hashable
    belief: Chances
    voted: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What asking the rest would bring, as the model has it.

    Attributes:
        likeliest: The likeliest outcome: unsafe, safe or no verdict.
        change: The chance of another one, 0 to 1; exactly 0 where none is possible.
    """

    likeliest: Outcome
    change: float


class Plan:
    """Whom to ask next, and when to stop.

    A state is expanded when it is first needed, and kept: thousands of cases need a few hundred.

    Args:
        rule: The rule.
        seats: The seats, all of which the model must know.
        model: Of their joint votes.
        bound: Stop when the chance that the rest would change the finding is at most this;
            at 0 only where they cannot.
        costs: Of asking each seat, above 0, in any unit; missing ones are 1.
    """

    def __init__(
        self,
        rule: StepwiseRule,
        seats: Sequence[str],
        model: VoteModel,
        bound: float,
        costs: Mapping[str, float] | None = None,
    ) -> None:
        self._rule, self._bound = rule, bound
        self._shares = tuple(model.classes)
        self._chances = [_by_vote(model.votes[seat]) for seat in seats]
        self._costs = [1.0 if costs is None else costs.get(seat, 1.0) for seat in seats]
        self._cheapest = min(self._costs)
        worth = [
            rule.weight(seat) * pstdev(self._chances[seat][UNSAFE]) / self._costs[seat]
            for seat in range(len(seats))
        ]
        self._order = sorted(range(len(seats)), key=lambda seat: (-worth[seat], seat))
        size = _TOGETHER if len(seats) <= _TOGETHER else _OF_MORE
        self._blocks = [
            sum(1 << seat for seat in self._order[at : at + size])
            for at in range(0, len(seats), size)
        ]
        full = (1 << len(seats)) - 1
        self.start = Sight(full, 0, rule.start, self._shares, voted=False)
        """Before anybody is asked."""
        self._means: dict[tuple[int, Hashable], Chances] = {}
        self._ahead: dict[tuple[int, Hashable], Chances] = {}
        self._outlooks: dict[tuple[int, int, Hashable], Outlook] = {}
        self._planned: dict[tuple[int, int, Hashable], tuple[float, int | None]] = {}

    def after(self, sight: Sight, seat: int, vote: Vote, rating: int | None = None) -> Sight:
        """Return what is known once one more seat was asked.

        Args:
            sight: What is known before.
            seat: The seat, by number.
            vote: What came of it.
            rating: The rating of a vote, where that is known.
        """
        belief = sight.belief
        if vote != LOST:  # a ballot that was lost says nothing of the case
            belief = tuple(x * y for x, y in zip(belief, self._chances[seat][vote], strict=True))
        return Sight(
            sight.rest & ~(1 << seat),
            sight.said | (vote + 1) << 3 * seat,
            self._rule.after(sight.state, seat, vote, rating),
            belief,
            sight.voted or vote <= SAFE,
        )

    def stops(self, sight: Sight) -> bool:
        """Return whether nobody else is asked: never with a finding that no vote is behind."""
        if not sight.rest:
            return True
        fixed = self._rule.outcome(sight.state, sight.rest)
        if fixed is not None:
            return fixed == NO_VERDICT or sight.voted
        if not sight.voted or not self._bound:
            return False
        return self.outlook(sight).change <= self._bound

    def outlook(self, sight: Sight) -> Outlook:
        """Return the likeliest outcome, and the exact chance of another one."""
        key = sight.said, sight.rest, sight.state
        if (known := self._outlooks.get(key)) is not None:
            return known
        fixed = self._rule.outcome(sight.state, sight.rest)
        if fixed is not None and fixed != UNCLEAR:
            found = Outlook(fixed, 0.0)
        else:
            ahead, total = self._outcomes(sight.rest, sight.state), sum(sight.belief)
            count = len(sight.belief)
            chances = [
                sum(map(float.__mul__, sight.belief, ahead[at : at + count])) / total
                for at in range(0, 3 * count, count)
            ]
            likeliest = max((FOUND_UNSAFE, FOUND_SAFE, NO_VERDICT), key=chances.__getitem__)
            found = Outlook(likeliest, max(0.0, 1.0 - chances[likeliest]))
        self._outlooks[key] = found
        return found

    def _outcomes(self, rest: int, state: Hashable) -> Chances:
        """Return the chances of unsafe, of safe and of no verdict, each for all classes."""
        known = self._ahead.get((rest, state))
        if known is not None:
            return known
        outcome = self._rule.outcome(state, rest)
        if outcome is not None:
            count = len(self._shares)
            found = tuple(float(at == outcome) for at in range(3) for _ in range(count))
        else:
            seat = next(self._in(rest))
            ways = [
                (
                    self._outcomes(rest & ~(1 << seat), self._rule.after(state, seat, vote)),
                    self._chances[seat][vote] * 3,
                )
                for vote in VOTES
            ]
            (a, p), (b, q), (c, r) = ways
            found = tuple(
                x * i + y * j + z * k for x, i, y, j, z, k in zip(a, p, b, q, c, r, strict=True)
            )
        self._ahead[rest, state] = found
        return found

    def probability(self, sight: Sight) -> float | None:
        """Return the mean of the probabilities of unsafe that asking the rest would lead to.

        None where the rule has none, or a ballot was lost.
        """
        said = (sight.said >> 3 * seat & 7 for seat in range(len(self._chances)))
        if self._rule.log_odds(sight.state) is None or LOST + 1 in said:
            return None
        means = self._means_of(sight.rest, sight.state)
        # Rounding makes a mean of probabilities of 1 a little more than 1.
        return min(1.0, sum(map(float.__mul__, sight.belief, means)) / sum(sight.belief))

    def _means_of(self, rest: int, state: Hashable) -> Chances:
        """Return the mean probability of unsafe once all were asked, for each class."""
        known = self._means.get((rest, state))
        if known is not None:
            return known
        if not rest:
            found = (probability_at(self._rule.log_odds(state) or 0.0),) * len(self._shares)
        else:
            seat = next(self._in(rest))
            ways = [
                self._means_of(rest & ~(1 << seat), self._rule.after(state, seat, vote))
                for vote in VOTES
            ]
            rows = zip(*ways, *self._chances[seat], strict=True)
            found = tuple(a * p + b * q + c * r for a, b, c, p, q, r in rows)
        self._means[rest, state] = found
        return found

    def wave(self, sight: Sight) -> tuple[int, ...]:
        """Return the seats to ask next: all that are asked whatever each other says.

        Asking them at once costs no call that asking one by one would save, from the first on.
        None: stop.
        """
        kept = (self._planned, self._outlooks, self._ahead, self._means)
        if sum(map(len, kept)) > _MOST_STATES:
            for states in kept:
                states.clear()
        certain = self._certain(sight, sight.rest, _WAVE)
        first = self.first(sight)
        return tuple(sorted(self._in(certain), key=lambda seat: seat != first))

    def first(self, sight: Sight) -> int | None:
        """Return whom to ask next, where one is asked after the other; None to stop."""
        return self._best(sight, self._block_of(sight.rest))[1]

    def _certain(self, sight: Sight, among: int, most: int) -> int:
        """Return the seats, of some, that are asked in any case; the next one always."""
        seat = self.first(sight)
        if seat is None:
            return 0
        among &= ~(1 << seat)
        for vote in (*VOTES, LOST):
            if not among or most <= 1:
                return 1 << seat
            among &= self._certain(self.after(sight, seat, vote), among, most - 1)
        return 1 << seat | among

    def _block_of(self, rest: int) -> int:
        return next((block for block in self._blocks if block & rest), 0)

    def _best(self, sight: Sight, block: int) -> tuple[float, int | None]:
        """Return what it costs to go on from here, and whom to ask, None to stop.

        Costs are those of the best plan for votes of either finding: a ballot that is none counts
        as asked in vain. Seats after the block count as asked, which only very large juries have.
        """
        key = sight.said, sight.rest, sight.state
        if (known := self._planned.get(key)) is not None:
            return known
        if self.stops(sight):
            self._planned[key] = found = (0.0, None)
            return found
        if not sight.rest & block:
            return sum(self._costs[seat] for seat in self._in(sight.rest)), None
        least, best = float("inf"), None
        for seat in self._in(sight.rest & block):
            enough = least * (1 - _SAVES)
            cost = self._cost(sight, seat, block, enough)
            if cost < enough:
                least, best = cost, seat
        self._planned[key] = least, best
        return least, best

    def _cost(self, sight: Sight, seat: int, block: int, enough: float) -> float:
        """Return what it costs to ask a seat and go on; `enough` or more where it is no less."""
        total, (unsafe, safe, _) = sum(sight.belief), self._chances[seat]
        weights = [sum(map(float.__mul__, sight.belief, vote)) / total for vote in (unsafe, safe)]
        votes = sum(weights)
        children = (self.after(sight, seat, UNSAFE), self.after(sight, seat, SAFE))
        ways = [
            (weight / votes, after)
            for weight, after in zip(weights, children, strict=True)
            if not self.stops(after)
        ]
        # Wherever it goes on, at least one more seat is asked.
        cost = self._costs[seat] / votes + sum(weight for weight, _ in ways) * self._cheapest
        for weight, after in ways:
            if cost >= enough:
                break
            cost += weight * (self._best(after, block)[0] - self._cheapest)
        return cost

    def _in(self, seats: int) -> Iterator[int]:
        return (seat for seat in self._order if seats >> seat & 1)


def _by_vote(classes: Sequence[Sequence[float]]) -> tuple[Chances, Chances, Chances]:
    """Return the chances of each vote, in all classes, none of them 0."""
    floored = [[max(chance, _LEAST) for chance in chances] for chances in classes]
    unsafe, safe, none = zip(*([x / sum(one) for x in one] for one in floored), strict=True)
    return unsafe, safe, none
