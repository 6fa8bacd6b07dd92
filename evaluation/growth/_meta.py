"""Joins the facts that a record keeps beside a run's identity."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ..record import Meta

_BY_TARGET = ("systems", "facts")
_decode = msgspec.json.decode


def joined_meta(kept: Meta, now: Mapping[str, str], left: Iterable[str]) -> dict[str, str]:
    """Return the facts of a run as it is now, with those of kept cases that others have not.

    Args:
        kept: What is known of it so far.
        now: What is known of the config that goes on with it.
        left: Targets that the config has no more.
    """
    raw = kept.raw
    meta = dict(now)
    if raw.get("embedded") == "yes":  # verdicts of before mean nothing still
        meta["embedded"] = "yes"
    for key in _BY_TARGET:
        if key in raw and key in now:
            meta[key] = _text({**_decode(raw[key]), **_decode(now[key])})
    if "servers" in raw and "servers" in now:
        served: dict[str, list[str]] = _decode(now["servers"])
        for server, targets in kept.served.items():
            served[server] = _union(targets, served.get(server, ()))
        meta["servers"] = _text(served)
    if "used" in now:
        used = _decode(now["used"])
        rows = {**kept.used.rows, **used["rows"]}
        meta["used"] = _text({**used, "rows": rows})
    if "unbound" in now:
        meta["unbound"] = _text(_union(kept.unbound, _decode(now["unbound"])))
    responses = kept.identity.get("responses", {})
    if "notes" in now and any(name in responses for name in left):
        meta["notes"] = _text(_union(kept.notes, _decode(now["notes"])))
    if kept.selected and "selected" not in now:
        meta["selected"] = "[]"
    return meta


def _union(one: Iterable[str], two: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*two, *one]))


def _text(data: Any) -> str:
    return msgspec.json.encode(data).decode()
