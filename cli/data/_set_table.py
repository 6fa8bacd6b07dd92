"""What `safejury datasets show` shows: a set's facts and counts."""

from collections import Counter

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...common import escape_line
from ...datasets import (
    UNCATEGORISED,
    Dataset,
    Intent,
    LoadedSet,
    Query,
    Taxonomy,
    crosswalk,
    load_taxonomy,
)
from ._asked import Asked, say_notes

_NONE = "\N{EN DASH}"


def show_set(asked: Asked) -> None:
    """Show what is in a set, by counts."""
    dataset = asked.open()
    counts = _Counts()
    for query in dataset:
        counts.add(query)
    console = Console()
    _print(console, _facts(dataset, counts))
    _print(console, _table(dataset.taxonomy, counts))
    say_notes(dataset)


def _print(console: Console, table: Table) -> None:
    """Write a table, with hyphens for the dashes that a terminal may not have."""
    if not console.options.ascii_only:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    console.file.write(captured.get().replace(_NONE, "-"))


class _Counts:
    """Counts of a set, by scenario."""

    def __init__(self) -> None:
        self.total = 0
        self.intents: Counter[tuple[str, Intent]] = Counter()
        self.pictures: Counter[str] = Counter()
        self.sounds: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()

    def add(self, query: Query) -> None:
        self.total += 1
        self.intents[query.scenario, query.intent] += 1
        self.pictures[query.scenario] += bool(query.images)
        self.sounds[query.scenario] += query.audio is not None
        self.labels.update(query.labels.keys())

    def row(self, scenario: str) -> list[Text]:
        """Return the cells of a scenario: harmful, benign, with pictures, with sound."""
        numbers = (
            self.intents[scenario, Intent.HARMFUL],
            self.intents[scenario, Intent.BENIGN],
            self.pictures[scenario],
            self.sounds[scenario],
        )
        return [_number(each) for each in numbers]

    def totals(self) -> list[Text]:
        """Return the same over all scenarios."""
        by_intent = {
            intent: sum(n for (_, kind), n in self.intents.items() if kind is intent)
            for intent in Intent
        }
        numbers = (*by_intent.values(), self.pictures.total(), self.sounds.total())
        return [_number(each) for each in numbers]

    def has(self, scenario: str) -> bool:
        """Return whether there is a query of it."""
        return any(self.intents[scenario, intent] for intent in Intent)


def _facts(dataset: Dataset | LoadedSet, counts: _Counts) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    facts = {"set": dataset.name, "path": str(dataset.path)}
    if isinstance(dataset, LoadedSet):
        facts |= {"format": dataset.loader.title, "license": dataset.loader.license}
    facts |= {"queries": f"{counts.total:,}", "sha256": dataset.sha256}
    if counts.labels:
        facts["labels"] = ", ".join(f"{name} ({n:,})" for name, n in sorted(counts.labels.items()))
    if dataset.taxonomy.path is not None:
        facts["scenarios"] = f"its own, from {dataset.taxonomy.path}"
    for key, said in facts.items():
        table.add_row(key, Text(escape_line(said)))
    return table


def _table(taxonomy: Taxonomy, counts: _Counts) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 0), show_footer=True)
    ours = taxonomy is load_taxonomy()
    table.add_column("scenario", footer="all", no_wrap=ours)
    heads = ("harmful", "benign", "pic-\ntures", "sound")
    for head, total in zip(heads, counts.totals(), strict=True):
        table.add_column(head, footer=total, justify="right", no_wrap=True, min_width=6)
    if ours:
        table.add_column("MLCommons", min_width=9)
        table.add_column("Llama\nGuard", min_width=6)
    for category in taxonomy.categories:
        present = [scenario for scenario in category.scenarios if counts.has(scenario.id)]
        if present:
            table.add_section()
        for scenario in present:
            others = _counterparts(scenario.id) if ours else []
            table.add_row(Text(scenario.title), *counts.row(scenario.id), *others)
    if counts.has(UNCATEGORISED.id):
        table.add_section()
        others = _counterparts(None) if ours else []
        table.add_row(
            Text(UNCATEGORISED.title, style="italic"), *counts.row(UNCATEGORISED.id), *others
        )
    return table


def _counterparts(scenario: str | None) -> list[Text]:
    if scenario is None:
        return [_number(0), _number(0)]
    found = crosswalk().scenarios[scenario]
    return [
        Text(" ".join(names)) if names else _number(0)
        for names in (found.mlcommons, found.llama_guard)
    ]


def _number(value: int) -> Text:
    return Text(f"{value:,}") if value else Text(_NONE, style="dim")
