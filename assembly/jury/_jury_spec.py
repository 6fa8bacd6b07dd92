"""From a config to the jury that it names, with nothing opened yet."""

from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from ...agents import HUMAN, Ballot, BallotOutcome, Finding, load_persona, load_rubric
from ...common import ConfigurationError
from ...common.files import beside
from ...common.text import free_name
from ...deliberation import PRESETS, JurySpec, Protocol, Rule, SeatInfo, SeatSpec, decide
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
    _try_rule(protocol.rule, len(config.jurors))
    if protocol.summary == "always" and config.foreperson is None:
        raise ConfigurationError(
            f"the protocol {protocol.name!r} always sums up, but nobody is there to do it: "
            "name a model as jury.foreperson, or set jury.protocol.summary to never"
        )
    seats: dict[str, SeatSpec] = {}
    for juror in config.jurors:
        seat = _seat(juror, folder, servers, taken=seats)
        seats[seat.info.seat] = seat
    foreperson, summing = None, Sampling()
    if config.foreperson is not None:
        foreperson = model_spec(config.foreperson, servers, user=_JURY, keep=True)
        summing = Sampling(config.foreperson.temperature, config.foreperson.top_p).or_greedy()
    return JurySpec(
        tuple(seats.values()),
        protocol,
        foreperson,
        summing,
        config.max_tokens,
        seed,
        None if config.rubric is None else load_rubric(beside(folder, config.rubric)),
    )


def _seat(
    juror: JurorConfig, folder: Path, servers: ServerBook, *, taken: Container[str]
) -> SeatSpec:
    """Return one seat of the jury, under a name that is not taken."""
    persona, spec = None, None
    if not juror.is_human:
        persona = load_persona(juror.persona, relative_to=folder)
        spec = model_spec(juror.as_model(persona.model), servers, user=_JURY, keep=True)
    called = persona.name if persona else HUMAN
    name = juror.name or free_name(called, taken)
    if name in taken:
        raise ConfigurationError(f"two jurors are named {name!r}: give each its own name")
    own = persona.sampling if persona else None
    sampling = Sampling(
        juror.temperature if juror.temperature is not None else own and own.temperature,
        juror.top_p if juror.top_p is not None else own and own.top_p,
    ).or_greedy()
    title = persona.title if persona else "Person at the terminal"
    info = SeatInfo(name, called, title, spec.model if spec else HUMAN)
    return SeatSpec(info, persona, spec, sampling, juror.image_limits)


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


def _try_rule(rule: Rule, seats: int) -> None:
    """Let a rule decide a few rounds, so that one that fails does so before the first call."""
    missed = Ballot("a_seat", 0, BallotOutcome.TRANSPORT_ERROR)
    unsafe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 1, reason="tried")
    safe = Ballot("a_seat", 0, BallotOutcome.VERDICT, Finding.SAFE, 5, reason="tried")
    for first in (unsafe, safe, missed):
        for others in (unsafe, safe, missed):
            decide([first, *[others] * (seats - 1)], rule, seats=seats)
