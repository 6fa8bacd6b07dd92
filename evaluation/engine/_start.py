"""Starts a run with the engine that its plan names."""

from ...agents import Ask
from ..plan import RunPlan
from ..runner import CaseWatcher, Observer, RunOutcome, run


async def run_plan(
    plan: RunPlan,
    observer: Observer | None = None,
    *,
    retry_failed: bool = False,
    ask: Ask | None = None,
    watcher: CaseWatcher | None = None,
) -> RunOutcome:
    """Run a plan, or resume it, in this process or with workers on Ray; see `runner.run`.

    Raises:
        ConfigurationError: Ray is not installed, there is no cluster, workers cannot do what the
            plan says, or what `runner.run` raises.
        OutageError: An endpoint was down for too long, or workers keep being lost.
    """
    if plan.options.engine == "local":
        return await run(plan, observer, retry_failed=retry_failed, ask=ask, watcher=watcher)
    from ._run import run_with
    from .cluster import open_ray

    async with open_ray(plan) as pool:
        return await run_with(plan, pool, observer, retry_failed=retry_failed, watcher=watcher)
