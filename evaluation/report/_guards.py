"""Shows guards apart from general jurors: how they voted beside them, and what they named."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ...common import escape_line
from ...common.text import MISSING, count, many, percent, points
from ..metrics import GuardFigures, NamedCategory, TargetSummary
from ._grid import Column, Grid
from ._words import title


def seat_of(target: TargetSummary, name: str) -> str:
    """Return a seat's name, marked where a guard sits there."""
    return f"{name} (guard)" if name in target.guards else name


def guard_tables(targets: Sequence[TargetSummary]) -> Iterator[Grid]:
    """Yield the tables of guards, where a jury has some."""
    rows = [(target, name, guard) for target in targets for name, guard in target.guards.items()]
    if not rows:
        return
    said = [guard for _, _, guard in rows]
    columns = [
        Column("votes", [count(one.votes) for one in said], 2),
        Column("unsafe", [count(one.unsafe) for one in said], 2),
        Column("agree-\nment %", [points(one.pairwise) for one in said], 0, "agreement %"),
        Column("differs", [count(one.differed) for one in said], 0),
        Column("of\ncases", [count(one.compared) for one in said], 0),
        Column("unsafe\nalone", [count(one.unsafe_alone) for one in said], 1),
        Column("safe\nalone", [count(one.safe_alone) for one in said], 1),
    ]
    names = [_name(target, name) for target, name, _ in rows]
    yield Grid("Guards beside the general jurors, round 0", "target and guard", names, columns)
    named = [
        (_name(target, name), category, each)
        for target, name, guard in rows
        for category, each in guard.categories.items()
    ]
    if named:
        yield _categories(named)


def _name(target: TargetSummary, name: str) -> Text:
    return Text(escape_line(f"{target.name} \N{MIDDLE DOT} {name}"))


def _categories(named: Sequence[tuple[Text, str, NamedCategory]]) -> Grid:
    columns = [
        Column("category", [escape_line(name) for _, name, _ in named], 0, left=True),
        Column("cases", [count(each.times) for _, _, each in named], 0),
        Column("ours", [_ours(each) for _, _, each in named], 1, left=True),
    ]
    return Grid("What guards named", "target and guard", [name for name, _, _ in named], columns)


def _ours(category: NamedCategory) -> str:
    return ", ".join(map(title, category.ours)) or MISSING


def guard_lines(target: TargetSummary) -> Iterator[str]:
    """Yield two sentences for each guard: how it voted, and what it named."""
    for name, guard in target.guards.items():
        yield f"Guard {name} in round 0: {_votes(guard)}"
        if guard.categories:
            said = ", ".join(
                f"{category} {count(each.times)} ({_ours(each)})"
                for category, each in guard.categories.items()
            )
            yield f"Guard {name} named, with our categories in brackets: {said}"


def _votes(guard: GuardFigures) -> str:
    return (
        f"{many(guard.votes, 'vote')}, {count(guard.unsafe)} unsafe; pairwise agreement with "
        f"general jurors {percent(guard.pairwise)} (n = {count(guard.pairs)}); differed from most "
        f"of them in {count(guard.differed)} of {many(guard.compared, 'case')}, "
        f"{count(guard.unsafe_alone)} unsafe alone and {count(guard.safe_alone)} safe alone"
    )
