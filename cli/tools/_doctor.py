"""The command that checks what a run needs: `safejury doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...common import escape_controls
from ..console import guarded, run_async, say

if TYPE_CHECKING:
    from rich.text import Text

    from ._checks import Check


@guarded
def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="Also check this config, and call its models once."),
    ] = None,
) -> int:
    """Check environment, keys and endpoints. Say what to do."""
    from rich.console import Console
    from rich.table import Table

    from ._checks import check_config, check_machine

    checks = list(check_machine())
    if config is not None:
        checks += run_async(check_config(config))
    table = Table.grid(padding=(0, 2, 0, 0))
    for check in checks:
        table.add_row(*_finding(check))
    Console().print(table)
    if config is None:
        say("Name a config to check its keys and endpoints too: safejury doctor CONFIG")
    # 2 if the config is wrong, 3 for other problems.
    return min((check.code for check in checks if check.state == "problem"), default=0)


def _finding(check: "Check") -> "tuple[Text, Text]":
    from rich.text import Text

    mark, style = {"ok": ("ok", "green"), "note": ("note", "yellow")}.get(
        check.state, ("FAIL", "bold red")
    )
    found = Text.assemble((escape_controls(check.what), "bold"), "  ", escape_controls(check.said))
    found.overflow = "fold"
    return Text(mark, style), found
