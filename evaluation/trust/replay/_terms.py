"""What a run was decided by, and what it is to be decided by instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from ....assembly.config import Config, JuryConfig, Part, Preset, ProtocolConfig, Text, as_config
from ....assembly.jury import described_protocol, make_protocol
from ....common import ConfigurationError
from ....common.files import resolve_path
from ....common.text import quoted
from ....deliberation import (
    PRESETS,
    RULES,
    JuryCard,
    Protocol,
    Rule,
    SeatInfo,
    card_sha256,
    read_card,
)
from ....deliberation.protocol import OF_A_CARD
from ....deliberation.protocol.asking import drawn_order
from ....deliberation.protocol.card import check_same_jury
from ...record import Meta, jury_identity, protocol_of, recorded_protocol
from ..reading import remaining


@dataclass(frozen=True, slots=True)
class Changes:
    """What a replay is to do in another way than the run.

    Attributes:
        settings: Settings such as `jury.protocol.rule=any`, as of `safejury run --set`.
        without: Seats whose ballots do not count.
        first_round: Whether only the ballots of round 0 count.
        card: A jury card that was read already; none unless given.
    """

    settings: Sequence[str] = ()
    without: Sequence[str] = ()
    first_round: bool = False
    card: JuryCard | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Who sits on a jury, and how it decides.

    Attributes:
        seats: The seats, in their order.
        standing: The guards among them.
        protocol: How they decide.
        seed: The run's, by which jurors are asked in turn.
    """

    seats: tuple[str, ...]
    standing: frozenset[str]
    protocol: Protocol
    seed: int

    def order(self, case_id: str) -> tuple[str, ...]:
        """Return the seats in the order in which they are asked, where they are in turn."""
        return drawn_order(self.seats, self.seed, case_id)

    def hears_as(self, other: "Terms") -> bool:
        """Return whether it asks the same jurors for the same ballots, whatever they say."""
        mine, others = self.protocol, other.protocol
        if (self.seats, mine.stop) != (other.seats, others.stop):
            return False
        if mine.stop != "all" and (mine.rule, mine.by_bound) != (others.rule, others.by_bound):
            return False
        return (mine.talk, mine.rounds, mine.turns) == (others.talk, others.rounds, others.turns)

    def talks_as(self, other: "Terms") -> bool:
        """Return whether a discussion is of the same kind, wherever both hold one."""
        mine, others = self.protocol, other.protocol
        at_table = mine.talk == "roundtable"
        if at_table != (others.talk == "roundtable"):
            return False
        return not at_table or mine.turns == others.turns


class _Jury(Part):
    protocol: Preset | ProtocolConfig
    card: Text | None = None
    card_of_another_jury: bool = False


class _Shape(Part):
    """The keys of a config that a replay may change."""

    jury: _Jury


def terms_of(meta: Meta) -> Terms:
    """Return what a run was decided by."""
    protocol, seed = protocol_of(meta.identity), meta.identity.get("run", {}).get("seed", 0)
    protocol = replace(protocol, rule=replace(protocol.rule, card=meta.card))
    return _terms(meta.jury, protocol, seed)


def changed_terms(meta: Meta, changes: Changes, folder: Path) -> Terms:
    """Return what a run is to be decided by instead.

    Args:
        meta: The run's facts.
        changes: What is different.
        folder: Where a rule of the user's own is looked for.

    Raises:
        ConfigurationError: A setting, a seat or the protocol does not fit.
    """
    for change in changes.settings:
        _refuse_elsewhere(change)
    keys = {"jury": {"protocol": recorded_protocol(meta.identity)}}
    said = as_config(keys, _Shape, "the run's record", changes.settings).jury
    given = said.protocol
    if isinstance(given, ProtocolConfig):  # the run's settings, which nobody can take out
        given = given.model_copy(update=dict.fromkeys(_idle(given, changes.settings)))
    card = changes.card
    if card is None and said.card is not None:
        card = read_card(resolve_path(folder, said.card))
    force = said.card_of_another_jury
    protocol = _with_card(meta, _registered(given, folder), card, force=force)
    before = terms_of(meta)
    if protocol.foreperson_decides and not before.protocol.foreperson_decides:
        raise ConfigurationError(
            "rule: foreperson needs the foreperson's decision of each case, and in this run it "
            "made none: use another rule, or judge the responses again"
        )
    left = remaining([info.seat for info in meta.jury], changes.without)
    seats = [info for info in meta.jury if info.seat in left]
    if changes.without:
        protocol = replace(protocol, jurors=None)
    if changes.first_round:
        protocol = replace(protocol, talk="never")
    terms = _terms(seats, protocol, before.seed)
    protocol.check(len(terms.seats), guards=len(terms.standing))
    return terms


def is_card_of(meta: Meta, card: JuryCard) -> bool:
    """Return whether a jury card is the one that a run was decided by."""
    return meta.identity.get("card") == card_sha256(card)


def _with_card(meta: Meta, protocol: Protocol, card: JuryCard | None, *, force: bool) -> Protocol:
    """Return a protocol with a jury card: the run's unless another is given.

    Raises:
        ConfigurationError: The card is of another jury, or there is none.
    """
    if card is None:
        if meta.card is None and protocol.rule.name in OF_A_CARD:
            raise ConfigurationError(
                f"rule: {protocol.rule.name} decides by a jury card, and the run had none: name "
                "the file with --card"
            )
        return replace(protocol, rule=replace(protocol.rule, card=meta.card))
    check_same_jury(card, jury_identity(meta.identity, meta.jury), force=force)
    return replace(protocol, rule=replace(protocol.rule, card=card))


def _terms(seats: Sequence[SeatInfo], protocol: Protocol, seed: int) -> Terms:
    names = tuple(info.seat for info in seats)
    return Terms(names, frozenset(info.seat for info in seats if info.guard), protocol, seed)


def _registered(said: str | ProtocolConfig, folder: Path) -> Protocol:
    """Return a protocol whose rule is there; one that a program registered is not imported."""
    if isinstance(said, ProtocolConfig) and said.rule in RULES:
        return described_protocol(said)
    return make_protocol(said, folder)


def _idle(said: ProtocolConfig, settings: Sequence[str]) -> set[str]:
    """Return settings that go with others which are changed, and which nobody asked for now."""
    base = PRESETS[said.preset]
    talk, stop = said.talk or base.talk, said.stop or base.stop
    idle = set[str]()
    if talk != "roundtable":
        idle.add("turns")
    if stop != "sequential":
        idle |= {"bound", "talk_between"}
    if talk == "never" or said.rule != "calibrated":
        idle.add("talk_between")
    asked = {change.partition("=")[0].rpartition(".")[2] for change in settings}
    return idle - asked


def _refuse_elsewhere(change: str) -> None:
    """Refuse to set a key that changes what is asked, not what is decided.

    Raises:
        ConfigurationError: It is one.
    """
    steps = change.partition("=")[0].split(".")
    known: tuple[tuple[type[BaseModel], type[BaseModel]], ...]
    known = ((Config, _Shape), (JuryConfig, _Jury))
    for step, (whole, ours) in zip(steps, known, strict=False):
        if step in whole.model_fields and step not in ours.model_fields:
            raise ConfigurationError(
                f"--set {quoted(change)}: a replay asks nobody, so that only "
                f"{', '.join(f'jury.{name}' for name in _Jury.model_fields)} can be changed"
            )


def rule_changed(meta: Meta, rule: Rule) -> bool:
    """Return whether a rule of the user's own is not what it was in the run, under its name."""
    own = meta.identity.get("rule")
    return own is not None and rule.name in RULES and RULES[rule.name].source_sha256 != own


def differences(before: Terms, after: Terms, changes: Changes) -> Iterator[str]:
    """Yield what differs between the terms of a run and others, a few words each."""
    old, new = before.protocol, after.protocol
    said = [("rule", str(old.rule), str(new.rule)), ("tie", old.rule.tie, new.rule.tie)]
    keys = (
        ("stop", "bound", "rounds", "turns")
        if changes.first_round
        else ("stop", "bound", "talk", "talk_between", "rounds", "turns")
    )
    said += [(key, getattr(old, key), getattr(new, key)) for key in keys]
    yield from (f"{key}: {now} (was {was})" for key, was, now in said if was != now)
    yield from (f"without {name}" for name in changes.without)
    if changes.first_round:
        yield "round 0 only"
