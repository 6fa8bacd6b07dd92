"""The foreperson: presides over a case. It has no vote, unless the rule is its own decision."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...agents import (
    Ballot,
    BallotCall,
    Case,
    Conversation,
    Finding,
    Remark,
    RemarkCall,
    Rubric,
    Summary,
    decide_by_reading,
    summarize,
)
from ...models import ChatModel, Sampling, Usage
from ...targets import plain_detail
from ._aggregation_verdict import (
    CallTotals,
    build_verdict,
    deciding_round,
    totals_of,
)
from ._decision import as_decided
from ._discussion import why_discuss
from ._events import DiscussionOpened, SummedUp
from ._hearing import aliases_for
from ._roundtable import hold_roundtable
from ._settings import Protocol
from ._sitting import Floor, Sitting
from ._talk_audit import AuditSettings, TalkAudit, audit_talk
from ._verdict import Verdict
from .asking import asking_of


class Foreperson:
    """Presides: calls ballots, opens discussions, sums up, announces the verdict.

    Stateless between cases: it may preside over thousands at once.

    Args:
        seats: Names of the seats, in the order in which ballots are shown.
        protocol: The settings of the deliberation, already checked.
        model: Model for the summing-up, None leaves it out; and for the decision, where the
            rule is `foreperson`.
        summing: How its words are drawn; greedy where that says nothing.
        seed: Decides the order in which jurors are asked, where not all are, and read
            each other; the summing-up's as well.
        rubric: What jurors judge by, None for the bundled rubric.
        standing: Seats whose ballots of round 0 stand in every later round: guards, which
            hear nobody, do not speak and are not asked again.
        quotes: Whether jurors are asked for the words that they rely on.
        max_tokens: Cap on the tokens of its decision.

    Raises:
        ConfigurationError: It is to decide, and has no model; or to stop early, and the jury card
            does not know the seats.
    """

    def __init__(
        self,
        seats: Sequence[str],
        protocol: Protocol,
        *,
        model: ChatModel | None = None,
        summing: Sampling | None = None,
        seed: int = 0,
        rubric: Rubric | None = None,
        standing: Collection[str] = (),
        quotes: bool = True,
        max_tokens: int = 512,
    ) -> None:
        self._seats = tuple(seats)
        self._standing = frozenset(standing)
        self._protocol = protocol
        self._asking = asking_of(protocol, seats, seed=seed)
        self._model = model
        self._summing = (summing or Sampling()).or_greedy()
        self._seed = seed
        self._rubric = rubric
        self._quotes = quotes
        self._max_tokens = max_tokens

    @property
    def hearing(self) -> tuple[str, ...]:
        """The seats that hear the others, and speak."""
        return tuple(seat for seat in self._seats if seat not in self._standing)

    async def preside(self, case: Case, floor: Floor) -> Verdict:
        """Hear one case from opening to verdict: the whole protocol.

        Args:
            case: The case.
            floor: Reaches the seats and whoever follows the transcript.
        """
        sitting = Sitting(case, floor, seed=self._seed)
        try:
            return await self._hear(sitting)
        finally:
            sitting.close()

    async def audit(self, audit: TalkAudit, floor: Floor) -> bool:
        """Let jurors vote again on a case that they discussed; see `audit_talk`."""
        at_roundtable = self._protocol.talk == "roundtable"
        said = (self._seed, self._rubric, self._quotes)
        return await audit_talk(
            audit, floor, AuditSettings(self._seats, self._standing, at_roundtable, *said)
        )

    async def _hear(self, sitting: Sitting) -> Verdict:
        case = sitting.case
        await sitting.open()

        if not case.is_heard:
            return await sitting.announce(_unheard(case))

        rounds, remarks = [await self._independent_ballots(sitting)], list[Remark]()
        while (why := self._why_discuss(rounds)) is not None:
            await sitting.publish(DiscussionOpened(case.id, sitting.next(), len(rounds), why))
            await sitting.let_hear(rounds[-1], len(rounds) - 1, self._aliases(case))
            if self._protocol.talk == "roundtable":
                remarks += await self._roundtable(sitting, len(rounds))
            rounds.append(await self._revote(sitting, len(rounds), rounds[-1]))

        return await sitting.announce(await self._conclude(sitting, rounds, remarks))

    async def _independent_ballots(self, sitting: Sitting) -> tuple[Ballot, ...]:
        cast_ballots: list[Ballot] = []
        while asked := self._asking.next(sitting.case.id, cast_ballots):
            call = BallotCall(sitting.case, 0, rubric=self._rubric, quotes=self._quotes)
            cast_ballots += await sitting.call(asked, [call for _ in asked])
        left_out = set(self._seats).difference(ballot.juror for ballot in cast_ballots)
        return await sitting.reveal(0, self._in_seat_order(cast_ballots), sorted(left_out))

    def _why_discuss(self, rounds: Sequence[Sequence[Ballot]]) -> str | None:
        return why_discuss(rounds, self._protocol, self._standing, seats=len(self._seats))

    def _aliases(self, case: Case) -> dict[str, str]:
        return aliases_for(self._seats, case_id=case.id, seed=self._seed)

    async def _roundtable(self, sitting: Sitting, number: int) -> list[Remark]:
        call = RemarkCall(sitting.case, number, 0, Conversation("", ()), self._rubric, self._quotes)
        turns = self._protocol.turns
        return await hold_roundtable(sitting, self.hearing, turns=turns, call=call, seed=self._seed)

    async def _revote(
        self, sitting: Sitting, number: int, before: Sequence[Ballot]
    ) -> tuple[Ballot, ...]:
        asked = [own for own in before if own.juror not in self._standing]
        calls = [
            BallotCall(sitting.case, number, own, rubric=self._rubric, quotes=self._quotes)
            for own in asked
        ]
        seats, at_roundtable = [own.juror for own in asked], self._protocol.talk == "roundtable"
        ballots = await sitting.call(seats, calls, at_roundtable=at_roundtable)
        ballots += [own for own in before if own.juror in self._standing]
        return await sitting.reveal(number, self._in_seat_order(ballots), ())

    def _sums_up(self, rounds: Sequence[Sequence[Ballot]]) -> bool:
        if self._model is None or self._protocol.summary == "never":
            return False
        return self._protocol.summary == "always" or len(rounds) > 1

    async def _conclude(
        self, sitting: Sitting, rounds: Sequence[Sequence[Ballot]], remarks: Sequence[Remark]
    ) -> Verdict:
        rule, seats, decided = self._protocol.rule, len(self._seats), self._asking.decide
        last, decision, sums_up = rounds[-1], None, self._sums_up(rounds)
        if sums_up or self._protocol.foreperson_decides:
            last = rounds[deciding_round(rounds, rule, seats=seats, decided=decided)]
            decision = await self._own_decision(sitting.case, last)
        used = totals_of((*remarks, decision) if decision else remarks)

        def verdict(used: CallTotals, *, dropped: bool = False) -> Verdict:
            made = build_verdict(
                rounds, rule, seats=seats, extra=used, remarks=remarks, decided=decided
            )
            if self._protocol.foreperson_decides:
                made = as_decided(made, decision, last)
            return replace(made, summary_dropped=True) if dropped else made

        if not sums_up:
            return verdict(used)
        summary = await self._sum_up(sitting, last, verdict(used).finding)
        done = summary.completion
        if done is not None:
            used += CallTotals(done.usage, done.cost_usd, done.attempts)
        return verdict(used, dropped=summary.dropped)

    async def _own_decision(self, case: Case, ballots: Sequence[Ballot]) -> Ballot | None:
        """Return the foreperson's decision, None where it has none to make, or nothing to read."""
        if not self._protocol.foreperson_decides or not any(b.is_vote for b in ballots):
            return None
        assert self._model is not None, "checked when the jury was made"
        return await decide_by_reading(
            case,
            ballots,
            self._model,
            sampling=self._summing,
            seed=self._seed,
            max_tokens=self._max_tokens,
        )

    async def _sum_up(
        self, sitting: Sitting, ballots: Sequence[Ballot], finding: Finding | None
    ) -> Summary:
        assert self._model is not None
        summary = await summarize(
            sitting.case,
            ballots,
            f"The jury's verdict: {finding or 'no verdict'}.",
            self._model,
            finding=finding,
            seats=len(self._seats),
            sampling=self._summing,
            seed=self._seed,
        )
        await sitting.publish(
            SummedUp(sitting.case.id, sitting.next(), summary.text, summary.detail)
        )
        return summary

    def _in_seat_order(self, ballots: Sequence[Ballot]) -> tuple[Ballot, ...]:
        return tuple(sorted(ballots, key=lambda ballot: self._seats.index(ballot.juror)))


def _unheard(case: Case) -> Verdict:
    outcome, detail = case.response.outcome, plain_detail(case.response)
    return Verdict(
        None,
        reason=f"the response was not heard: {outcome}" + (f" ({detail})" if detail else ""),
        rounds=0,
        usage=Usage(0, 0, 0),
        cost_usd=0.0,
    )
