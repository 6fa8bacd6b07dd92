"""What `safejury datasets` does, once it is asked for."""

import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...common import ConfigurationError, escape_controls, escape_line
from ...datasets import (
    UNCATEGORISED,
    Dataset,
    Intent,
    LoadedSet,
    Query,
    Taxonomy,
    crosswalk,
    find_set,
    load_taxonomy,
    spoken_turns,
    write_jsonl,
)
from ...datasets.jsonl import BadLineError, check_lines
from ..console import EXIT_USAGE, busy, named_values, say, write_line

_PAD = (0, 1, 0, 0)
_NONE = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The set that a command names, and how it is to be read.

    Attributes:
        name: As the user writes it; see `find_set`.
        loader: The loader's name, None where the set's name or its files tell.
        mapping: Columns of a plain table, `WHAT=COLUMN` each.
        settings: The loader's settings, `NAME=VALUE` each.
        limit: How many items are read at most.
        categories: Which scenarios the set's categories are: a file or a loader's name.
    """

    name: str
    loader: str | None = None
    mapping: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    limit: int | None = None
    categories: str | None = None

    def open(self, *, strict: bool = False) -> Dataset | LoadedSet:
        """Return the set.

        Raises:
            ConfigurationError: There is no such set, or it cannot be used.
        """
        with busy(f"Reading {self.name} …"):
            return find_set(
                self.name,
                loader=self.loader,
                mapping=named_values("--map", self.mapping, "WHAT=COLUMN, such as text=prompt"),
                settings=named_values("--set", self.settings, "NAME=VALUE, such as split=test"),
                categories=self.categories,
                strict=strict,
                limit=self.limit,
            )


def show_set(asked: Asked) -> None:
    """Show what is in a set, by counts."""
    dataset = asked.open()
    counts = _Counts()
    for query in dataset:
        counts.add(query)
    console = Console()
    _print(console, _facts(dataset, counts))
    _print(console, _table(dataset.taxonomy, counts))
    _say_notes(dataset)


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
        facts |= {"format": dataset.loader.title, "licence": dataset.loader.licence}
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


def _say_notes(dataset: Dataset | LoadedSet) -> None:
    _say_each(dataset.notes)


def _say_each(notes: Iterable[str]) -> None:
    for note in notes:
        say(escape_line(f"Note: {note}."))


def validate_set(asked: Asked, *, strict: bool) -> int:
    """List what cannot be used of a set, and return the exit code.

    Raises:
        ConfigurationError: There is no such set, or nothing of it can be used.
    """
    try:
        dataset = asked.open()
    except BadLineError as error:
        bad = _list_bad_lines(error, asked.limit)
    else:
        bad = _list_left_out(dataset)
    if strict and bad:
        say("Strict: not one may be left out.")
        return EXIT_USAGE
    return 0


def _list_left_out(dataset: Dataset | LoadedSet) -> int:
    """List the items that a set leaves out, and return how many there are."""
    bad = missing = 0
    if isinstance(dataset, LoadedSet):
        missing = dataset.missing
        bad = dataset.unusable + missing
        for item in dataset.left_out():
            write_line(str(item))
        _say_each(dataset.notes_on_categories)
    else:
        _say_notes(dataset)
    unusable = f"{bad - missing:,} cannot, and {missing:,} lack a picture or a sound"
    say(f"{_queries(len(dataset))} can be used; {unusable if bad else 'nothing is left out'}.")
    return bad


def _list_bad_lines(first: BadLineError, limit: int | None) -> int:
    """List the lines of a query file that cannot be used, and return how many there are."""
    good = bad = 0
    for found in check_lines(first.path, limit):
        if isinstance(found, BadLineError):
            bad += 1
            write_line(str(found))
        else:
            good += 1
    if not good:
        raise first
    say(
        f"{_queries(good)} can be used; {bad:,} cannot. A query file of our own format is taken "
        "whole or not at all: a run refuses this one until each of those lines is mended or gone."
    )
    return bad


def _queries(number: int) -> str:
    return "1 query" if number == 1 else f"{number:,} queries"


def convert_set(asked: Asked, out: Path, *, strict: bool, force: bool) -> None:
    """Write a set as our own JSONL.

    Raises:
        ConfigurationError: The set cannot be used, or the file cannot be written.
    """
    if os.path.exists(out) and not force:  # not there, if its folder cannot be looked into
        raise ConfigurationError(f"{out}: exists already: add --force to replace it")
    if out.suffix.lower() != ".jsonl":
        raise ConfigurationError(f"{out}: name a file that ends in .jsonl")
    dataset = asked.open(strict=strict)
    with busy(f"Writing {out} …"):
        written = write_jsonl(out, dataset, private=True)
    _say_notes(dataset)
    say(f"Wrote {_queries(written)} to {out}, readable by you alone.")
    if isinstance(dataset, LoadedSet) and dataset.loader.home:
        say(f"The set's licence holds for the copy too: {dataset.loader.licence}.")


def sample_set(asked: Asked, *, number: int, seed: int, reveal: bool) -> None:
    """Show some queries of a set, chosen at random but always the same."""
    dataset = asked.open()
    console = Console()
    for query in _choose(iter(dataset), number, seed):
        _show_query(console, query, reveal=reveal)
    if not reveal:
        say("The texts are withheld: add --reveal to read them.")


def _choose(queries: Iterator[Query], number: int, seed: int) -> list[Query]:
    """Return so many queries in the set's order, each set of them as likely as another."""
    chance = random.Random(seed)
    chosen = list(enumerate(islice(queries, number)))
    for place, query in enumerate(queries, number):
        if (at := chance.randrange(place + 1)) < number:
            chosen[at] = (place, query)
    return [query for _, query in sorted(chosen, key=lambda pair: pair[0])]


def _show_query(console: Console, query: Query, *, reveal: bool) -> None:
    head = Text.assemble(
        (escape_line(query.id), "bold"),
        "  ",
        (str(query.intent), "red" if query.intent is Intent.HARMFUL else "green"),
    )
    media = [medium.media_type for medium in query.media]
    if media:
        head.append(f"  {', '.join(media)}", "dim")
    console.print(head)
    console.print(Text(query.scenario, "cyan"))
    if query.labels:
        said = "; ".join(f"{name}: {value}" for name, value in query.labels.items())
        console.print(Text(escape_line(said), "dim"))
    if not query.messages:
        console.print(_words(query.text, reveal=reveal))
    for turn in spoken_turns(query.messages):
        console.print(Text(f"{turn.heading}:", "dim"))
        for words in filter(None, (turn.text, *turn.calls)):
            # Further in than our words, so that none of theirs poses as the start of a turn.
            console.print(Padding(_words(words, reveal=reveal), (0, 0, 0, 2)))
    if query.underlying_request is not None:
        console.print(Text("asks for, as its set says:", "dim"))
        console.print(_words(query.underlying_request, reveal=reveal))
    console.print()


def _words(text: str, *, reveal: bool) -> Text:
    return (
        Text(escape_controls(text))
        if reveal
        else Text(f"withheld, {len(text):,} characters", "dim italic")
    )
