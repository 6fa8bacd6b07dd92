"""The foreperson: presides over a case. It has no vote."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from autogen_core import AgentId, MessageContext, TopicId, rpc

from ...agents import Ballot, BallotCall, Case, Rubric, Statement, statements_for, summarize
from ...common import in_parallel
from ...models import ChatModel, Sampling, Usage
from ..bus import BusAgent
from ._aggregation_verdict import CallTotals, build_verdict, contested, deciding_round
from ._curtailment import fewest_that_may_settle, settled
from ._events import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Notice,
    Published,
    SummedUp,
    VerdictAnnounced,
)
from ._settings import Protocol
from ._verdict import Verdict

TRANSCRIPT = TopicId("transcript", "run")
"""Where the numbered entries are published, for the record and the views."""
PROGRESS = TopicId("progress", "run")
"""Where fleeting notices are published, for a live view."""
SEAT = "seat"
"""The type of the seats on the bus; a seat's key is its name."""


@dataclass(frozen=True, slots=True, repr=False)
class OpenCase:
    """Message: hear this case."""

    case: Case


class Foreperson(BusAgent):
    """Presides: calls ballots, opens discussions, sums up, announces the verdict.

    Stateless between cases: it may preside over thousands at once.

    Args:
        seats: Names of the seats, in the order in which ballots are shown.
        protocol: The settings of the deliberation, already checked.
        model: Model for the summing-up; None leaves it out.
        summing: How its words are drawn; greedy where that says nothing.
        seed: Decides the order in which jurors are asked, where not all are, and read
            each other; the summing-up's as well.
        live: Whether to publish fleeting notices.
        rubric: What jurors judge by, None for the bundled rubric.
    """

    def __init__(
        self,
        seats: Sequence[str],
        protocol: Protocol,
        *,
        model: ChatModel | None = None,
        summing: Sampling | None = None,
        seed: int = 0,
        live: bool = False,
        rubric: Rubric | None = None,
    ) -> None:
        super().__init__("presides over the jury, without a vote")
        self._seats = tuple(seats)
        self._protocol = protocol
        self._model = model
        self._summing = (summing or Sampling()).or_greedy()
        self._seed = seed
        self._live = live
        self._rubric = rubric

    @rpc
    async def preside(self, message: OpenCase, ctx: MessageContext) -> Verdict:
        """Hear one case from opening to verdict: the whole protocol."""
        case = message.case
        sitting = _Sitting(self, case, ctx)
        await sitting.publish(CaseOpened(case.id, sitting.next(), case))

        if not case.is_heard:
            return await sitting.announce(_unheard(case))

        rounds = [await self._independent_ballots(sitting)]
        while (why := self._why_discuss(rounds)) is not None:
            await sitting.publish(DiscussionOpened(case.id, sitting.next(), len(rounds), why))
            rounds.append(await self._revote(sitting, rounds[-1]))

        verdict = self._decide(rounds)
        if self._sums_up(rounds):
            verdict = self._decide(rounds, extra=await self._sum_up(sitting, rounds, verdict))
        return await sitting.announce(verdict)

    async def _independent_ballots(self, sitting: "_Sitting") -> tuple[Ballot, ...]:
        waiting = list(self._seats)
        if self._protocol.stop == "curtailed":
            random.Random(f"{self._seed}/{sitting.case.id}").shuffle(waiting)
        cast_ballots: list[Ballot] = []
        while waiting:
            asked = waiting[: self._fewest_that_may_settle(cast_ballots, len(waiting))]
            del waiting[: len(asked)]
            calls = [BallotCall(sitting.case, 0, rubric=self._rubric) for _ in asked]
            cast_ballots += await sitting.call(asked, calls)
            if self._settled(cast_ballots, len(waiting)):
                break
        return await sitting.reveal(0, self._in_seat_order(cast_ballots), sorted(waiting))

    async def _revote(self, sitting: "_Sitting", before: Sequence[Ballot]) -> tuple[Ballot, ...]:
        number = before[0].round + 1
        calls = [
            BallotCall(
                sitting.case,
                number,
                own,
                self._statements_for(own, before, sitting.case),
                self._rubric,
            )
            for own in before
        ]
        ballots = await sitting.call([own.juror for own in before], calls)
        return await sitting.reveal(number, tuple(ballots), ())

    def _statements_for(
        self, own: Ballot, before: Sequence[Ballot], case: Case
    ) -> tuple[Statement, ...]:
        return statements_for(own.juror, before, case=case, seed=self._seed)

    def _why_discuss(self, rounds: Sequence[Sequence[Ballot]]) -> str | None:
        held, last = len(rounds) - 1, rounds[-1]
        if self._protocol.talk == "never" or held >= self._protocol.rounds:
            return None
        if not any(ballot.is_vote for ballot in last):
            return None  # nobody has anything to say
        if self._protocol.talk == "always" and held == 0:
            return contested(last) or "the protocol always has one"
        return contested(last)

    def _sums_up(self, rounds: Sequence[Sequence[Ballot]]) -> bool:
        if self._model is None or self._protocol.summary == "never":
            return False
        return self._protocol.summary == "always" or len(rounds) > 1

    async def _sum_up(
        self, sitting: "_Sitting", rounds: Sequence[Sequence[Ballot]], verdict: Verdict
    ) -> CallTotals:
        assert self._model is not None
        finding = verdict.finding or "no verdict"
        decided = deciding_round(rounds, self._protocol.rule, seats=len(self._seats))
        summary = await summarize(
            sitting.case,
            rounds[decided],
            f"The jury's verdict: {finding}.",
            self._model,
            sampling=self._summing,
            seed=self._seed,
        )
        await sitting.publish(
            SummedUp(sitting.case.id, sitting.next(), summary.text, summary.detail)
        )
        done = summary.completion
        return (
            CallTotals() if done is None else CallTotals(done.usage, done.cost_usd, done.attempts)
        )

    def _decide(
        self, rounds: Sequence[Sequence[Ballot]], extra: CallTotals | None = None
    ) -> Verdict:
        return build_verdict(rounds, self._protocol.rule, seats=len(self._seats), extra=extra)

    def _settled(self, ballots: Sequence[Ballot], remaining: int) -> bool:
        if self._protocol.stop != "curtailed":
            return remaining == 0
        if self._protocol.talk != "never" and contested(ballots) is not None:
            return False
        return settled(ballots, remaining, self._protocol.rule)

    def _fewest_that_may_settle(self, ballots: Sequence[Ballot], remaining: int) -> int:
        """Return how many more jurors to ask at once: no fewer could settle the outcome."""
        if self._protocol.stop != "curtailed":
            return remaining
        if self._protocol.talk != "never" and ballots and contested(ballots) is not None:
            return remaining
        return fewest_that_may_settle(ballots, remaining, self._protocol.rule)

    def _in_seat_order(self, ballots: Sequence[Ballot]) -> tuple[Ballot, ...]:
        return tuple(sorted(ballots, key=lambda ballot: self._seats.index(ballot.juror)))


class _Sitting:
    """One case while it is heard: numbers its entries and talks to the bus."""

    def __init__(self, foreperson: Foreperson, case: Case, ctx: MessageContext) -> None:
        self._foreperson = foreperson
        self._token = ctx.cancellation_token
        self._number = -1
        self.case = case

    def next(self) -> int:
        """Return the number of the next entry, from 0."""
        self._number += 1
        return self._number

    async def publish(self, entry: Entry) -> None:
        await self._foreperson.publish_message(Published(entry), TRANSCRIPT)

    async def call(self, seats: Sequence[str], calls: Sequence[BallotCall]) -> list[Ballot]:
        """Call ballots of several seats at once; return them in the given order."""
        return await in_parallel(
            self._call_one(seat, call) for seat, call in zip(seats, calls, strict=True)
        )

    async def _call_one(self, seat: str, call: BallotCall) -> Ballot:
        await self._notify(BallotCalled(self.case.id, call.round, seat))
        ballot = await self._foreperson.ask(call, AgentId(SEAT, seat), Ballot, self._token)
        used = (ballot.usage, ballot.cost_usd, ballot.calls)
        await self._notify(BallotSealed(self.case.id, call.round, seat, *used))
        return ballot

    async def reveal(
        self, number: int, ballots: tuple[Ballot, ...], not_asked: Sequence[str]
    ) -> tuple[Ballot, ...]:
        seals = tuple(ballot.seal() for ballot in ballots)
        await self.publish(
            BallotsRevealed(self.case.id, self.next(), number, ballots, seals, tuple(not_asked))
        )
        return ballots

    async def announce(self, verdict: Verdict) -> Verdict:
        await self.publish(VerdictAnnounced(self.case.id, self.next(), verdict))
        return verdict

    async def _notify(self, notice: Notice) -> None:
        if self._foreperson._live:  # pyright: ignore[reportPrivateUsage]
            await self._foreperson.publish_message(Published(notice), PROGRESS)


def _unheard(case: Case) -> Verdict:
    outcome = case.response.outcome
    return Verdict(
        None,
        reason=f"the response was not heard: {outcome}"
        + (f" ({case.response.detail})" if case.response.detail else ""),
        rounds=0,
        usage=Usage(0, 0, 0),
        cost_usd=0.0,
    )
