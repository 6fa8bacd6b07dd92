"""Sequential voting: stop asking once the rest would hardly ever change the finding."""

from collections.abc import Mapping, Sequence

from ....agents import Ballot, Finding
from ....common import ConfigurationError
from ....common.text import quoted
from .._aggregation import Rule, decide
from .._votes import Decision
from ..card import MIDDLE_RATING, VoteModel
from ._plan import Outlook, Plan, Sight
from ._stepwise import FOUND_SAFE, FOUND_UNSAFE, LOST, NO_VOTE, SAFE, UNSAFE, Vote, stepwise

_FINDINGS = {FOUND_UNSAFE: Finding.UNSAFE, FOUND_SAFE: Finding.SAFE}
_LEAST_SHOWN = 0.0001
_DEAREST = 100
"""As many times what the cheapest ballot counts is what the dearest may."""


class AskBySequence:
    """Asks those who tell most of what all would decide, and stops once that is all but sure.

    Args:
        seats: The seats.
        rule: The rule, already checked, with a jury card.
        bound: Stop when the chance that the rest would change the finding is at most this, in
            [0, 1]; at 0 only where they cannot.
        costs: Mean US dollars of a ballot, by seat; the card's unless given. Where one is not
            known, all cost the same.

    Raises:
        ConfigurationError: The card has no model of the votes of these seats, or the rule reads
            more than counts or the card.
    """

    def __init__(
        self,
        seats: Sequence[str],
        rule: Rule,
        bound: float,
        costs: Mapping[str, float] | None = None,
    ) -> None:
        self._seats, self._rule = tuple(seats), rule
        self._at = {seat: number for number, seat in enumerate(seats)}
        model = _joint_model(rule, seats)
        if costs is None and rule.card is not None:
            costs = rule.card.models.costs
        self._plan = Plan(stepwise(rule, seats), seats, model, bound, _weighed(seats, costs or {}))

    def next(self, case_id: str, ballots: Sequence[Ballot]) -> tuple[str, ...]:
        """See `Asking`: all who would be asked whatever each other says."""
        return tuple(self._seats[seat] for seat in self._plan.wave(self._sight(ballots)))

    def heard(self, cast: Mapping[str, Ballot]) -> list[Ballot]:
        """Return which of the ballots of all seats it would ask for, in turn.

        Waves ask for no more of them in any case, but not always for the same ones: a seat of a
        wave is asked before others that might have been asked first. It ends before a seat that
        has no ballot here.
        """
        sight, ballots = self._plan.start, list[Ballot]()
        while (seat := self._plan.first(sight)) is not None and self._seats[seat] in cast:
            ballots.append(cast[self._seats[seat]])
            sight = self._plan.after(sight, seat, *_said(ballots[-1]))
        return ballots

    def decide(self, ballots: Sequence[Ballot]) -> Decision:
        """See `Asking`: by what all would most likely find, where not all were asked."""
        if len(ballots) >= len(self._seats):
            return decide(ballots, self._rule, seats=len(self._seats))
        sight = self._sight(ballots)
        if not sight.voted:
            return Decision(None, "no juror voted, so that there is nothing to go by")
        outlook = self._plan.outlook(sight)
        return Decision(
            _FINDINGS.get(outlook.likeliest),
            f"stopped after {len(ballots)} of {len(self._seats)}: {_chance(outlook)}",
            self._plan.probability(sight),
        )

    def _sight(self, ballots: Sequence[Ballot]) -> Sight:
        sight = self._plan.start
        # In the order of the seats, so that what was asked first changes nothing.
        for seat, ballot in sorted((self._at[ballot.juror], ballot) for ballot in ballots):
            sight = self._plan.after(sight, seat, *_said(ballot))
        return sight


def _weighed(seats: Sequence[str], costs: Mapping[str, float]) -> dict[str, float] | None:
    """Return what to count for each ballot; a free one still takes the time of a call."""
    if not all(costs.get(seat, -1.0) >= 0 for seat in seats) or not any(costs.values()):
        return None
    least = max(costs[seat] for seat in seats) / _DEAREST
    return {seat: max(costs[seat], least) / least for seat in seats}


def _said(ballot: Ballot) -> tuple[Vote, int | None]:
    """Return the vote of a ballot, and its rating: one in the middle adds as little as none."""
    if ballot.is_vote:
        return UNSAFE if ballot.finding is Finding.UNSAFE else SAFE, ballot.rating or MIDDLE_RATING
    return LOST if ballot.outcome.is_lost else NO_VOTE, None


def _chance(outlook: Outlook) -> str:
    if not outlook.change:
        return "the rest cannot change it"
    least = outlook.change < _LEAST_SHOWN
    chance = f"below {_LEAST_SHOWN:.4f}" if least else f"{outlook.change:.4f}"
    return f"the chance that the rest would change it is {chance}"


def _joint_model(rule: Rule, seats: Sequence[str]) -> VoteModel:
    if rule.card is None:
        raise ConfigurationError(
            "stop: sequential goes by what a jury card says of the jurors' votes: name one as "
            "jury.card, which safejury calibrate writes"
        )
    model = rule.card.models.joint
    if model is None:
        raise ConfigurationError(
            "the jury card has no model of the jurors' joint votes for stop: sequential: make it "
            "with safejury calibrate"
        )
    if missing := [seat for seat in seats if seat not in model.votes]:
        raise ConfigurationError(
            f"the jury card has no votes of {', '.join(map(quoted, missing))} for stop: "
            "sequential: make it with safejury calibrate from a run of this jury"
        )
    return model
