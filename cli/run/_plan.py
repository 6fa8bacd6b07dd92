"""What `safejury run --plan` shows."""

from ...assembly.servers import plan_servers
from ...common import ConfigurationError
from ...common.text import many
from ...evaluation import RunPlan
from ...evaluation.growth import look
from ...evaluation.plan import estimate, missing_keys
from ...targets import render_plan
from ..console import run_async, write_line


def show_plan(plan: RunPlan) -> int:
    """Write what a run would do to standard output: cases, calls, and its servers' order.

    Raises:
        ConfigurationError: The run would not start, for want of a key or a price.
        RecordError: It was begun with another configuration.
    """
    growth, finished = run_async(look(plan))
    expected, problem = run_async(estimate(plan, finished))
    problems = [*run_async(missing_keys(plan.models)), *filter(None, [problem])]
    lines, whole = _cases(plan), "expected (estimate)"
    if growth is not None and growth.finished:
        lines += growth.lines()
        left = many(growth.total - growth.finished, "case")
        whole = f"expected for {left} that are left (estimate)"
    lines += [f"{whole}:", *expected]
    for line in (*lines, *run_async(_servers(plan)), *run_async(_engine(plan))):
        write_line(line)
    if problems:
        raise ConfigurationError("; ".join(problem.rstrip(".") for problem in problems))
    return 0


def _cases(plan: RunPlan) -> list[str]:
    conditions = f" under {len(plan.conditions)} conditions" if len(plan.conditions) > 1 else ""
    queries = f"{many(len(plan.selection), 'query', 'queries')}{conditions}"
    targets = many(len(plan.targets), "target")
    epochs = plan.options.epochs
    times = "" if epochs == 1 else f", {epochs} times each"
    audit = plan.options.audit_talk
    audited = f"; talk audit: each votes twice more on {many(audit, 'case')} that they discuss"
    jury = f"{many(len(plan.jury.seats), 'juror')}, protocol {plan.jury.protocol.name}"
    return [
        f"{many(plan.total, 'case')}: {queries} to {targets}{times}",
        f"{jury}{audited if audit else ''}; results go to {plan.directory}",
    ]


async def _servers(plan: RunPlan) -> list[str]:
    if plan.servers and plan.options.engine == "ray":
        return []  # the cluster says where they are
    if not plan.servers:
        return ["no server is started: no model has `vllm:`"]
    return render_plan(await plan_servers(plan.servers))


async def _engine(plan: RunPlan) -> list[str]:
    if plan.options.engine == "local":
        return []
    from ...evaluation.engine import describe_cluster

    return await describe_cluster(plan)
