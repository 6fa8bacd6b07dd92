"""What `run --plan` and `serve` do."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...assembly import load_config
from ...assembly.servers import SERVER_LOGS, make_fleet, plan_servers
from ...common import ConfigurationError
from ...common.text import many
from ...evaluation import Setup, set_up
from ...evaluation.plan import estimate, missing_keys, specs_of
from ...targets import render_plan, serve
from ..console import run_async, say, write_line


def show_plan(path: Path, changes: Sequence[str]) -> int:
    """Write what a run would do to standard output: cases, calls, and its servers' order.

    Raises:
        ConfigurationError: The run would not start, for want of a key or a price.
    """
    setup = set_up(load_config(path, changes), path.parent)
    expected, problem = run_async(estimate(setup))
    problems = [*run_async(missing_keys(specs_of(setup))), *filter(None, [problem])]
    lines = [*_cases(setup), "expected, a guess:", *expected]
    for line in (*lines, *run_async(_servers(setup))):
        write_line(line)
    if problems:
        raise ConfigurationError("; ".join(problem.rstrip(".") for problem in problems))
    return 0


def _cases(setup: Setup) -> list[str]:
    conditions = f" under {len(setup.conditions)} conditions" if len(setup.conditions) > 1 else ""
    queries = f"{many(len(setup.selection), 'query', 'queries')}{conditions}"
    targets = many(len(setup.config.targets), "target")
    epochs = setup.config.run.epochs
    times = "" if epochs == 1 else f", {epochs} times each"
    jury = f"{many(len(setup.jury.seats), 'juror')}, protocol {setup.jury.protocol.name}"
    return [
        f"{many(setup.total, 'case')}: {queries} to {targets}{times}",
        f"{jury}; results go to {setup.directory}",
    ]


async def _servers(setup: Setup) -> list[str]:
    if not setup.servers:
        return ["no server is started: no model has `vllm:`"]
    return render_plan(await plan_servers(setup.servers))


def serve_config(path: Path, changes: Sequence[str]) -> int:
    """Start all servers of a config and wait for Ctrl-C."""
    setup = set_up(load_config(path, changes), path.parent)
    if not setup.servers:
        raise ConfigurationError(f"{path}: no model has `vllm:`, so there is nothing to serve")
    try:
        run_async(_serve(setup))
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


async def _serve(setup: Setup) -> None:
    # None makes room for another: all are there for whoever calls.
    uses = [replace(use, keep=True) for use in setup.servers]
    fleet = await make_fleet(uses, setup.directory, say, keyed=False)
    for line in render_plan(fleet.plan):
        say(line)
    say(f"Logs go to {setup.directory / SERVER_LOGS}. Ctrl-C stops the servers.")
    await serve(fleet, write_line)
