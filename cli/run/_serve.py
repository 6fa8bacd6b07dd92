"""The command that starts vLLM servers: `safejury serve`."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ...common import ConfigurationError
from ..console import Changes, ConfigPath, guarded, run_async, say, write_line

if TYPE_CHECKING:
    from ...evaluation import RunPlan


@guarded
def serve(config: ConfigPath, changes: Changes = None) -> int:
    """Start the vLLM servers of a config. They stay up until Ctrl-C."""
    from ...assembly import load_config
    from ...evaluation import set_up

    plan = set_up(load_config(config, changes or ()), config.parent)
    if not plan.servers:
        raise ConfigurationError(f"{config}: no model has `vllm:`, so there is nothing to serve")
    try:
        run_async(_serve(plan))
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


async def _serve(plan: "RunPlan") -> None:
    from ...assembly.servers import SERVER_LOGS, make_fleet
    from ...targets import render_plan
    from ...targets import serve as serve_fleet

    # None makes room for another: all are there for whoever calls.
    uses = [replace(use, keep=True) for use in plan.servers]
    fleet = await make_fleet(uses, plan.directory, say, keyed=False)
    for line in render_plan(fleet.plan):
        say(line)
    say(f"Logs go to {plan.directory / SERVER_LOGS}. Ctrl-C stops the servers.")
    await serve_fleet(fleet, write_line)
