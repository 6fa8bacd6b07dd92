"""Turns the arguments of `Jury.of` into a `JurySpec`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..agents import Persona, load_rubric
from ..common import ConfigurationError
from ..common.text import did_you_mean, quoted
from ..models import ModelSpec, Sampling
from ._jury_spec import JurySpec
from ._seat_spec import SeatSpec, seat
from .protocol import PRESETS, Protocol, Rule, RuleFunction, register_rule
from .protocol.card import JuryCard, read_card


def describe_jury(
    jurors: Sequence[str | Path | Persona | SeatSpec | Callable[..., object]],
    *,
    model: ModelSpec | str | None,
    protocol: str | Protocol,
    rule: str | Rule | RuleFunction | None,
    foreperson: ModelSpec | str | None,
    rubric: str | Path | None,
    max_tokens: int,
    quotes: bool,
    card: JuryCard | str | Path | None,
    card_of_another_jury: bool,
) -> JurySpec:
    """Return a jury, checked; see `Jury.of`.

    Raises:
        ConfigurationError: Something does not fit; the message says what to change.
    """
    if max_tokens < 16:
        raise ConfigurationError(f"max_tokens of a ballot must be at least 16, not {max_tokens}")
    fallback = _model(model)
    seats: dict[str, SeatSpec] = {}
    for juror in jurors:
        if not isinstance(juror, SeatSpec):
            juror = seat(agent=juror) if callable(juror) else seat(juror)
        one = juror.with_model(fallback).named(seats)
        seats[one.info.seat] = one
    jury = JurySpec(
        tuple(seats.values()),
        _protocol(protocol, rule, card),
        _model(foreperson),
        # As a config without a foreperson has it, so that either resumes the other's run.
        Sampling() if foreperson is None else Sampling().or_greedy(),
        max_tokens=max_tokens,
        rubric=None if rubric is None else load_rubric(Path(rubric)),
        quotes=quotes,
        card_of_another_jury=card_of_another_jury,
    )
    jury.check()
    return jury


def _model(said: ModelSpec | str | None) -> ModelSpec | None:
    spec = ModelSpec(said) if isinstance(said, str) else said
    if spec is not None:
        spec.check_place()
    return spec


def _protocol(
    said: str | Protocol,
    rule: str | Rule | RuleFunction | None,
    card: JuryCard | str | Path | None,
) -> Protocol:
    if isinstance(said, str):
        if said not in PRESETS:
            hint = did_you_mean(said, PRESETS) or f"; known are {', '.join(PRESETS)}"
            raise ConfigurationError(f"there is no protocol {quoted(said)}{hint}")
        said = PRESETS[said]
    if callable(rule):
        rule = register_rule(rule)
    decides = Rule(rule) if isinstance(rule, str) else rule or said.rule
    if card is not None:
        known = card if isinstance(card, JuryCard) else read_card(card)
        decides = replace(decides, card=known)
    return replace(said, rule=decides)
