"""From a config to the jury that it names, with nothing opened yet."""

from dataclasses import replace
from pathlib import Path

from ...agents import HUMAN, load_persona, load_rubric
from ...common.files import resolve_path
from ...deliberation import PRESETS, JurySpec, Protocol, Rule, SeatSpec, seat
from ...models import Sampling
from ..config import JurorConfig, JuryConfig, ProtocolConfig
from ..models import model_spec
from ..servers import ServerBook
from ._own_rule import register_own_rule

_JURY = "jury"  # jurors share servers, so none is named after one of them


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
    )
    jury.check()
    return jury


def _seat(juror: JurorConfig, folder: Path, servers: ServerBook) -> SeatSpec:
    persona, spec = HUMAN, None
    if not juror.is_human:
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


def make_protocol(config: str | ProtocolConfig, folder: Path) -> Protocol:
    """Return the protocol that a config names or describes.

    Args:
        config: What the config says of it.
        folder: Where a rule of the user's own is looked for.

    Raises:
        ConfigurationError: There is no such rule.
    """
    if isinstance(config, str):
        return PRESETS[config]
    base = PRESETS[config.preset]
    if config.rule is not None and ":" in config.rule:
        register_own_rule(config.rule, folder)
    return replace(
        base,
        talk=config.talk or base.talk,
        rounds=config.rounds or base.rounds,
        rule=Rule(config.rule or base.rule.name, config.k, config.tie),
        stop=config.stop or base.stop,
        summary=config.summary or base.summary,
        jurors=config.jurors or base.jurors,
    )
