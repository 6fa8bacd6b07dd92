"""What talking did, as reports show it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import msgspec
from rich.text import Text

from ...common import escape_line
from ...common.text import count, many, percent, signed_points, span
from ..metrics import Rate, TargetSummary
from ..trust.talk import ArmFigures, Difference, JurorMoves, LabeledTalk, TalkFigures, TargetTalk
from ._grid import Column, Grid
from ._parts import rate_columns
from ._words import Cell, ends

NO_TALK = TalkFigures()
"""The figures of a run without talk."""
_ALONE = {"reflection": "reflection alone", "placebo": "what was said of another case"}


def talk_tables(talk: TalkFigures, targets: Sequence[TargetSummary]) -> Iterator[Grid]:
    """Yield the tables of what talking did, if there was any; the targets are in their order."""
    order = [target.name for target in targets if target.name in talk.targets]
    rows = [(name, talk.targets[name]) for name in order]
    if not rows:
        return
    said = [one for _, one in rows]
    names = [Text(escape_line(name)) for name, _ in rows]
    columns = [
        *rate_columns("votes\nchanged %", [one.changed for one in said], 0, interval=2),
        *rate_columns("went over to\nmajority %", [one.went_over for one in said], 1),
        *rate_columns("left\nmajority %", [one.left for one in said], 1),
    ]
    if any(one.misstated.count for one in said):
        columns += rate_columns("summaries\nmisstated %", [one.misstated for one in said], 3)
    yield Grid("What talking did to votes", "target", names, columns)
    moved = [(name, seat, moves) for name, one in rows for seat, moves in one.jurors.items()]
    moved = [(name, seat, moves) for name, seat, moves in moved if moves.changed]
    if moved:
        yield _who_moved(moved)


def _who_moved(moved: Sequence[tuple[str, str, JurorMoves]]) -> Grid:
    said = [moves for _, _, moves in moved]
    columns = [
        Column("votes", [count(one.votes) for one in said], 2),
        Column("changed", [count(one.changed) for one in said], 0),
        Column("toward\nmajority", [count(one.toward) for one in said], 1),
        Column("away\nfrom it", [count(one.away) for one in said], 1),
        Column("joined", [_most(one.joined) for one in said], 1, left=True),
    ]
    if any(one.addressed for one in said):
        spoken = [_most(one.addressed) for one in said]
        columns.append(Column("spoken to by", spoken, 2, left=True))
    names = [Text(escape_line(f"{name} \N{MIDDLE DOT} {seat}")) for name, seat, _ in moved]
    return Grid("Who moved whom", "target and juror", names, columns)


def _most(counts: Mapping[str, int]) -> str:
    """Return the seats that are counted most, at most three."""
    found = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    words = ", ".join(f"{escape_line(seat)} {count(number)}" for seat, number in found[:3])
    return f"{words}, …" if len(found) > 3 else words


def talk_lines(talk: TargetTalk) -> Iterator[str]:
    """Yield what a Markdown report says of the talk about a target's responses, a line each."""
    yield (
        f"Votes changed by the talk: {_rate(talk.changed)}; of votes against the majority of the "
        f"others, {_rate(talk.went_over)} went over to it, and of those with it, "
        f"{_rate(talk.left)} left it; {many(talk.split, 'vote')} changed where the others were "
        "split evenly"
    )
    for seat, moves in talk.jurors.items():
        if moves.changed:
            spoken = _most(moves.addressed)
            yield (
                f"Changed by {seat}: {count(moves.changed)} of {many(moves.votes, 'vote')}, "
                f"{count(moves.toward)} toward the majority of the others and {count(moves.away)} "
                f"away from it; joined {_most(moves.joined) or 'nobody'}"
                + (f"; spoken to by {spoken}" if spoken else "")
            )
    if talk.misstated.count:
        yield f"Summaries that misstated the votes or the verdict: {_rate(talk.misstated)}"


def talk_sentences(talk: TalkFigures) -> Iterator[str]:
    """Yield whether talking did anything, a sentence each: nothing where it is not known."""
    for name, one in talk.targets.items():
        if one.labeled is not None:
            yield f"{escape_line(name)}: {_labeled(one.labeled)}"
    audit = talk.audit
    if audit is None:
        return
    for arm, one in audit.arms.items():
        yield _changed(_ALONE[arm], one)
    against = audit.arms.get("reflection")
    if against is None or against.right is None:
        yield (
            "Whether it helped is not known without labels: "
            "safejury report RUN --labels FILE says it."
        )
    else:
        yield f"Against reflection alone, talking {_helped(against.right)}."


def _changed(alone: str, arm: ArmFigures) -> str:
    found = arm.difference
    text = (
        f"In {many(arm.cases, 'case')}, talking changed {percent(arm.talk_changed.value)} of "
        f"{many(arm.changed.n, 'vote')}; {alone}, {percent(arm.changed.value)}"
    )
    return text + ("." if found is None else f"; {_difference(found)}.")


def _difference(found: Difference) -> str:
    value = f"{signed_points(found.value)} points"
    if found.interval is None:
        return f"the difference, {value}, is not shown (of one query, there is no interval)"
    value = f"{value} ({_ends(found)})"
    if found.is_shown:
        return f"the difference is {value}"
    return f"the difference, {value}, is not shown"


def _labeled(found: LabeledTalk) -> str:
    text = (
        f"of {many(found.votes, 'labeled vote')}, talking made "
        f"{count(found.right_to_wrong)} wrong that were right, and "
        f"{count(found.wrong_to_right)} right that were wrong"
    )
    if found.votes_right is not None:
        text += f": it {_helped(found.votes_right)}"
    verdicts = (
        f"; of {many(found.cases, 'verdict')}, {count(found.verdicts_right_to_wrong)} and "
        f"{count(found.verdicts_wrong_to_right)}"
    )
    right = found.verdicts_right
    return text + verdicts + ("." if right is None else f": it {_helped(right)}.")


def _helped(found: Difference) -> str:
    value = f"{signed_points(found.value)} points of right ones"
    if not found.is_shown:
        ends = "" if found.interval is None else f", {_ends(found)}"
        return f"is not shown to help or to harm ({value}{ends})"
    return f"{'helped' if found.value > 0 else 'harmed'} ({value}, {_ends(found)})"


def _ends(found: Difference) -> str:
    low, high = found.interval or (0.0, 0.0)
    return f"{signed_points(low)} to {signed_points(high)}"


def _rate(rate: Rate) -> str:
    return f"{percent(rate.value)} ({span(rate.interval)}, n = {count(rate.n)})"


def talk_data(talk: TalkFigures) -> dict[str, object]:
    """Return what a JSON report says of the talk; nothing where there was none."""
    if not talk.targets:
        return {}
    found = cast("dict[str, object]", msgspec.to_builtins(talk))
    return {"talk": {key: value for key, value in found.items() if value is not None}}


def talk_cells(talk: TargetTalk | None) -> dict[str, Cell]:
    """Return the cells of a target's row of the CSV report; nothing without talk."""
    if talk is None:
        return {}
    cells: dict[str, Cell] = {
        **_rate_cells("votes_changed", talk.changed),
        **_rate_cells("went_over_to_majority", talk.went_over),
        **_rate_cells("left_majority", talk.left),
        "summaries_misstated": talk.misstated.value,
        "summaries_misstated_n": talk.misstated.n,
    }
    if (labeled := talk.labeled) is not None:
        cells |= {
            "votes_right_to_wrong": labeled.right_to_wrong,
            "votes_wrong_to_right": labeled.wrong_to_right,
            **_difference_cells("votes_right_by_talk", labeled.votes_right),
            "verdicts_right_to_wrong": labeled.verdicts_right_to_wrong,
            "verdicts_wrong_to_right": labeled.verdicts_wrong_to_right,
            **_difference_cells("verdicts_right_by_talk", labeled.verdicts_right),
        }
    return cells


def juror_cells(moves: JurorMoves | None) -> dict[str, Cell]:
    """Return the cells of a juror's row of the CSV report; nothing without talk."""
    if moves is None:
        return {}
    return {
        "changed": moves.changed,
        "changed_toward_majority": moves.toward,
        "changed_away_from_majority": moves.away,
        "joined": _listed(moves.joined),
        "spoken_to_by": _listed(moves.addressed),
    }


def audit_cells(talk: TalkFigures) -> dict[str, Cell]:
    """Return the cells of the run's row of the CSV report; nothing without an audit."""
    cells: dict[str, Cell] = {}
    for arm, one in () if talk.audit is None else talk.audit.arms.items():
        cells |= {
            f"{arm}_cases": one.cases,
            f"{arm}_changed": one.changed.value,
            f"{arm}_votes": one.changed.n,
            f"{arm}_talk_changed": one.talk_changed.value,
            **_difference_cells(f"talk_less_{arm}", one.difference),
            **_difference_cells(f"right_by_talk_less_{arm}", one.right),
        }
    return cells


def _listed(counts: Mapping[str, int]) -> str | None:
    return ", ".join(f"{seat} {number}" for seat, number in counts.items()) or None


def _rate_cells(name: str, rate: Rate) -> dict[str, Cell]:
    return {name: rate.value, **ends(name, rate.interval), f"{name}_n": rate.n}


def _difference_cells(name: str, found: Difference | None) -> dict[str, Cell]:
    return {name: found and found.value, **ends(name, found and found.interval)}
