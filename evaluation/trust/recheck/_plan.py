"""What a check of a jury card needs: the card, its cases, its jury; checked before any call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....agents import BallotCall
from ....assembly import Config, load_config
from ....assembly.config import LimitsConfig, ProtocolConfig, check_endpoints, check_keys
from ....assembly.jury import jury_spec, make_protocol
from ....assembly.servers import ServerBook
from ....common import ConfigurationError
from ....deliberation import JuryCard, JurySpec, Rule, read_card
from ....deliberation.protocol import OF_A_CARD
from ....deliberation.protocol.card import CardJury, check_same_jury
from ....models import ModelSpec, Price, Usage
from ....targets import ServerUse
from ...plan import TokenCounter, decisive_config, jury_facts
from ...record import jury_identity
from ._sample import CONFIG, Sample, read_sample


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """The checked plan of a check.

    Attributes:
        path: The card's file.
        card: The card.
        sample: Its cases.
        jury: Who hears them, each alone: nobody talks.
        identity: Hash of what shapes the jury's ballots.
        rule: By which the jury's own finding follows from ballots of round 0.
        servers: The jury's managed servers.
        limits: What may be taken of endpoints, and spent.
        alpha: Chance that any juror is said to have moved while none did, in (0, 1).
    """

    path: Path
    card: JuryCard
    sample: Sample
    jury: JurySpec
    identity: str
    rule: Rule
    servers: tuple[ServerUse, ...]
    limits: LimitsConfig
    alpha: float

    @property
    def jurors(self) -> tuple[str, ...]:
        """Names of the jurors, in seat order."""
        return tuple(seat.info.seat for seat in self.jury.seats)

    @property
    def ballots(self) -> int:
        """Ballots that are asked for at first."""
        return sum(len({*self.jurors} & each.votes.keys()) for each in self.sample.cases)


def plan_check(
    path: Path, config: Path | None = None, changes: Sequence[str] = (), *, alpha: float = 0.01
) -> CheckPlan:
    """Plan a check of a jury card; nothing is called.

    Args:
        path: The card's file.
        config: The config of its jury; that of the card's run unless given.
        changes: Settings of the config, as of `safejury run --set`.
        alpha: Chance that any juror is said to have moved while none did, in (0, 1).

    Raises:
        ConfigurationError: The card has no cases, its jury cannot be seated, or `alpha` is out
            of range.
    """
    if not 0 < alpha < 1:
        raise ConfigurationError(f"alpha is {alpha:g}: set a probability between 0 and 1")
    card = read_card(path)
    sample = read_sample(card, path)
    said = config or sample.folder / CONFIG
    if config is None and not said.is_file():
        raise ConfigurationError(f"{said}: the run's config is gone: name one with --config")
    read = load_config(said, changes)
    check_keys(read.jury)
    servers = ServerBook(Path() if config is None else config.parent)
    try:
        jury = _jury(read, servers)
    except ConfigurationError as error:
        if config is not None:
            raise
        raise ConfigurationError(
            f"the jury of the card's run cannot be seated from here ({error}): name its config "
            "with --config"
        ) from error
    if jury.has_person:
        raise ConfigurationError(
            "a person sits on the jury, and a check hears models alone: there is nothing to check "
            "a person against"
        )
    check_endpoints(read.limits, jury.models)
    facts = {"jury": decisive_config(read)["jury"], **jury_facts(jury)}
    jury, seated = _of_the_card(card, jury, jury_identity(facts, jury.infos))
    check_same_jury(card, seated)
    rule = _rule(read, card)
    identity, limits = seated.sha256, read.limits
    return CheckPlan(path, card, sample, jury, identity, rule, servers.uses, limits, alpha)


def _jury(read: Config, servers: ServerBook) -> JurySpec:
    """Return the jury of a config, which only casts the ballots of round 0."""
    alone = ProtocolConfig(preset="vote", tie="no_verdict")
    said = read.jury.model_copy(
        update={"protocol": alone, "card": None, "foreperson": None, "card_of_another_jury": False}
    )
    return jury_spec(said, servers.folder, servers, seed=read.run.seed)


def _of_the_card(card: JuryCard, jury: JurySpec, seated: CardJury) -> tuple[JurySpec, CardJury]:
    """Leave out jurors that were left out of the card."""
    names = {seat.name for seat in card.jury.seats}
    if all(info.seat in names for info in jury.infos):
        return jury, seated
    left = [seat for seat in jury.seats if seat.info.seat in names]
    return jury.only(*left), seated.only(names)


def _rule(read: Config, card: JuryCard) -> Rule:
    """Return the jury's rule; the majority where that is a function of the user's own."""
    said = read.jury.protocol
    if not isinstance(said, str) and said.rule is not None and ":" in said.rule:
        said = said.model_copy(update={"rule": None})
    rule = make_protocol(said, Path()).rule
    if rule.name in OF_A_CARD:
        return replace(rule, card=card)
    return replace(rule, tie=rule.tie or "no_verdict")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a check takes.

    Attributes:
        calls: Model calls, without those for votes that changed: at most as many again.
        tokens: Most tokens, request and reply together.
        usd: Most US dollars, None where a price is unknown.
    """

    calls: int
    tokens: int
    usd: float | None


async def estimate_check(plan: CheckPlan, prices: Mapping[ModelSpec, Price | None]) -> Estimate:
    """Estimate a check by the requests that it makes; nothing is sent."""
    counter, calls, prompts, replies = TokenCounter(), 0, 0, 0
    costs: list[float | None] = []
    agents = plan.jury.agents(counter)
    for seat in plan.jury.seats:
        times, cap = 1, plan.jury.max_tokens
        if (guard := seat.guard) is not None:
            times, cap = guard.calls, guard.max_tokens
        asked = [each for each in plan.sample.cases if seat.info.seat in each.votes]
        prompt, made = 0, times * len(asked)
        for each in asked:
            call = BallotCall(each.case, rubric=plan.jury.rubric, quotes=plan.jury.quotes)
            await agents[seat.info.seat].judge(call)
            prompt += times * counter.tokens
        calls, prompts, replies = calls + made, prompts + prompt, replies + made * cap
        price = None if seat.model is None else prices.get(seat.model)
        costs.append(None if price is None else price.of(Usage(prompt, 0, made * cap)))
    known = [cost for cost in costs if cost is not None]
    usd = 2 * sum(known) if len(known) == len(costs) else None
    return Estimate(calls, 2 * (prompts + replies), usd)
