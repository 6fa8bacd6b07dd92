"""The foreperson's part of a report: its decisions, and what it misstated."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ...common import escape_line
from ...common.text import count, many, percent, points
from ..metrics import TargetSummary
from ._grid import Column, Grid


def foreperson_tables(targets: Sequence[TargetSummary]) -> Iterator[Grid]:
    """Yield a table of the foreperson's decisions beside the majority's, if it decided any."""
    asked = [target for target in targets if target.foreperson.asked]
    if asked:
        figures = [target.foreperson for target in asked]
        shares = [one.differing / one.decided if one.decided else None for one in figures]
        columns = [
            Column("decided", [count(one.decided) for one in figures], 0),
            Column("unlike the\nmajority", [count(one.differing) for one in figures], 0),
            Column("%", [points(share) for share in shares], 1),
            Column("without a\nmajority", [count(one.without_majority) for one in figures], 1),
            Column("no\ndecision", [count(one.undecided) for one in figures], 0),
        ]
        names = [Text(escape_line(target.name)) for target in asked]
        yield Grid("The foreperson's decisions (rule: foreperson)", "target", names, columns)


def foreperson_lines(target: TargetSummary) -> Iterator[str]:
    """Yield what a Markdown report says of the foreperson, if it decided or misstated anything."""
    figures = target.foreperson
    if figures.asked:
        share = figures.differing / figures.decided if figures.decided else None
        yield (
            f"- Decided by the foreperson: {many(figures.decided, 'case')}, "
            f"{count(figures.differing)} ({percent(share)}) unlike the majority, "
            f"{count(figures.without_majority)} without a majority; no decision in "
            f"{count(figures.undecided)}"
        )
    if figures.summaries_dropped:
        yield f"- {summaries_dropped(figures.summaries_dropped)}"


def summaries_dropped(number: int) -> str:
    """Return what is said of summaries that were left out."""
    were = many(number, "summary of the foreperson was", "summaries of the foreperson were")
    who = "it" if number == 1 else "they"
    return f"{were} left out: {who} misstated the votes or the verdict"
