"""Estimates the calls, tokens and cost of a run before the first call."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ...agents import BallotCall, Case, GuardDialect, TalkArm
from ...assembly.config import LimitsConfig
from ...common import ConfigurationError, ModelError
from ...datasets import Query, load_taxonomy, words_of
from ...deliberation import JurySpec, SeatSpec
from ...models import (
    BYTES_PER_TOKEN,
    TOKENS_PER_MEDIUM,
    TOKENS_PER_MESSAGE,
    Charge,
    ChatModel,
    ChatRequest,
    Completion,
    Modality,
    ModelSpec,
    Price,
    Usage,
    estimate_prompt_tokens,
    find_price,
    unset_keys,
)
from ...targets import ModelTargetSpec, Response, ResponseOutcome
from ..trials import Trial
from ._plan import RunPlan

_AROUND_TURN = 120
"""Bytes that a turn of a conversation, or a call of a tool, has around it: who speaks, markers."""
_WORDS_PER_CAP = 4 / 3
"""A reply of so many tokens is read by others as up to this many times more: theirs are shorter."""
_SUMMARY_PROMPT = 400
_SUMMARY_REPLY = 256
_REMARK = 220
"""Tokens of what a juror says in a turn, which others read, with who says it to whom."""
_LEAST = 3 / 4
"""A token of English has four bytes rather than three."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The expected calls to one model in one role.

    Attributes:
        who: The target, the seat or the foreperson.
        spec: The model.
        calls: Minimum and maximum number.
        tokens: Minimum and maximum, request and reply together.
        usd: Minimum and maximum in US dollars, None where the price is unknown.
    """

    who: str
    spec: ModelSpec
    calls: tuple[int, int]
    tokens: tuple[int, int]
    usd: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Total size of one or more queries."""

    cases: int = 0
    text: int = 0
    images: int = 0
    sounds: int = 0

    def __add__(self, other: "_Sizes") -> "_Sizes":
        return _Sizes(
            self.cases + other.cases,
            self.text + other.text,
            self.images + other.images,
            self.sounds + other.sounds,
        )

    @classmethod
    def of(cls, query: Query) -> "_Sizes":
        text = f"{''.join(words_of(query))}{query.underlying_request or ''}"
        size = len(text.encode("utf-8", "replace"))
        size += _AROUND_TURN * sum(1 + len(turn.tool_calls) for turn in query.messages)
        return cls(1, size, len(query.images), len(query.sounds))

    def prompt(self, taken: frozenset[Modality]) -> int:
        """Estimate their prompt tokens for a model that takes these media."""
        media = ("image" in taken) * self.images + ("audio" in taken) * self.sounds
        return -(-self.text // BYTES_PER_TOKEN) + media * TOKENS_PER_MEDIUM


class CaseEstimator:
    """Estimates cases. The maximum is what calls reserve, with all rounds held.

    The minimum is one response and one ballot of each juror that must be asked, as short
    as possible. Retries, for failed calls or unreadable ballots, are not included.

    Args:
        plan: The run.
        prices: Prices of the models, None where unknown.
        around: Tokens around the case in the first request to each seat.
    """

    def __init__(
        self, plan: RunPlan, prices: Mapping[ModelSpec, Price | None], around: Mapping[str, int]
    ) -> None:
        self._plan = plan
        self._asked = plan.asked
        self._prices = prices
        self._around = around

    @classmethod
    async def of(
        cls, plan: RunPlan, prices: Mapping[ModelSpec, Price | None] | None = None
    ) -> "CaseEstimator":
        """Measure the requests to jurors; nothing is sent.

        Args:
            plan: The run.
            prices: Prices of its models; missing ones are unknown.
        """
        return cls(plan, prices or {}, await _around_cases(plan))

    def case(self, trial: Trial) -> Charge:
        """Estimate the maximum charge of a case, of unknown price if that of a call is."""
        total = Charge(0, 0.0)
        for part in self._parts(trial.target, _Sizes.of(trial.query)):
            total += Charge(part.tokens[1], None if part.usd is None else part.usd[1])
        return total

    def run(self, trials: Iterable[Trial]) -> list[Calls]:
        """Estimate the run, role by role.

        Args:
            trials: The trials that are left.
        """
        sizes: dict[str, _Sizes] = {}
        for trial in trials:
            sizes[trial.target] = sizes.get(trial.target, _Sizes()) + _Sizes.of(trial.query)
        found: dict[str, Calls] = {}
        for target, size in sizes.items():
            for part in self._parts(target, size):
                before = found.get(part.who)
                found[part.who] = part if before is None else _together(before, part)
        for part in self._audit(sum(sizes.values(), _Sizes())):
            found[part.who] = _together(found[part.who], part)
        return sorted(found.values(), key=lambda part: not part.who.startswith("target "))

    def _parts(self, target: str, sizes: _Sizes) -> Iterator[Calls]:
        cases, cap = sizes.cases, self._plan.options.max_tokens
        asked = self._asked.get(target)
        if asked is not None:
            prompt = sizes.prompt(asked.model.modalities) + cases * _before(asked)
            counts, prompts = (cases, cases), (prompt, prompt)
            yield self._calls(f"target {target}", asked.model, counts, prompts, cap)
        jury = self._plan.jury
        for seat in jury.seats:
            if seat.model is not None:
                yield self._ballots(seat, seat.model, sizes)
        if jury.foreperson is not None and jury.protocol.foreperson_decides:
            prompt = cases * (_SUMMARY_PROMPT + len(jury.seats) * jury.max_tokens)
            prompts = (cases * _SUMMARY_PROMPT, prompt)
            counts = (cases, cases)
            yield self._calls("foreperson", jury.foreperson, counts, prompts, jury.max_tokens)
        least, most = _sums_up(jury)
        if jury.foreperson is not None and most:
            prompt = _SUMMARY_PROMPT + len(jury.seats) * jury.max_tokens
            calls = (cases * least, cases * most)
            prompts = (calls[0] * _SUMMARY_PROMPT, calls[1] * prompt)
            yield self._calls("foreperson", jury.foreperson, calls, prompts, _SUMMARY_REPLY)

    def _ballots(self, seat: SeatSpec, spec: ModelSpec, sizes: _Sizes) -> Calls:
        jury, cap = self._plan.jury, self._plan.options.max_tokens
        least, most = _rounds(jury)
        if (guard := seat.guard) is not None:
            return self._calls_of(guard, seat, spec, sizes, min(least, 1))
        first = sizes.cases * self._around[seat.info.seat] + sizes.prompt(spec.modalities)
        heard = first + round(sizes.cases * cap * _WORDS_PER_CAP)
        statements = sizes.cases * len(jury.seats) * jury.max_tokens
        turns = _turns(jury)
        talk = sizes.cases * len(jury.seats) * min(jury.max_tokens, _REMARK)  # a turn of each
        said = talk * (turns * (turns + 1) // 2 + max(0, most - 1) * turns)
        calls = (sizes.cases * least, sizes.cases * (most + turns))
        read_again = (max(0, most - 1) + turns) * statements + said
        prompts = (least * first, (most + turns) * heard + read_again)
        return self._calls(seat.info.seat, spec, calls, prompts, jury.max_tokens)

    def _audit(self, sizes: _Sizes) -> Iterator[Calls]:
        """Estimate the votes without talk: those of average cases, as many as are discussed."""
        jury, cases = self._plan.jury, min(self._plan.options.audit_talk, sizes.cases)
        share, arms = cases / max(1, sizes.cases), len(TalkArm)
        for seat in jury.seats if cases else ():
            if (spec := seat.model) is None or seat.guard is not None:
                continue
            first = cases * self._around[seat.info.seat]
            first += round(share * sizes.prompt(spec.modalities))
            heard = first + round(cases * self._plan.options.max_tokens * _WORDS_PER_CAP)
            talk = cases * len(jury.seats) * (jury.max_tokens + _REMARK * _turns(jury))
            least = arms * cases if jury.protocol.talk == "always" else 0
            prompts = (min(least, 1) * arms * first, arms * heard + talk)
            yield self._calls(seat.info.seat, spec, (least, arms * cases), prompts, jury.max_tokens)

    def _calls_of(
        self, guard: GuardDialect, seat: SeatSpec, spec: ModelSpec, sizes: _Sizes, least: int
    ) -> Calls:
        """Estimate the calls of a guard, which is asked in round 0 alone."""
        around, cap = sizes.cases * self._around[seat.info.seat], self._plan.options.max_tokens
        first = around + sizes.prompt(spec.modalities & frozenset(guard.sees))
        heard = first + round(sizes.cases * cap * _WORDS_PER_CAP)
        calls = (sizes.cases * least * guard.calls, sizes.cases * guard.calls)
        prompts = (least * guard.calls * first, guard.calls * heard)
        return self._calls(seat.info.seat, spec, calls, prompts, guard.max_tokens)

    def _calls(
        self,
        who: str,
        spec: ModelSpec,
        calls: tuple[int, int],
        prompts: tuple[int, int],
        cap: int,
    ) -> Calls:
        least, most = round(prompts[0] * _LEAST), prompts[1]
        replies = calls[1] * cap
        price, usd = self._prices.get(spec), None
        if price is not None:
            low, high = price.of(Usage(least, 0, calls[0])), price.of(Usage(most, 0, replies))
            usd = (low or 0.0, high or 0.0)
        return Calls(who, spec, calls, (least + calls[0], most + replies), usd)


def _before(target: ModelTargetSpec) -> int:
    """Return the tokens around a query in a request to a target."""
    if target.system is None:
        return TOKENS_PER_MESSAGE
    return 2 * TOKENS_PER_MESSAGE + len(target.system.encode()) // BYTES_PER_TOKEN


def _together(one: Calls, two: Calls) -> Calls:
    usd = None
    if one.usd is not None and two.usd is not None:
        usd = (one.usd[0] + two.usd[0], one.usd[1] + two.usd[1])
    return replace(
        one,
        calls=(one.calls[0] + two.calls[0], one.calls[1] + two.calls[1]),
        tokens=(one.tokens[0] + two.tokens[0], one.tokens[1] + two.tokens[1]),
        usd=usd,
    )


def _rounds(jury: JurySpec) -> tuple[int, int]:
    """Return the minimum and maximum number of ballots of a juror in a case."""
    protocol = jury.protocol
    least = int(protocol.stop == "all")
    talk = protocol.talk
    return least + (talk == "always"), 1 + (0 if talk == "never" else protocol.rounds)


def _turns(jury: JurySpec) -> int:
    """Return the maximum number of turns to speak that a juror has in a case."""
    protocol = jury.protocol
    return protocol.rounds * protocol.turns if protocol.talk == "roundtable" else 0


def _sums_up(jury: JurySpec) -> tuple[int, int]:
    """Return the minimum and maximum number of summaries of a case."""
    protocol = jury.protocol
    if protocol.summary == "never" or (
        protocol.summary == "discussed" and protocol.talk == "never"
    ):
        return 0, 0
    return int(protocol.summary == "always" or protocol.talk == "always"), 1


async def _around_cases(plan: RunPlan) -> dict[str, int]:
    """Return the tokens of a juror's request about an empty case, by seat."""
    trial = next(plan.trials())
    scenario, own = trial.query.scenario, plan.taxonomy is not load_taxonomy()
    case = Case(
        trial.case_id,
        replace(trial.query, text="", images=(), audio=None, underlying_request=None, messages=()),
        Response(ResponseOutcome.ANSWERED, ""),
        plan.taxonomy.resolve(scenario).guideline,
        titles=plan.taxonomy.titles(scenario) if own else None,
    )
    from ...agents import Guard, Juror  # with AutoGen, which the rest of a plan does without

    counter = TokenCounter()
    around: dict[str, int] = {}
    for seat, juror in plan.jury.agents(counter).items():
        if isinstance(juror, Juror | Guard):
            call = BallotCall(case, rubric=plan.jury.rubric, quotes=plan.jury.quotes)
            await juror.judge(call)
            around[seat] = counter.tokens
    return around


class TokenCounter:
    """Opens models that only count the tokens of requests.

    Attributes:
        tokens: Those of the latest request.
    """

    def __init__(self) -> None:
        self.tokens = 0

    def open(self, spec: ModelSpec) -> ChatModel:
        """Return a model that answers nothing."""
        return _CountingModel(self, spec.model, spec.modalities)

    def adopt(self, model: ChatModel, *, pays: bool) -> ChatModel:
        """Return one in place of a model of somebody's own."""
        return _CountingModel(self, model.name, model.modalities)


class _CountingModel:
    def __init__(self, counter: TokenCounter, name: str, modalities: frozenset[Modality]) -> None:
        self._counter = counter
        self.name = name
        self.modalities = modalities

    async def complete(self, request: ChatRequest) -> Completion:
        self._counter.tokens = estimate_prompt_tokens(request)
        raise ModelError("only counted")

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""


async def find_prices(specs: Iterable[ModelSpec]) -> dict[ModelSpec, Price | None]:
    """Look up the prices of models, None where unknown; nothing is sent."""
    return {spec: await find_price(spec) for spec in specs}


async def missing_keys(specs: Iterable[ModelSpec]) -> list[str]:
    """Return a line for each model of a LiteLLM provider whose API key is not set."""
    found = {spec: await unset_keys(spec) for spec in specs}
    return [
        f"{spec.model}: no key was found; set the environment variable {variables}"
        for spec, variables in found.items()
        if variables
    ]


def unpriced(limits: LimitsConfig, prices: Mapping[ModelSpec, Price | None]) -> tuple[str, ...]:
    """Return the models to which the cost limit does not apply; none where there is no limit.

    Raises:
        ConfigurationError: There are some, and `limits.unpriced` does not allow it.
    """
    if limits.max_cost_usd is None:
        return ()
    names = tuple(dict.fromkeys(spec.model for spec, price in prices.items() if price is None))
    if names and limits.unpriced == "refuse":
        raise ConfigurationError(
            f"limits.max_cost_usd does not bind {', '.join(names)}: the price is unknown. Give "
            "`price: {input: …, output: …}` in US dollars per million tokens (`price: 0` for a "
            "server of your own), set limits.unpriced: allow, or take out the limit"
        )
    return names


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The estimates and unpriced models behind a run's budget.

    Attributes:
        estimator: Estimates cases; None where the run has no limit.
        unbound: The models to which the cost limit does not apply.
    """

    estimator: CaseEstimator | None
    unbound: tuple[str, ...] = ()

    @classmethod
    async def of(cls, plan: RunPlan) -> "BudgetPlan":
        """Look up the prices if there is a cost limit; nothing is sent.

        Raises:
            ConfigurationError: The limit does not apply to a model, which is not allowed.
        """
        limits = plan.limits
        if limits.max_cost_usd is None and limits.max_tokens_total is None:
            return cls(None)
        prices = await find_prices(plan.models) if limits.max_cost_usd is not None else {}
        unbound = list(unpriced(limits, prices))
        if limits.max_cost_usd is not None:
            unbound += plan.functions  # their cost is not known in advance
            unbound += plan.jury.own_callers
        return cls(await CaseEstimator.of(plan, prices), tuple(unbound))


def unbound_note(names: Iterable[str]) -> str:
    """Return a note on the models to which the cost limit does not apply."""
    return f"limits.max_cost_usd does not bind {', '.join(names)}, whose price is unknown."
