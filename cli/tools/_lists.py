"""The commands that list personas and scenarios: `safejury personas` and `scenarios`."""

from typing import Annotated

import typer

from ..console import TaxonomyPath, guarded, say


@guarded
def personas() -> None:
    """List the bundled personas."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ...agents import bundled_personas

    table = Table("persona", "title", "perspective", box=SIMPLE, pad_edge=False)
    table.columns[0].no_wrap = True
    for persona in bundled_personas():
        table.add_row(Text(persona.name), Text(persona.title), Text(persona.perspective))
    Console().print(table)
    say("Write your own as YAML with name, title, perspective and instructions.")


@guarded
def scenarios(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="An id, or an alias of the paper, to read in full."),
    ] = None,
    taxonomy: TaxonomyPath = None,
) -> None:
    """List the scenarios, or show one in full."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ...datasets import taxonomy_of

    console, known = Console(), taxonomy_of(taxonomy)
    if name is not None:
        scenario = known.resolve(name)
        console.print(Text(scenario.title, style="bold"), Text(scenario.id, style="cyan"))
        console.print(Text(f"\n{scenario.definition}\n\n{scenario.guideline}"))
        return
    table = Table("id", "title", "alias", box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for category in known.categories:
        table.add_section()
        for scenario in category.scenarios:
            aliases = ", ".join(scenario.aliases)
            table.add_row(Text(scenario.id, style="cyan"), Text(scenario.title), Text(aliases))
    console.print(table)
