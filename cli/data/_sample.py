"""What `safejury datasets sample` shows."""

import random
from collections.abc import Iterator
from itertools import islice

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ...common import escape_controls, escape_line
from ...datasets import Intent, Query, shown_turns
from ..console import say
from ._asked import Asked


def sample_set(asked: Asked, *, number: int, seed: int, reveal: bool) -> None:
    """Show a random sample of a set's queries; the seed decides which."""
    dataset = asked.open()
    console = Console()
    for query in _choose(iter(dataset), number, seed):
        _show_query(console, query, reveal=reveal)
    if not reveal:
        say("The texts are withheld: add --reveal to read them.")


def _choose(queries: Iterator[Query], number: int, seed: int) -> list[Query]:
    """Return a uniform random sample of the queries, in the set's order."""
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
    for turn in shown_turns(query.messages):
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
