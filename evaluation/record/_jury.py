"""What shapes a ballot of round 0, by which a jury card knows its jury."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import msgspec

from ...agents import FIRST_BALLOT_PROMPTS, HUMAN
from ...assembly.config import ProtocolConfig, as_config
from ...common import ConfigurationError
from ...deliberation import JuryCard, SeatInfo
from ...deliberation.protocol import Protocol
from ...deliberation.protocol.card import (
    CardJury,
    CardSeat,
    DecidedBy,
    check_same_jury,
    juries_differ,
)
from ...models import Sampling
from ._meta import Meta
from .identity import kept_in

_Persona = dict[str, Any] | str | None
"""As an identity has it: a person is a word, and guards have none."""
_SHOWN = 12
"""Digits of the hash of a part."""
_CALIBRATED = "calibrated"
_BESIDE = {
    "card": "the jury card that decides",
    "words": "the wording of the scenarios' guidelines",
    "transcriber": "what writes down sounds",
}
"""Parts of an identity that shape findings beside jury and protocol, in words."""


class _Server(msgspec.Struct):
    args: dict[str, Any] = {}


class _Juror(msgspec.Struct):
    """What a config says of a juror; settings that came later have their defaults."""

    vllm: _Server | None = None
    model: str | None = None
    agent: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    images: bool = True
    max_image_side: int | None = None
    max_image_pixels: int | None = None
    max_image_bytes: int | None = None
    max_images: int | None = None
    image_formats: list[str] | None = None
    audio: bool = False
    json_schema: str = "auto"
    request: dict[str, Any] | None = None
    controversial: str | None = None


class _Jury(msgspec.Struct):
    jurors: tuple[_Juror, ...]
    max_tokens: int = 512


class _Drawing(msgspec.Struct):
    jurors: tuple[dict[str, float | None], ...] = ()


class _Identity(msgspec.Struct):
    """The parts of a run's identity that shape a ballot of round 0."""

    jury: _Jury
    personas: tuple[_Persona, ...]
    prompts: dict[str, str]
    agents: dict[str, dict[str, str]] = {}
    guards: dict[str, str] = {}
    sampling: _Drawing | None = None
    rubric: dict[str, str] | None = None


def jury_identity(identity: Mapping[str, Any], seats: Sequence[SeatInfo]) -> CardJury:
    """Return by what a card knows the jury of a run.

    That is what shapes a ballot of round 0: models, sampling, personas, agents, guards, prompts,
    rubric and the cap on tokens. Not the rule, when to stop or to talk, the foreperson, targets
    and queries; nor where a model is reached, seeds, and what writes down sounds.

    Args:
        identity: That of the run, from its plan or its record.
        seats: Its seats, in order.

    Raises:
        ConfigurationError: It does not say enough, as that of a record of an early version.
    """
    if (kept := kept_in(identity)) is not None and kept.jury is not None:
        return kept.jury
    try:
        known = msgspec.convert(json.loads(json.dumps(identity)), _Identity)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the run does not say what shaped its ballots ({error}): run it again with this "
            "version to make a jury card of it"
        ) from error
    if not len(known.jury.jurors) == len(known.personas) == len(seats):
        raise ConfigurationError(
            f"the run has {len(seats)} seats and describes {len(known.jury.jurors)} jurors: run it "
            "again with this version to make a jury card of it"
        )
    whole = {info.seat: parts for info, parts in zip(seats, _of_seats(known, seats), strict=True)}
    shared = {
        "prompts": {n: known.prompts[n] for n in FIRST_BALLOT_PROMPTS if n in known.prompts},
        "rubric": known.rubric,
        "max_tokens": known.jury.max_tokens,
    }
    return CardJury(
        sha256=_hash_of({"seats": whole, **shared}),
        source="run",
        seats=tuple(
            CardSeat(info.seat, info.model, info.persona, _hashes_of(whole[info.seat]))
            for info in seats
        ),
        parts=_hashes_of(shared),
    )


def why_another_jury(
    card: JuryCard, identity: Mapping[str, Any], seats: Sequence[SeatInfo]
) -> str | None:
    """Return how the jury of a run differs from that of a card, None where it does not.

    Args:
        card: The card.
        identity: The run's.
        seats: The run's seats, in order.
    """
    try:
        check_same_jury(card, jury_identity(identity, seats))
    except ConfigurationError as error:
        return str(error).partition(": make a card")[0].partition(": seat the")[0]
    return None


def protocol_of(identity: Mapping[str, Any]) -> Protocol:
    """Return a run's protocol, the rule without its card; it is not looked for, and may be gone.

    Args:
        identity: That of the run, from its plan or its record.

    Raises:
        ConfigurationError: The identity describes none.
    """
    from ...assembly.jury import described_protocol  # which only some of those who read need

    known = as_config(recorded_protocol(identity), ProtocolConfig, "the run's record")
    return described_protocol(known)


def recorded_protocol(identity: Mapping[str, Any]) -> dict[str, object]:
    """Return a run's protocol as a config has it: the keys that are set, those of a preset as well.

    Args:
        identity: That of the run, from its plan or its record.
    """
    said: Any = cast("dict[str, Any]", identity.get("jury", {})).get("protocol") or {}
    keys: dict[str, object] = {"preset": said} if isinstance(said, str) else said
    return {key: value for key, value in keys.items() if value is not None}


def decided_by(identity: Mapping[str, Any], seats: int) -> DecidedBy:
    """Return by what the findings of a run were decided, beside the ballots of round 0.

    Args:
        identity: That of the run, from its plan or its record.
        seats: Number of its seats.
    """
    protocol = protocol_of(identity)
    talks = protocol.talk != "never"
    prompts: dict[str, str] = identity.get("prompts", {})
    others = {
        "rule": identity.get("rule"),
        "foreperson": protocol.foreperson_decides and identity.get("jury", {}).get("foreperson"),
        "prompts": talks and {n: it for n, it in prompts.items() if n not in FIRST_BALLOT_PROMPTS},
    }
    return DecidedBy(
        str(protocol.rule),
        protocol.stop,
        protocol.talk,
        tie=tie_of(protocol.rule.tie, seats) if protocol.rule.name == "majority" else "",
        rounds=protocol.rounds if talks else 0,
        turns=protocol.turns if protocol.talk == "roundtable" else 0,
        others=_others(identity, others),
        bound=protocol.bound if protocol.stop == "sequential" else 0.0,
    )


def _others(identity: Mapping[str, Any], others: Mapping[str, object]) -> str:
    if (kept := kept_in(identity)) is not None:
        return kept.others
    return _hash_of(others)[:_SHOWN] if any(others.values()) else ""


def cases_sha256(identity: Mapping[str, Any]) -> str:
    """Return a hash of what the cases of a run are of: its queries, and what answered them.

    Args:
        identity: That of the run, from its plan or its record.
    """
    if (kept := kept_in(identity)) is not None:
        return kept.cases
    targets: list[dict[str, Any]] = identity.get("targets", [])
    of = {
        "dataset": identity.get("dataset", {}).get("sha256"),
        "responses": sorted(map(str, identity.get("responses", {}).values())),
        "targets": [{key: it for key, it in each.items() if key != "name"} for each in targets],
    }
    return _hash_of(of)


def differences_of_juries(first: Meta, second: Meta) -> tuple[str, ...]:
    """Return how the juries of two runs differ: their verdicts can be compared where they do not.

    That is what shapes a ballot, what decides the findings, and what jurors read beside the case.
    Votes that stop as soon as the rest cannot change the finding find what asking all would have.

    Args:
        first: The facts of one run.
        second: Those of the other.

    Returns:
        The differences, a few words each; empty where none is known.
    """
    found = list[str]()
    try:
        juries = [jury_identity(run.identity, run.jury) for run in (first, second)]
        if said := juries_differ(*juries):
            found.append(said)
    except ConfigurationError:
        found.append("one of the records does not say what shaped its ballots")
    old, new = (_deciding(run) for run in (first, second))
    found += [f"{key} is {old[key]} and {new[key]}" for key in old if old[key] != new[key]]
    for key, what in _BESIDE.items():
        if first.identity.get(key) != second.identity.get(key):
            found.append(f"{what} differs")
    return tuple(found)


def _deciding(run: Meta) -> dict[str, object]:
    by = decided_by(run.identity, len(run.jury))
    return {
        "rule": by.rule,
        "stop": "all" if by.stop == "curtailed" and by.talk == "never" else by.stop,
        "talk": by.talk,
        "a tie": by.tie or "no verdict",
        "rounds": by.rounds,
        "turns": by.turns,
        "bound": by.bound,
        **_by_probability(run),
        "what else decides (code, prompts)": by.others or "nothing",
    }


def _by_probability(run: Meta) -> dict[str, object]:
    """Return what decides where a jury card tells how likely a response is unsafe."""
    protocol = protocol_of(run.identity)
    is_calibrated = protocol.rule.name == _CALIBRATED and run.card is not None
    above = replace(protocol.rule, card=run.card).deciding_threshold if is_calibrated else None
    talks = is_calibrated and protocol.stop == "sequential" and protocol.talk != "never"
    between = "{:g} to {:g}".format(*protocol.talk_between) if talks else "any"
    return {
        "the threshold of unsafe": "none" if above is None else f"{above:.6g}",
        "talk_between": between,
    }


def cases_of(meta: Meta) -> frozenset[str]:
    """Return hashes of what the cases of a run are of, and were of before it grew."""
    before = (of for step in meta.grown for of in step.of)
    return frozenset((cases_sha256(meta.identity), *before))


def tie_of(tie: str | None, seats: int) -> str:
    """Return what a tie of a majority is found to be, empty for no verdict, and without ties."""
    return tie if tie in ("unsafe", "safe") and seats % 2 == 0 else ""


def _of_seats(known: _Identity, seats: Sequence[SeatInfo]) -> Iterator[dict[str, object]]:
    """Yield what shapes the ballots of each seat, by what it is."""
    drawn = iter(() if known.sampling is None else known.sampling.jurors)
    for info, juror, persona in zip(seats, known.jury.jurors, known.personas, strict=True):
        own = _sampling(juror, persona)
        has_model = persona != HUMAN and (juror.agent is None or bool(juror.model or juror.vllm))
        agent = known.agents.get(info.seat)
        yield {
            "model": [info.model, juror.vllm.args if juror.vllm else {}],
            "persona": _instructed(persona),
            "sampling": next(drawn, own) if has_model else None,
            "senses": _senses(juror),
            "request": _request(juror.request),
            "agent": agent and agent.get("sha256"),
            "guard": info.guard and [known.guards.get(info.seat), juror.controversial],
        }


def _sampling(juror: _Juror, persona: _Persona) -> dict[str, float | None]:
    """Return how a juror's words are drawn, for runs that do not say it in one place."""
    said: dict[str, Any] = persona if isinstance(persona, dict) else {}
    own: dict[str, float | None] = said.get("sampling") or {}
    temperature = own.get("temperature") if juror.temperature is None else juror.temperature
    top_p = own.get("top_p") if juror.top_p is None else juror.top_p
    drawn = Sampling(temperature, top_p).or_greedy()
    return {"temperature": drawn.temperature, "top_p": drawn.top_p}


def _instructed(persona: _Persona) -> object:
    """Return the words of a persona: its model and sampling may be another's."""
    if not isinstance(persona, dict):
        return persona
    return {key: words for key, words in persona.items() if key not in ("model", "sampling")}


def _senses(juror: _Juror) -> list[object]:
    sides = (juror.max_image_side, juror.max_image_pixels, juror.max_image_bytes)
    takes = (juror.images, juror.audio, juror.json_schema)
    return [*takes, *sides, juror.max_images, juror.image_formats]


def _request(said: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return what each request says, without headers and what is not set."""
    kept = {key: value for key, value in (said or {}).items() if value not in (None, {}, [])}
    kept.pop("headers", None)
    return kept or None


def _hashes_of(parts: Mapping[str, object]) -> dict[str, str]:
    return {name: _hash_of(part)[:_SHOWN] for name, part in parts.items() if part}


def _hash_of(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
