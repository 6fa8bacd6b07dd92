"""Facts on a run as a whole without words, addresses and the names of files."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from ....common import ConfigurationError
from ....deliberation.protocol.card import CardJury
from ....targets import WITHHELD
from .._jury import cases_sha256, decided_by, jury_identity
from .._meta import SEALED, Meta, binding
from ..growth import GROWN
from ..identity import SHARED, Kept, Shared
from ._entries import seat_without_words
from ._places import Places, persona_name, plain_name

_AS_THEY_ARE = (
    *("format", "protocol", "embedded", "total", "planned", "queries", "used", "limits"),
    *("selected", "parts_of", "unasked", "asked", "facts"),
)
"""Facts that hold numbers, hashes, names of targets and the facts that figures show of them."""
_SETTINGS = frozenset(
    {
        *("temperature", "top_p", "images", "audio", "max_images", "max_image_side"),
        *("max_image_pixels", "max_image_bytes", "max_tokens", "seed", "epochs", "truncated"),
        *("preset", "talk", "rounds", "turns", "rule", "k", "tie", "stop", "bound", "summary"),
        *("name", "persona", "model", "guard"),
    }
)
"""Settings whose values are numbers, words of ours, or names that reports show."""
_OF_PARTS = (
    "scenarios",
    "limit",
    "images",
    "sound",
    "voices",
    "prompts",
    "words",
    "systems",
    "card",
    "rule",
)
"""Parts of an identity that hold numbers, ids and hashes."""
_SETS = frozenset({"mini", "responses"})


def facts_without_words(meta: Meta, name: str, shared: Shared, places: Places) -> dict[str, str]:
    """Return the rows of `meta` of a shareable copy.

    Args:
        meta: The facts of the run.
        name: The name of the copy.
        shared: What it says of the run.
        places: Takes places out of names of servers.
    """
    raw = {key: meta.raw[key] for key in _AS_THEY_ARE if key in meta.raw}
    rubric = meta.rubric
    raw |= {
        "name": name,
        "version": meta.raw.get("version", ""),
        "identity": _text(_identity(meta)),
        "jury": _text([seat_without_words(info) for info in meta.jury]),
        "notes": "[]",
        "unbound": _text([plain_name(model) for model in meta.unbound]),
        SHARED: _text(shared),
        SEALED: "yes",
    }
    if rubric is not None:
        raw["rubric"] = _text({"name": "rubric", "text": "", "sha256": rubric.sha256})
    if meta.card is not None:
        jury = _seats_alone(meta.card.jury)
        raw["card"] = _text(msgspec.structs.replace(meta.card, jury=jury, notes=(), sample=None))
    if meta.served:
        raw["servers"] = _text({places.apart(it): names for it, names in meta.served.items()})
    if meta.grown:
        steps = (
            {"when": it.when, "version": it.version, "added": WITHHELD, "of": it.of}
            | ({"merged": [WITHHELD for _ in it.merged]} if it.merged else {})
            for it in meta.grown
        )
        raw[GROWN] = _text(list(steps))
    return {**raw, **binding(raw)}


def _identity(meta: Meta) -> dict[str, Any]:
    said, dataset = meta.identity, meta.identity.get("dataset", {})
    known = dataset.get("name") if dataset.get("name") in _SETS else WITHHELD
    kept: dict[str, Any] = {
        "dataset": {"name": known, "sha256": dataset.get("sha256")},
        **{key: said[key] for key in _OF_PARTS if key in said},
        "targets": [_settings(it) for it in said.get("targets", ())],
        "jury": _jury(said.get("jury", {})),
        "run": _settings(said.get("run", {})),
        "responses": dict(said.get("responses", {})),
        "sampling": said.get("sampling"),
        "transcriber": _transcriber(said.get("transcriber")),
        SHARED: msgspec.to_builtins(_kept(meta)),
    }
    if functions := said.get("functions"):
        kept["functions"] = {name: {} for name in functions}
    return kept


def _kept(meta: Meta) -> Kept:
    try:
        jury = jury_identity(meta.identity, meta.jury)
    except ConfigurationError:  # of an early version
        jury = None
    jury = None if jury is None else _seats_alone(jury)
    others = decided_by(meta.identity, len(meta.jury)).others
    return Kept(jury=jury, others=others, cases=cases_sha256(meta.identity))


def _seats_alone(jury: CardJury) -> CardJury:
    """Return a jury as a card knows it, without the places of models and personas."""
    seats = (
        msgspec.structs.replace(it, model=plain_name(it.model), persona=persona_name(it.persona))
        for it in jury.seats
    )
    return msgspec.structs.replace(jury, seats=tuple(seats))


def _jury(said: Mapping[str, Any]) -> dict[str, Any]:
    kept = _settings(said)
    kept["jurors"] = [_settings(juror) for juror in said.get("jurors", ())]
    protocol = said.get("protocol")
    if protocol is not None:
        kept["protocol"] = protocol if isinstance(protocol, str) else _settings(protocol)
    if isinstance(presides := said.get("foreperson"), dict):
        kept["foreperson"] = _settings(cast("Mapping[str, Any]", presides))
    return kept


def _settings(said: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: _plain(value) for key, value in said.items() if key in _SETTINGS}
    if isinstance(persona := said.get("persona"), str):
        kept["persona"] = persona_name(persona)
    server = said.get("vllm")
    if isinstance(server, dict) and (model := cast("dict[str, Any]", server).get("model")):
        kept["vllm"] = {"model": plain_name(str(model))}
    return kept


def _plain(value: object) -> object:
    if isinstance(value, str):
        return plain_name(value)
    return value if value is None or isinstance(value, bool | int | float) else None


def _transcriber(said: object) -> object:
    """Return what wrote down sounds, without the place where it is."""
    return plain_name(said) if isinstance(said, str) else None


def _text(data: object) -> str:
    return msgspec.json.encode(data).decode()
