"""The command that hears the cases of a jury card again: `safejury recheck`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common.text import many
from ..console import Changes, EstimateOnly, busy, exit_code, guarded, run_async, say

if TYPE_CHECKING:
    from ...evaluation.trust.recheck import Checked, CheckPlan


@guarded
def recheck(
    card: Annotated[
        Path,
        typer.Argument(metavar="CARD", help="A jury card that safejury calibrate RUN wrote."),
    ],
    config: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="Config of its jury; that of its run by default."),
    ] = None,
    changes: Changes = None,
    alpha: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Chance that any juror is said to have moved while none did.",
        ),
    ] = 0.01,
    estimate: EstimateOnly = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> int:
    """Hear a jury card's cases again; exit 3 if a juror moved."""
    from ...evaluation.trust.recheck import check_data, check_text, plan_check, shortfall

    plan = plan_check(card, config, changes or (), alpha=alpha)
    checked = run_async(_checked(plan, estimate_only=estimate))
    if checked is None:
        return 0
    written = json.dumps(check_data(checked), indent=2) + "\n" if as_json else check_text(checked)
    sys.stdout.write(written)
    return exit_code(tuple(shortfall(checked)))


async def _checked(plan: "CheckPlan", *, estimate_only: bool) -> "Checked | None":
    """Say what a check takes, and hold it."""
    from ...common.text import dollars
    from ...evaluation.plan import find_prices, unbound_note, unpriced
    from ...evaluation.trust.recheck import check_card, estimate_check

    prices = await find_prices(plan.jury.models)
    if unbound := unpriced(plan.limits, prices):
        say(f"Note: {unbound_note(unbound)}")
    found = await estimate_check(plan, prices)
    cost = "at an unknown price" if found.usd is None else f"{dollars(found.usd)}"
    say(
        f"{many(len(plan.sample.cases), 'case')}, {many(len(plan.jurors), 'juror')}: "
        f"{found.calls:,} calls, and one more for each vote that changed; at most "
        f"{found.tokens:,} tokens, {cost}."
    )
    if estimate_only:
        return None
    with busy(f"Hearing {many(plan.ballots, 'ballot')} …"):
        return await check_card(plan, notify=say)
