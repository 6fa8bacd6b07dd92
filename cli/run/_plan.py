"""What `safejury run --plan` shows."""

from ...assembly.servers import plan_servers
from ...common import ConfigurationError
from ...common.text import many
from ...evaluation import Setup
from ...evaluation.plan import estimate, missing_keys, specs_of
from ...targets import render_plan
from ..console import run_async, write_line


def show_plan(setup: Setup) -> int:
    """Write what a run would do to standard output: cases, calls, and its servers' order.

    Raises:
        ConfigurationError: The run would not start, for want of a key or a price.
    """
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
