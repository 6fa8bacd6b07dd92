"""What of a run's identity must stay, and what a later config may add to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ....common import RecordError
from ._differences import differences

SELECTS = ("dataset", "scenarios", "limit")
"""Keys that say which queries are asked: judged ones are compared one by one, see `evaluation`."""
_BY_TARGET = ("responses", "functions", "systems")
"""Keys of facts by a target's name, beside what the config says of it in `targets`."""
_CONDITIONS = ("images", "sound", "voices")
_GROWING = frozenset({*SELECTS, *_BY_TARGET, *_CONDITIONS, "targets", "transcriber"})
_PLACES = frozenset({"base_url", "api_base", "api_version", "region"})
"""Where a model is reached: on another machine it may be elsewhere."""
Identity = Mapping[str, Any]
"""All settings that determine a run's results, as plain data."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Two identities of one jury and protocol, as one.

    Attributes:
        identity: What both say together; where they select queries, what the second says.
        targets: Targets of the second alone.
        left: Targets of the first alone.
        images: Variants of the pictures of the second alone.
        sound: Parts of queries with sound of the second alone.
        epochs: Epochs that the second has more.
        selects: Whether the second selects queries otherwise.
        reread: Targets whose files of responses have changed.
        transcriber: Whether something else writes down sounds.
    """

    identity: dict[str, Any]
    targets: tuple[str, ...]
    left: tuple[str, ...]
    images: tuple[str, ...]
    sound: tuple[str, ...]
    epochs: int
    selects: bool
    reread: tuple[str, ...]
    transcriber: bool


def plain(identity: Mapping[str, object]) -> dict[str, Any]:
    """Return an identity as it is read back from a record."""
    return cast("dict[str, Any]", json.loads(json.dumps(identity)))


def join_identities(directory: object, one: Identity, two: Identity) -> Joined:
    """Join the identities of a run and of one that adds to it.

    Args:
        directory: The run's directory, for errors.
        one: The identity so far.
        two: The other.

    Raises:
        RecordError: The jury, its prompts or rule, a cap, a seed or a target they share differs.
    """
    if changes := lasting_changes(one, two):
        raise RecordError(_refusal(directory, one, two, changes))
    return joined(one, two)


def joined(one: Identity, two: Identity) -> Joined:
    """Join two identities that have all in common that must stay; see `join_identities`."""
    before, after = _targets(one), _targets(two)
    epochs = max(_epochs(one), _epochs(two))
    identity = {
        **one,
        **{key: two[key] for key in two if key in SELECTS},
        **{
            key: _union(one.get(key, ()), two.get(key, ()))
            for key in _CONDITIONS
            if key in one or key in two or key != "voices"
        },
        # As the config has them: what it leaves out comes last.
        "targets": [*after.values(), *(it for name, it in before.items() if name not in after)],
        "run": {**one.get("run", {}), "epochs": epochs},
        "transcriber": two.get("transcriber") or one.get("transcriber"),
    }
    for key in _BY_TARGET:
        if key in one or key in two:
            identity[key] = {**one.get(key, {}), **two.get(key, {})}
    return Joined(
        identity=identity,
        targets=tuple(name for name in after if name not in before),
        left=tuple(name for name in before if name not in after),
        images=_more(one, two, "images"),
        sound=_more(one, two, "sound"),
        epochs=epochs - _epochs(one),
        selects=selects_others(one, two),
        reread=tuple(_reread(one, two)),
        transcriber=one.get("transcriber") != two.get("transcriber"),
    )


def selects_others(one: Identity, two: Identity) -> bool:
    """Return whether two identities select queries otherwise."""
    return any(one.get(key) != two.get(key) for key in SELECTS)


def without_places(identity: Identity) -> dict[str, Any]:
    """Return an identity without the addresses at which models are reached."""
    return cast("dict[str, Any]", _without_places(identity))


def _without_places(data: object) -> object:
    if isinstance(data, dict):
        kept = cast("dict[str, object]", data).items()
        return {key: _without_places(it) for key, it in kept if key not in _PLACES}
    if isinstance(data, list):
        return [_without_places(it) for it in cast("list[object]", data)]
    return data


def lasting_changes(one: Identity, two: Identity) -> list[str]:
    """Return how two identities differ in what must stay, a line each."""
    return list(_changes(one, two))


def _changes(one: Identity, two: Identity) -> Iterator[str]:
    yield from differences(_lasting(one), _lasting(two))
    before, after = _targets(one), _targets(two)
    for name, said in before.items():
        if name in after:
            place = list(after).index(name)
            yield from differences(said, after[name], f"targets[{place}]")
    read, reads = one.get("responses", {}), two.get("responses", {})
    for name in before:
        if name in after and (name in read) != (name in reads):
            yield f"the target {name!r} {'was' if name in read else 'is'} a file of responses"
    for key in ("functions", "systems"):
        was, now = one.get(key, {}), two.get(key, {})
        for name in before:
            if name in after:
                yield from differences(was.get(name), now.get(name), f"{key}.{name}")


def _lasting(identity: Identity) -> dict[str, Any]:
    kept = {key: value for key, value in identity.items() if key not in _GROWING}
    run = {key: value for key, value in kept.get("run", {}).items() if key != "epochs"}
    return {**kept, "run": run}


def _targets(identity: Identity) -> dict[str, Any]:
    return {str(said.get("name")): said for said in identity.get("targets", ())}


def _epochs(identity: Identity) -> int:
    return int(identity.get("run", {}).get("epochs", 1))


def _reread(one: Identity, two: Identity) -> Iterator[str]:
    now = two.get("responses", {})
    for name, sha256 in one.get("responses", {}).items():
        if name in now and now[name] != sha256:
            yield name


def _more(one: Identity, two: Identity, key: str) -> tuple[str, ...]:
    return tuple(it for it in two.get(key, ()) if it not in one.get(key, ()))


def _union(one: Any, two: Any) -> list[str]:
    return list(dict.fromkeys([*two, *one]))


def _refusal(directory: object, one: Identity, two: Identity, changes: list[str]) -> str:
    shown = "; ".join(changes[:3]) + (f"; and {len(changes) - 3} more" if changes[3:] else "")
    hint = "Change it back to resume, or give this run another run.name."
    if "juror_quotes" in two.get("prompts", {}) and "juror_quotes" not in one.get("prompts", {}):
        hint = f"Its jurors were asked for no quotes: set jury.quotes: off. {hint}"
    return f"{directory}: this run was started with another configuration: {shown}. {hint}"
