"""What `safejury personas`, `scenarios` and `doctor` show."""

from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...agents import bundled_personas
from ...common import escape_controls
from ...datasets import taxonomy_of
from ..console import run_async, say
from ._doctor import Check, check_config, check_machine


def list_personas() -> None:
    """Show the bundled personas in a table."""
    table = Table("persona", "title", "perspective", box=SIMPLE, pad_edge=False)
    table.columns[0].no_wrap = True
    for persona in bundled_personas():
        table.add_row(Text(persona.name), Text(persona.title), Text(persona.perspective))
    Console().print(table)
    say("Write your own as YAML with name, title, perspective and instructions.")


def list_scenarios(name: str | None, place: Path | None) -> None:
    """Show the scenarios in a table, or one whole.

    Args:
        name: The one to show.
        place: A taxonomy file, or a set's folder; None for the bundled taxonomy.
    """
    console, taxonomy = Console(), taxonomy_of(place)
    if name is not None:
        scenario = taxonomy.resolve(name)
        console.print(Text(scenario.title, style="bold"), Text(scenario.id, style="cyan"))
        console.print(Text(f"\n{scenario.definition}\n\n{scenario.guideline}"))
        return
    table = Table("id", "title", "alias", box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for category in taxonomy.categories:
        table.add_section()
        for scenario in category.scenarios:
            aliases = ", ".join(scenario.aliases)
            table.add_row(Text(scenario.id, style="cyan"), Text(scenario.title), Text(aliases))
    console.print(table)


def examine(config: Path | None) -> int:
    """Show what the doctor finds; 2 if it is the config that is wrong, 3 for other problems."""
    checks = list(check_machine())
    if config is not None:
        checks += run_async(check_config(config))
    console = Console()
    table = Table.grid(padding=(0, 2, 0, 0))
    for check in checks:
        table.add_row(*_finding(check))
    console.print(table)
    if config is None:
        say("Name a config to check its keys and endpoints too: safejury doctor CONFIG")
    return min((check.code for check in checks if check.state == "problem"), default=0)


def _finding(check: Check) -> tuple[Text, Text]:
    mark, style = {"ok": ("ok", "green"), "note": ("note", "yellow")}.get(
        check.state, ("FAIL", "bold red")
    )
    found = Text.assemble((escape_controls(check.what), "bold"), "  ", escape_controls(check.said))
    found.overflow = "fold"
    return Text(mark, style), found
