"""The calls and cost that `safejury generate` expects, shown before the first call."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ...evaluation.plan import hourly_costs, server_lines
from ...generation import Calls, Stage, StageContext
from ...generation.config import GenerateSetup, Role
from ..console import say

_WIDTH_FOR_TOKENS = 60


def show_estimate(setup: GenerateSetup, stages: Sequence[Stage], context: StageContext) -> None:
    """Show the calls to expect, and what they cost where prices are known."""
    console = Console(stderr=True)
    tells_tokens = console.width >= _WIDTH_FOR_TOKENS
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("stage", "who", "calls", *(["tokens"] if tells_tokens else []), "cost"):
        table.add_column(title, overflow="fold")
    by_name = {role.name: role for role in setup.roles}
    total, known = 0.0, True
    for stage in stages:
        for calls in stage.estimate(context):
            cost = _cost(calls, by_name)
            known = known and cost is not None
            total += cost or 0.0
            tokens = calls.prompt_tokens + calls.completion_tokens
            shown = "unknown" if cost is None else f"${cost:.2f}"
            said = [f"{tokens:,}"] if tells_tokens else []
            table.add_row(stage.name, calls.member, f"{calls.calls:,}", *said, shown)
    console.print("Expected calls (estimate):" if table.rows else "No calls needed.")
    if table.rows:
        console.print(table)
        hourly = hourly_costs(setup.servers)
        for line in server_lines(hourly):
            say(f"Note: {line}.")
        beside = [" plus models of unknown price"] * (not known)
        beside += [" plus server time"] * bool(hourly)
        say(f"Estimated cost: ${total:.2f}{''.join(beside)}")


def _cost(calls: Calls, roles: Mapping[str, Role]) -> float | None:
    role = roles.get(calls.member)
    if role is None:  # a service, whose uses have a price of their own
        return calls.usd
    price = role.spec.known_price
    if price is None:
        return None
    prompt = calls.prompt_tokens * price.input_per_million
    return (prompt + calls.completion_tokens * price.output_per_million) / 1e6
