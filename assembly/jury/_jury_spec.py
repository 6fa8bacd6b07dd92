"""From a config to the jury that it names, with nothing opened yet."""

from dataclasses import replace
from pathlib import Path

from ...agents import HUMAN, load_guard, load_persona, load_rubric
from ...common import ConfigurationError, import_named
from ...common.files import resolve_path
from ...common.text import quoted
from ...deliberation import PRESETS, Cost, JurySpec, Protocol, Rule, SeatSpec, read_card, seat
from ...models import Sampling
from ..config import JurorConfig, JuryConfig, ProtocolConfig
from ..models import model_spec
from ..servers import ServerBook
from ._own_rule import register_own_rule

_JURY = "jury"  # jurors share servers, so none is named after one of them
_OF_A_MODEL = (
    *("base_url", "api_key_env", "api_base", "api_version", "region", "request"),
    *("temperature", "top_p", "json_schema", "price", "audio"),
)
"""Keys that an agent without a model of the run cannot heed."""


def jury_spec(config: JuryConfig, folder: Path, servers: ServerBook, *, seed: int) -> JurySpec:
    """Return the jury of a config, with its protocol checked.

    Args:
        config: What the config says of it.
        folder: Where its relative paths start.
        servers: Where the jury's managed servers are entered.
        seed: Seed of the jurors' models.

    Raises:
        ConfigurationError: A persona, a key, the protocol or the rubric does not fit.
    """
    protocol = make_protocol(config.protocol, folder)
    if config.card is not None:
        card = read_card(resolve_path(folder, config.card))
        protocol = replace(protocol, rule=replace(protocol.rule, card=card))
    elif config.card_of_another_jury:
        raise ConfigurationError(
            "jury.card_of_another_jury says that any card will do, and there is none: name one "
            "as jury.card, or take it out"
        )
    protocol.check(len(config.jurors))
    seats: dict[str, SeatSpec] = {}
    for juror in config.jurors:
        one = _seat(juror, folder, servers).named(seats)
        seats[one.info.seat] = one
    foreperson, summing = None, Sampling()
    if config.foreperson is not None:
        foreperson = model_spec(config.foreperson, servers, user=_JURY, keep=True)
        summing = Sampling(config.foreperson.temperature, config.foreperson.top_p).or_greedy()
    jury = JurySpec(
        tuple(seats.values()),
        protocol,
        foreperson,
        summing,
        config.max_tokens,
        seed,
        None if config.rubric is None else load_rubric(resolve_path(folder, config.rubric)),
        config.quotes,
        config.card_of_another_jury,
    )
    jury.check()
    return jury


def _seat(juror: JurorConfig, folder: Path, servers: ServerBook) -> SeatSpec:
    if juror.agent is not None:
        return _agent_seat(juror, juror.agent, folder, servers)
    if juror.guard is not None:
        load_guard(juror.guard)  # before its model: a misspelled one has none
        return seat(
            guard=juror.guard,
            model=model_spec(juror.as_model(), servers, user=_JURY, keep=True),
            name=juror.name,
            temperature=juror.temperature,
            top_p=juror.top_p,
            images=juror.image_limits,
            controversial=juror.controversial or "abstain",
        )
    persona, spec = HUMAN, None
    if juror.persona is not None and not juror.is_human:
        persona = load_persona(juror.persona, relative_to=folder)
        spec = model_spec(juror.as_model(persona.model), servers, user=_JURY, keep=True)
    return seat(
        persona,
        spec,
        name=juror.name,
        temperature=juror.temperature,
        top_p=juror.top_p,
        images=juror.image_limits,
    )


def _agent_seat(juror: JurorConfig, agent: str, folder: Path, servers: ServerBook) -> SeatSpec:
    said, spec = juror.model_fields_set, None
    if juror.has_model:
        spec = model_spec(juror.as_model(), servers, user=_JURY, keep=True)
    elif unused := [key for key in _OF_A_MODEL if key in said]:
        raise ConfigurationError(
            f"the agent {quoted(agent)} has `{unused[0]}:`, which is said of a model: give it "
            "`model:`, or take that out"
        )
    function = import_named("agent", agent, folder)
    if not callable(function):
        raise ConfigurationError(f"the agent {quoted(agent)} is not a function that makes one")
    return seat(
        None if juror.persona is None else load_persona(juror.persona, relative_to=folder),
        spec,
        agent=function,
        name=juror.name,
        title=juror.title,
        temperature=juror.temperature,
        top_p=juror.top_p,
        images=juror.image_limits,
        sees=juror.images if "images" in said else None,
        timeout=juror.timeout if "timeout" in said else None,
    )


def make_protocol(config: str | ProtocolConfig, folder: Path) -> Protocol:
    """Return the protocol that a config names or describes.

    Args:
        config: What the config says of it.
        folder: Where a rule of the user's own is looked for.

    Raises:
        ConfigurationError: There is no such rule, or a setting goes with another.
    """
    protocol = described_protocol(config)
    if not isinstance(config, str) and config.rule is not None and ":" in config.rule:
        register_own_rule(config.rule, folder)
    return protocol


def described_protocol(config: str | ProtocolConfig) -> Protocol:
    """Return the protocol that a config names or describes, without a look for its rule.

    Raises:
        ConfigurationError: A setting goes with another.
    """
    if isinstance(config, str):
        return PRESETS[config]
    base = PRESETS[config.preset]
    talk = config.talk or base.talk
    if config.turns is not None and talk != "roundtable":
        raise ConfigurationError(
            f"jury.protocol.turns goes with talk: roundtable, and here talk is {talk}: set talk, "
            "or take out turns"
        )
    stop, rule = config.stop or base.stop, config.rule or base.rule.name
    if config.bound is not None and stop != "sequential":
        raise ConfigurationError(
            f"jury.protocol.bound goes with stop: sequential, and here stop is {stop}: set stop, "
            "or take out bound"
        )
    if config.talk_between is not None and (
        stop != "sequential" or rule != "calibrated" or talk == "never"
    ):
        raise ConfigurationError(
            "jury.protocol.talk_between goes with stop: sequential, rule: calibrated and talk: "
            f"contested or roundtable, and here they are {stop}, {rule} and {talk}: set them, or "
            "take out talk_between"
        )
    low, high = config.talk_between or base.talk_between
    return replace(
        base,
        talk=talk,
        rounds=config.rounds or base.rounds,
        rule=Rule(
            rule,
            config.k,
            config.tie,
            threshold=config.threshold,
            cost=config.cost and Cost(config.cost.miss, config.cost.false_alarm),
        ),
        stop=stop,
        summary=config.summary or base.summary,
        jurors=config.jurors or base.jurors,
        turns=config.turns or base.turns,
        bound=base.bound if config.bound is None else config.bound,
        talk_between=(low, high),
    )
