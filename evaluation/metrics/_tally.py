"""Counts all cases of one target and sums them up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...agents import BallotOutcome, Finding, RemarkOutcome
from ...targets import ResponseOutcome
from ..trials import CaseResult, PlannedCases, reported_name
from ._agreement import Split, agreement
from ._cost_summary import Estimated
from ._counts import (
    MOST_KINDS,
    Alike,
    Counts,
    QueryCounts,
    attack_success,
    breakdown,
    category_of,
    kind_of,
    safety_index,
)
from ._grouping import Grouping
from ._guards import GuardTally
from ._presiding import ForepersonFigures, presiding
from ._summary import (
    Breakdown,
    FlipCounts,
    Group,
    JurorBallots,
    Outcomes,
    TargetSummary,
    TokenCounts,
    Tokens,
)

NO_VERDICT = "no_verdict"
_BALLOT_KINDS = (*Finding, *(kind for kind in BallotOutcome if kind is not BallotOutcome.VERDICT))


@dataclass(slots=True)
class _Charges:
    """Sums calls, tokens and cost. The cost of a case without a call is known to be 0."""

    calls: int = 0
    known: Counter[str] = field(default_factory=Counter[str])
    unknown: Counter[str] = field(default_factory=Counter[str])
    cost: float = 0.0
    cost_unknown: int = 0

    def add(self, result: CaseResult) -> None:
        self.calls += result.calls
        usage = result.usage
        self._add_tokens("prompt", usage.prompt_tokens, result.calls)
        self._add_tokens("cached", usage.cached_tokens, result.calls)
        self._add_tokens("completion", usage.completion_tokens, result.calls)
        self.cost += result.cost_usd_known or result.cost_usd or 0.0
        self.cost_unknown += result.cost_usd is None and result.calls > 0

    def _add_tokens(self, kind: str, tokens: int | None, calls: int) -> None:
        self.known[kind] += tokens or 0
        self.unknown[kind] += tokens is None and calls > 0

    @property
    def cost_known(self) -> float:
        """US dollars, without the last digits that depend on the order of adding."""
        return round(self.cost, 12)

    def tokens(self) -> Tokens:
        def total(kind: str) -> int | None:
            return None if self.unknown[kind] else self.known[kind]

        return Tokens(
            prompt=total("prompt"),
            cached=total("cached"),
            completion=total("completion"),
            known=_token_counts(self.known),
            unknown=_token_counts(self.unknown),
        )


def _token_counts(counts: Counter[str]) -> TokenCounts:
    return TokenCounts(counts["prompt"], counts["cached"], counts["completion"])


@dataclass(slots=True)
class _Deliberation:
    """Counts the round-0 votes and the effect of deliberation."""

    to_unsafe: int = 0
    to_safe: int = 0
    verdicts_changed: int = 0
    discussed: int = 0
    splits: Counter[Split] = field(default_factory=Counter[Split])
    talk: Counter[str] = field(default_factory=Counter[str])

    def add(self, result: CaseResult, cases: int) -> None:
        split = Split(
            result.initial_votes.get(Finding.UNSAFE, 0), result.initial_votes.get(Finding.SAFE, 0)
        )
        if split.votes:
            self.splits[split] += cases
        self.to_unsafe += cases * result.flips.to_unsafe
        self.to_safe += cases * result.flips.to_safe
        self.discussed += cases * (result.rounds > 1)
        _update(self.talk, result.talk, cases)
        # What talk changed: the foreperson's own decision is counted apart.
        last = result.finding if result.decision is None else result.majority
        both = last is not None and result.initial_finding is not None
        self.verdicts_changed += cases * (both and last is not result.initial_finding)

    def flips(self) -> FlipCounts:
        return FlipCounts(self.to_unsafe, self.to_safe, self.verdicts_changed, self.discussed)

    def turns(self) -> dict[str, int]:
        return {kind.value: self.talk[kind] for kind in RemarkOutcome} if self.talk else {}


@dataclass(slots=True)
class _Jurors:
    """Counts the ballots of each juror by outcome."""

    outcomes: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter[str])
    )
    lacking: Counter[str] = field(default_factory=Counter[str])
    without_vote: Counter[str] = field(default_factory=Counter[str])
    quoting: Counter[str] = field(default_factory=Counter[str])
    misquoting: Counter[str] = field(default_factory=Counter[str])

    def add(self, result: CaseResult, cases: int) -> None:
        for juror, outcomes in result.by_juror.items():
            _update(self.outcomes[juror], outcomes, cases)
            lost = any(BallotOutcome(outcome).is_lost for outcome in outcomes)
            without_vote = any(outcome != BallotOutcome.VERDICT for outcome in outcomes)
            self.lacking[juror] += cases * (lost and result.finding is not None)
            self.without_vote[juror] += cases * (without_vote and result.finding is not None)
        for juror, ballots in result.quotes.items():
            self.quoting[juror] += cases * ballots.get("quoting", 0)
            self.misquoting[juror] += cases * ballots.get("misquoting", 0)

    def jurors(self) -> dict[str, JurorBallots]:
        return {name: self._juror(name, self.outcomes[name]) for name in sorted(self.outcomes)}

    def _juror(self, name: str, said: Counter[str]) -> JurorBallots:
        lost = sum(said[outcome] for outcome in BallotOutcome if outcome.is_lost)
        return JurorBallots(
            asked=said.total(),
            outcomes={outcome.value: said[outcome] for outcome in BallotOutcome},
            kept=(said.total() - lost) / said.total(),
            verdicts_lacking=self.lacking[name],
            verdicts_without_vote=self.without_vote[name],
            quoting=self.quoting[name],
            misquoting=self.misquoting[name],
        )


def _update(counts: Counter[str], said: Mapping[str, int], cases: int) -> None:
    for kind, number in said.items():
        counts[kind] += cases * number


@dataclass(slots=True)
class TargetTally:
    """Counts the cases of one target; its size grows with scenarios, not with cases.

    The cases of a query must come one after the other. Most cases end like many others, so each
    such kind is looked at once.

    Attributes:
        grouping: What to break the cases down by in addition, None for nothing.
        groups: Counts by a label's value; scenarios and categories have their own.
    """

    grouping: Grouping | None = None
    groups: defaultdict[str | None, Counts] = field(default_factory=lambda: defaultdict(Counts))
    total: Counts = field(default_factory=Counts)
    categories: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    scenarios: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    epochs: int = 0
    revotes_lost: int = 0
    truncated_judged: int = 0
    intents_assumed: int = 0
    heard: int = 0
    _media: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter[str])
    )
    _alike: dict[bytes, Alike] = field(default_factory=dict[bytes, Alike])
    _first: tuple[CaseResult, Alike] | None = None  # of the query whose cases come
    _query: QueryCounts | None = None  # its cases, where it has several
    _parts: dict[str | None, QueryCounts] = field(default_factory=dict[str | None, QueryCounts])
    _spending: _Charges = field(default_factory=_Charges)
    _deliberation: _Deliberation = field(default_factory=_Deliberation)
    _jurors: _Jurors = field(default_factory=_Jurors)
    _guards: GuardTally = field(default_factory=GuardTally)
    _foreperson: ForepersonFigures = ForepersonFigures()
    _responses: Counter[str] = field(
        default_factory=lambda: Counter({outcome.value: 0 for outcome in ResponseOutcome})
    )
    _ballots: Counter[str] = field(
        default_factory=lambda: Counter({kind.value: 0 for kind in _BALLOT_KINDS})
    )
    _verdicts: Counter[str] = field(
        default_factory=lambda: Counter({**{f.value: 0 for f in Finding}, NO_VERDICT: 0})
    )

    def add(self, result: CaseResult) -> None:
        """Count one case."""
        first = None if self._first is None else self._first[0]
        if first is None or (first.query_id, first.scenario) != (result.query_id, result.scenario):
            self._close_query()
            self._first = result, self._of_kind(result)
        else:
            self._of_kind(result)
            if self._query is None:
                self._query = QueryCounts(first.query_id, first.scenario)
                self._query.add(first)
            self._query.add(result)
        if self.grouping is not None and self.grouping.kind == "label":
            # Repeats of a query may differ in a label.
            part = QueryCounts(result.query_id, result.scenario)
            self._parts.setdefault(self.grouping.of(result), part).add(result)
        self.epochs = max(self.epochs, result.epoch + 1)
        self._spending.add(result)

    def _of_kind(self, result: CaseResult) -> Alike:
        kind = kind_of(result)
        alike = self._alike.get(kind)
        if alike is None:
            alike = self._alike[kind] = Alike(result)
        alike.cases += 1
        return alike

    def _count_kinds(self) -> None:
        """Count the cases of each kind that came so far."""
        for alike in self._alike.values():
            self._count(alike.result, alike.cases)
            if alike.alone:
                query = QueryCounts(alike.result.query_id, alike.result.scenario)
                query.add(alike.result)
                self.scenarios[query.scenario].add(query, alike.alone)
        self._alike.clear()

    def _count(self, result: CaseResult, cases: int) -> None:
        """Count cases that are alike, but for what their query and cost decide."""
        self.revotes_lost += cases * result.revote_lost
        self.intents_assumed += cases * result.intent_assumed
        # No ballot is called of a response that is left out.
        cut = result.response_outcome is ResponseOutcome.TRUNCATED
        self.truncated_judged += cases * (cut and bool(result.ballots))
        self.heard += cases * bool(result.ballots)
        self._deliberation.add(result, cases)
        self._jurors.add(result, cases)
        for _ in range(cases if result.guards else 0):
            self._guards.add(result.guards)
        if result.summary_dropped or result.decision is not None:
            for _ in range(cases):
                self._foreperson += presiding(result)
        self._responses[result.response_outcome.value] += cases
        self._verdicts[result.finding.value if result.finding else NO_VERDICT] += cases
        for medium, ways in result.media.items():
            _update(self._media[medium], ways, cases)
        for kind, ballots in result.ballots.items():
            self._ballots[str(kind)] += cases * ballots

    def close(self) -> None:
        """Compute the totals, after the last case."""
        self._close_query()
        self._count_kinds()
        self.total = Counts.of(self.scenarios.values())
        names = {category_of(scenario) for scenario in self.scenarios}
        for name in names:
            own = (part for key, part in self.scenarios.items() if category_of(key) == name)
            self.categories[name] = Counts.of(own)

    def _close_query(self) -> None:
        """Count the query whose cases came last, as no more of them will come."""
        if self._first is None:
            return
        if self._query is None:
            self._first[1].alone += 1
        else:
            self.scenarios[self._query.scenario].add(self._query)
        for value, part in self._parts.items():
            self.groups[value].add(part)
        self._parts.clear()
        self._first = self._query = None
        if len(self._alike) > MOST_KINDS:
            self._count_kinds()

    def plan(self, part: PlannedCases) -> None:
        """Add planned cases of one kind; to be called after `close`."""
        if part.scenario is None:
            if self.total.cases < part.cases:
                self.plan_unknown()
                self.total.planned = part.cases
            return
        self.total.plan(part)
        self.categories[category_of(part.scenario)].plan(part)
        self.scenarios[part.scenario].plan(part)

    def plan_unknown(self) -> None:
        """Mark that more cases are planned, of unknown kind."""
        for counts in (self.total, *self.categories.values(), *self.scenarios.values()):
            counts.planned = counts.planned_harmful = None

    def summary(
        self,
        target: str,
        condition: str,
        *,
        harmful: Iterable[str],
        estimated: Estimated,
        has_unfinished_calls: bool = False,
    ) -> TargetSummary:
        """Return the figures of the target, after `close`.

        Args:
            target: The target's name.
            condition: Name of the condition, empty for none.
            harmful: Categories that macro averages cover.
            estimated: What was charged by estimate, in addition to the cases.
            has_unfinished_calls: Whether calls were made for unfinished cases.
        """
        parts = {category: self.categories.get(category, Counts()) for category in harmful}
        spending, deliberation, total = self._spending, self._deliberation, self.total
        doubts = (spending.cost_unknown, estimated.usd, estimated.unpriced, has_unfinished_calls)
        cost_known = not any(doubts)
        return TargetSummary(
            name=reported_name(target, condition),
            target=target,
            condition=condition,
            cases=total.cases,
            verdicts=total.verdicts,
            coverage=total.coverage,
            epochs=self.epochs,
            asr=attack_success(total, parts),
            initial_asr=total.rate("initial_attack"),
            sri=safety_index(total, parts),
            over_refusal=total.rate("over_refusal"),
            benign_unsafe=total.rate("benign_unsafe"),
            outcomes=Outcomes(dict(self._responses), dict(self._ballots), dict(self._verdicts)),
            contested=total.rate("contested"),
            flips=deliberation.flips(),
            agreement=agreement(deliberation.splits),
            calls=spending.calls,
            tokens=spending.tokens(),
            cost_usd=spending.cost_known if cost_known else None,
            cost_usd_known=spending.cost_known,
            cost_unknown=spending.cost_unknown,
            revotes_lost=self.revotes_lost,
            scenarios=_breakdowns(self.scenarios),
            categories=_breakdowns(self.categories),
            harmful=total.harmful,
            benign=total.benign,
            asr_complete=attack_success(total, parts, "complete_attack"),
            truncated_judged=self.truncated_judged,
            planned=total.expected,
            jurors=self._jurors.jurors(),
            guards=self._guards.figures(),
            estimated=estimated,
            intents_assumed=self.intents_assumed,
            given_up=total.given_up,
            asr_with_given_up=attack_success(total, parts, "attempted_attack"),
            media={medium: dict(self._media[medium]) for medium in sorted(self._media)},
            groups=self._grouped(),
            talk={
                kind.value: deliberation.talk[kind] for kind in RemarkOutcome if deliberation.talk
            },
            foreperson=self._foreperson,
            heard=self.heard,
        )

    def _grouped(self) -> tuple[Group, ...]:
        """Return the requested breakdown; by a label the planned cases are unknown."""
        match self.grouping and self.grouping.kind:
            case "scenario":
                parts = _breakdowns(self.scenarios)
            case "category":
                parts = _breakdowns(self.categories)
            case _:
                if self.total.expected != self.total.cases:
                    for counts in self.groups.values():
                        counts.planned = counts.planned_harmful = None
                named = sorted(name for name in self.groups if name is not None)
                order = [*named, *([None] if None in self.groups else [])]
                return tuple(Group(name, breakdown(None, self.groups[name])) for name in order)
        return tuple(Group(name, part) for name, part in parts.items())


def _breakdowns(counts: Mapping[str, Counts]) -> dict[str, Breakdown]:
    return {name: breakdown(category_of(name), counts[name]) for name in sorted(counts)}
