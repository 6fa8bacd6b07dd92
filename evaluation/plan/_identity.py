"""The identity of a run: all settings that determine its results."""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, cast

from ...agents import HUMAN, guard_identity, prompt_hashes
from ...assembly import Config
from ...assembly.config import WAY_KEYS
from ...datasets import NEUTRAL_TEXT, Taxonomy
from ...deliberation import RULES, JurySpec, card_sha256
from ..record import known_by_name, without_secrets
from ._plan import RunPlan

_HOW_CALLED = {"api_key_env", "price", "timeout", *WAY_KEYS}
_HOW_RUN = {"python", "port", "start_timeout", "restarts", "env"}
_ELSEWHERE = {**dict.fromkeys(_HOW_CALLED, True), "vllm": _HOW_RUN}
_NOT_IDENTITY = {
    "limits": True,
    "telemetry": True,
    # No verdict depends on an audit, or on where cases are examined and kept.
    "run": {"name", "directory", "cache", "record", "audit_talk", "engine", "address", "workers"},
    # Known by their hashes, which stand beside.
    "targets": {
        "__all__": {
            **_ELSEWHERE,
            **dict.fromkeys(("responses", "pictures", "system", "facts"), True),
        }
    },
    "jury": {
        "jurors": {"__all__": {**_ELSEWHERE, "title": True}},
        "foreperson": _ELSEWHERE,
        "transcriber": True,  # what was found for it stands beside
        "rubric": True,  # as its hash does
        "quotes": True,  # as the hashes of its prompts do
        "card": True,  # as its hash does
        "card_of_another_jury": True,
    },
}
"""What may change between a run and its repeat."""
_BY_CONTENT = {
    *("targets.responses", "targets.pictures", "targets.system", "targets.system.file"),
    *("jury.rubric", "jury.card", "jury.transcriber", "jury.quotes"),
}
"""Keys that the identity leaves out because it holds what they lead to."""


_GROWING = {"scenarios", "limit", "images", "sound", "voices", "run.epochs"}
"""Keys beside the dataset to which a later config may add; see `evaluation.growth`."""


class Decides(StrEnum):
    """Whether a key of a config is part of a run's identity."""

    YES = "yes"
    NO = "no"
    CONTENT = "content"
    """The key itself may change; what it leads to may not."""
    GROWS = "grows"
    """More may be added to it while a run goes on; what is judged stays."""


def decides_results(path: Sequence[str]) -> Decides:
    """Return whether a key of a config is part of a run's identity.

    Args:
        path: The names that lead to it, without the places in lists, such as
            `("jury", "jurors", "persona")`.
    """
    if path[0] == "dataset" or ".".join(path) in _GROWING:
        return Decides.GROWS
    if ".".join(path) in _BY_CONTENT:
        return Decides.CONTENT
    within: Any = _NOT_IDENTITY
    for name in path:
        if isinstance(within, set):
            return Decides.NO if name in within else Decides.YES
        within = within.get("__all__", within).get(name)
        if within is None:
            return Decides.YES
        if within is True:
            return Decides.NO
    return Decides.YES


def plain_config(config: Config, **options: Any) -> dict[str, Any]:
    """Return a config as plain data that names key variables and holds no secret.

    Args:
        config: The config.
        options: See pydantic's `model_dump`.
    """
    return cast(dict[str, Any], without_secrets(config.model_dump(mode="json", **options)))


def decisive_config(config: Config) -> dict[str, Any]:
    """Return the settings of a config that determine the results, as plain data."""
    data = cast(dict[str, Any], known_by_name(plain_config(config, exclude=_NOT_IDENTITY)))
    if config.run.truncated != "judge":  # as all runs before there was a choice
        del data["run"]["truncated"]
    for juror in data["jury"]["jurors"]:
        for key in ("agent", "guard", "controversial"):
            if juror[key] is None:  # as all runs before there was such a key
                del juror[key]
    return data


def identity_of(plan: RunPlan) -> dict[str, object]:
    """Return all settings that determine a run's results, as plain data."""
    jury, rule = plan.jury, RULES[plan.jury.protocol.rule.name]
    known = dict(plan.decisive)
    known["dataset"] = {"name": plan.dataset, "sha256": plan.selection.dataset.sha256}
    known["responses"] = {name: recorded.sha256 for name, recorded in plan.recorded.items()}
    if functions := plan.functions:
        known["functions"] = {name: target.identity for name, target in functions.items()}
    facts = jury_facts(jury)
    rubric = facts.pop("rubric", None)
    known |= facts
    known["words"] = _hash_of_words(plan.taxonomy)
    if plan.systems:
        known["systems"] = {name: _hash_of(text) for name, text in plan.systems.items()}
    if rubric is not None:
        known["rubric"] = rubric
    if jury.protocol.rule.card is not None:
        known["card"] = card_sha256(jury.protocol.rule.card)
    if rule.source_sha256 is not None:
        known["rule"] = rule.source_sha256
    known["transcriber"] = None if plan.whisper is None else plan.whisper.source
    return known


def jury_facts(jury: JurySpec) -> dict[str, object]:
    """Return what a run's identity says of its jury beside the config, as plain data."""
    known: dict[str, object] = {}
    known["personas"] = [
        seat.persona.model_dump(mode="json") if seat.persona else HUMAN if seat.is_person else None
        for seat in jury.seats
    ]
    if agents := jury.agent_factories:
        known["agents"] = {name: made.identity for name, made in agents.items()}
    if guards := {seat.info.seat: seat.info.guard for seat in jury.seats if seat.info.guard}:
        known["guards"] = {name: guard_identity(guard) for name, guard in guards.items()}
    known["sampling"] = jury.drawing()
    talk = jury.protocol.talk == "roundtable"
    known["prompts"] = prompt_hashes(
        quotes=jury.quotes, talk=talk, decides=jury.protocol.foreperson_decides
    )
    if jury.rubric is not None:
        known["rubric"] = jury.rubric.identity()
    return known


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of_words(taxonomy: Taxonomy) -> str:
    """Return a hash of other texts sent to models: guidelines, and the text next to audio."""
    guidelines = {scenario.id: scenario.guideline for scenario in taxonomy.scenarios}
    return _hash_of(json.dumps([guidelines, NEUTRAL_TEXT]))
