"""From a jury to what a config says of it: the way back from `jury_spec`."""

from dataclasses import replace

from ...deliberation import PRESETS, JurySpec, Protocol, Rule, SeatSpec, card_sha256
from ..models import image_keys, model_keys


def jury_keys(jury: JurySpec) -> dict[str, object]:
    """Return what a config says of a jury.

    Its personas, its rubric, its card and its rule may be a program's own: a run knows them by
    their content, whatever stands here.
    """
    keys: dict[str, object] = {
        "jurors": [_seat(seat) for seat in jury.seats],
        "protocol": _protocol(jury.protocol),
        "max_tokens": jury.max_tokens,
    }
    if jury.foreperson is not None:
        keys["foreperson"] = model_keys(jury.foreperson)
    if jury.rubric is not None:
        keys["rubric"] = jury.rubric.name
    if not jury.quotes:
        keys["quotes"] = False
    if jury.protocol.rule.card is not None:
        keys["card"] = f"card {card_sha256(jury.protocol.rule.card)[:12]}"
    if jury.card_of_another_jury:
        keys["card_of_another_jury"] = True
    return keys


def _seat(seat: SeatSpec) -> dict[str, object]:
    model = {} if seat.model is None else model_keys(seat.model)
    return {**model, **image_keys(seat.images), **seat.said}


def _protocol(protocol: Protocol) -> str | dict[str, object]:
    name = protocol.name if protocol.name in PRESETS else Protocol().name
    base = PRESETS[name]
    if replace(protocol, rule=replace(protocol.rule, card=None)) == base:
        return name
    keys: dict[str, object] = {"preset": name}
    own = ("talk", "rounds", "stop", "summary", "jurors", "turns", "bound")
    values = ((key, getattr(protocol, key)) for key in own)
    keys |= {key: value for key, value in values if value != getattr(base, key)}
    if protocol.talk_between != base.talk_between:
        keys["talk_between"] = list(protocol.talk_between)
    if protocol.rule.name != base.rule.name:
        keys["rule"] = protocol.rule.name
    return keys | rule_keys(protocol.rule)


def rule_keys(rule: Rule) -> dict[str, object]:
    """Return what `jury.protocol` says of a rule beside its name, as far as it is set."""
    cost = rule.cost and {"miss": rule.cost.miss, "false_alarm": rule.cost.false_alarm}
    said = {"k": rule.k, "tie": rule.tie, "threshold": rule.threshold, "cost": cost}
    return {key: value for key, value in said.items() if value is not None}
