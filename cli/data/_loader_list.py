"""What `safejury datasets list` shows."""

from collections.abc import Mapping

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...datasets import UNCATEGORISED, Taxonomy, load_taxonomy
from ...datasets.loaders import LOADERS, loader_named
from ...datasets.loaders.mappings import Mapped, table_of
from ..console import say

_PAD = (0, 1, 0, 0)


def list_loaders(name: str | None) -> None:
    """Show all loaders in a table, or all about one."""
    console = Console()
    if name is not None:
        _show_loader(console, name)
        return
    table = Table("loader", "license", "what is in it", box=SIMPLE, pad_edge=False, padding=_PAD)
    table.columns[0].no_wrap = True
    table.add_row(Text("mini", style="cyan"), "Apache-2.0", "bundled: 23 scenarios, with pictures")
    for each in map(loader_named, LOADERS):
        table.add_row(Text(each.name, style="cyan"), Text(each.license), Text(each.about))
    console.print(table)
    say("Sets are read from where you have them: safejury datasets show LOADER:PATH")
    say("What a loader needs and which settings it takes: safejury datasets list LOADER")


def _show_loader(console: Console, name: str) -> None:
    loader = loader_named(name)
    console.print(Text(loader.title, style="bold"), Text(loader.name, style="cyan"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    facts = {
        "": "",
        "holds": loader.about,
        "needs": loader.needs,
        "license": loader.license,
        "home": loader.home or "yours",
        **{f"--set {key}=": said for key, said in loader.settings.items()},
    }
    for key, said in facts.items():
        table.add_row(key, Text(said))
    if loader.maps:
        table.add_row(
            "--map",
            "which column is what: id, text, category, intent, images, audio, source, "
            "underlying_request, labels.NAME",
        )
    console.print(table)
    if (mapped := table_of(loader.name)) is not None:
        _show_mapping(console, mapped)


def _show_mapping(console: Console, mapped: Mapping[str, Mapped]) -> None:
    """Show which scenario each category of a set is, and why where that is not plain."""
    taxonomy = load_taxonomy()
    table = Table("the set's category", "scenario", "why", box=SIMPLE, pad_edge=False, padding=_PAD)
    for name, each in mapped.items():
        table.add_row(Text(name), _scenario_title(taxonomy, each.scenario), Text(each.reason))
        for scenario, rows in each.rows.items():
            count = "1 row of it" if len(rows) == 1 else f"{len(rows)} rows of it"
            table.add_row(Text(f"  {count}", style="dim"), _scenario_title(taxonomy, scenario), "")
    console.print(table)


def _scenario_title(taxonomy: Taxonomy, scenario: str | None) -> Text:
    found = UNCATEGORISED if scenario is None else taxonomy.resolve(scenario)
    return Text(found.title, style="italic" if found is UNCATEGORISED else "")
