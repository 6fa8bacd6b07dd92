"""What of a run's plan is sent to workers, and what cannot be."""

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from ...common import ConfigurationError
from ...common.text import quoted
from ...datasets import read_taxonomy
from ...deliberation import RULES, jury_as_data
from ...models import ModelSpec, is_secret_name, spec_as_data
from ...targets import ModelTargetSpec, ServerAddress
from ..plan import RunPlan
from ._messages import Setup

_MOST_SOURCE = 256 * 1024
_LOCAL = "or run with the engine `local`"


def check_travels(plan: RunPlan) -> None:
    """Check that workers on other machines can do what a plan says.

    Raises:
        ConfigurationError: Something is only on this machine, or in this process; says what.
    """
    for reason in _bound_here(plan):
        raise ConfigurationError(f"{reason}, {_LOCAL}")
    setup_of(plan, worker="", cases=1, pace=0.0)


def _bound_here(plan: RunPlan) -> Iterator[str]:
    """Yield why a plan can be run on this machine alone."""
    if plan.jury.has_person:
        yield "the person on the jury is at this terminal: take `human` off the jury"
    for use in plan.servers:
        for name in (name for name, _ in use.spec.env if is_secret_name(name)):
            yield (
                f"the server {quoted(use.name)} has {name} under `env:`, and secrets are not sent "
                "to nodes: export it there before `ray start`"
            )
    if plan.options.record is not None:
        yield (
            "run.record in a database is for several drivers, and workers on Ray have only one: "
            "take it out"
        )
    if plan.options.cache is not None:
        yield "run.cache is a file that only this machine writes: take it out"
    if plan.whisper is not None:
        yield (
            "sounds would be transcribed for jurors that cannot hear, and workers do not: set "
            "jury.transcriber: never, or seat jurors that hear"
        )
    if plan.telemetry.otel:
        yield "workers send nothing by OpenTelemetry: take `otel` out"


def setup_of(
    plan: RunPlan,
    *,
    worker: str,
    cases: int,
    pace: float,
    answered: Iterable[ModelSpec] = (),
    servers: Iterable[ServerAddress] = (),
) -> Setup:
    """Return what a worker is made from.

    Args:
        plan: The run.
        worker: See `Setup`.
        cases: See `Setup`.
        pace: See `Setup`.
        answered: Models that have answered before.
        servers: Where the managed servers are.

    Raises:
        ConfigurationError: Something cannot be sent, such as a key that is in no variable.
    """
    functions = _function_places(plan)
    served = [spec for spec in plan.models if spec.server is not None]  # they said that they serve
    known = {functions[name]: one.identity["sha256"] for name, one in plan.functions.items()}
    known |= {one.place: one.sha256 for one in plan.jury.agent_factories.values()}
    rule = plan.jury.protocol.rule.name
    if (of_rule := RULES[rule].source_sha256) is not None:
        known[rule] = of_rule
    sources = _sources(known)
    return Setup(
        jury=jury_as_data(plan.jury, managed=True),
        targets=[_target_data(target) for target in plan.asked.values()],
        functions=functions,
        known=known,
        sources=sources,
        folders=sorted({str(Path(str(sys.modules[name].__file__)).parent) for name in sources}),
        lanes=lanes_of(plan),
        limits=plan.limits.model_dump(mode="json", exclude_unset=True),
        answered=[spec_as_data(spec, managed=True) for spec in {*answered, *served}],
        judges_truncated=plan.judges_truncated,
        taxonomy=_taxonomy_text(plan),
        pace=pace,
        worker=worker,
        cases=cases,
        servers=list(servers),
    )


def lanes_of(plan: RunPlan) -> list[list[str]]:
    """Group the names of targets by endpoint, managed servers included."""
    hosted = dict[str, list[str]]()
    for target, server in plan.hosts.items():
        hosted.setdefault(server, []).append(target)
    return [*plan.targets_by_place(), *hosted.values()]


def _target_data(target: ModelTargetSpec) -> dict[str, Any]:
    said = {
        "name": target.name,
        "model": spec_as_data(target.model, managed=True),
        "max_tokens": target.max_tokens,
        "seed": target.seed,
        "sampling": asdict(target.sampling),
        "images": asdict(target.images),
        "system": target.system,
    }
    return msgspec.to_builtins(said)


def _function_places(plan: RunPlan) -> dict[str, str]:
    """Return where the functions under test are, by target.

    Raises:
        ConfigurationError: One is an object of this process alone.
    """
    said = {each["name"]: each["function"] for each in plan.config["targets"]}
    for name, target in plan.functions.items():
        if not _is_found(said[name] or "", target.function):
            raise ConfigurationError(
                f"the target {name!r} is a function that only this process has: put it into a "
                f"module, and name it as `function: module:function`, {_LOCAL}"
            )
    return {name: said[name] for name in plan.functions}


def _is_found(place: str, function: object) -> bool:
    """Return whether another program, too, finds a function by its module and name."""
    module, _, name = place.partition(":")
    return module != "__main__" and getattr(sys.modules.get(module), name, None) is function


def _sources(places: Iterable[str]) -> dict[str, str]:
    """Return the modules of the user's own that hold functions, by name.

    What is installed is not sent: workers have it, or say that they lack it.
    """
    found = dict[str, str]()
    for place in places:
        name = place.partition(":")[0]
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None or _is_installed(name, path := Path(file)):
            continue
        if "." in name or path.name == "__init__.py" or path.suffix != ".py":
            raise ConfigurationError(
                f"{quoted(place)} is in a package that is not installed, and only single modules "
                f"are sent to workers: install it on every node, {_LOCAL}"
            )
        text = path.read_text(encoding="utf-8")
        if len(text) > _MOST_SOURCE:
            raise ConfigurationError(
                f"{quoted(place)} is in a module of more than {_MOST_SOURCE // 1024} KiB: install "
                f"it on every node, {_LOCAL}"
            )
        found[name] = text
    return found


def _is_installed(name: str, path: Path) -> bool:
    ours = name.partition(".")[0] == __name__.partition(".")[0]
    places = sysconfig.get_paths()
    return ours or any(path.is_relative_to(places[key]) for key in ("purelib", "platlib", "stdlib"))


def _taxonomy_text(plan: RunPlan) -> str | None:
    """Return the set's own taxonomy as its file has it, None for the bundled one."""
    path = plan.taxonomy.path
    if path is None:
        return None
    if read_taxonomy(path).categories != plan.taxonomy.categories:
        raise ConfigurationError(f"{path}: changed since the set was read: repeat the command")
    return path.read_text(encoding="utf-8")
