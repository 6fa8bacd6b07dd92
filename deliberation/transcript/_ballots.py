"""Renders the ballots of a round, grouped by who changed their mind after a discussion."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...agents import Ballot, TalkArm
from ..protocol import BallotsRevealed, TalkAudited
from ._guards import asides, named, no_reason
from ._look import AMBER, BLUE, GRAY, Look, Seats
from ._quotes import Quotes
from ._tools import tool_lines


def revealed(
    look: Look,
    jury: Seats,
    entry: BallotsRevealed,
    before: Sequence[Ballot],
    quotes: Quotes,
) -> RenderableType:
    """Render the ballots of a round, after a discussion grouped by who changed their mind.

    Args:
        look: Style of the console.
        jury: The seats.
        entry: The ballots to show.
        before: The ballots of the previous round, empty for round 0.
        quotes: What is shown of their quotes.
    """
    note = "sealed ballots, opened together"
    parts = [look.heading(f"Round {entry.round}", note)]
    if before:
        earlier = {b.juror: b for b in before}
        parts += _moved(look, jury, entry.ballots, earlier, quotes)
    else:
        parts.append(_table(look, jury, entry.ballots, quotes))
    if entry.not_asked:
        names = look.joined(*(jury.label(look, seat) for seat in entry.not_asked))
        left_out = Text("Not asked, the outcome was clear: ", GRAY).append_text(names)
        parts.append(Padding(left_out, (1, 2)))
    return Group(*parts)


def audited(
    look: Look, jury: Seats, entry: TalkAudited, before: Sequence[Ballot], quotes: Quotes
) -> RenderableType:
    """Render a vote that was held without the talk of the case; see `revealed`."""
    knew = look.words(f"The jurors voted again, {audit_words(entry)}. This counts for nothing.")
    earlier = {ballot.juror: ballot for ballot in before}
    return Group(
        look.heading(f"Talk audit: {entry.arm}"),
        Padding(knew, (1, 2, 0, 2)),
        *_moved(look, jury, entry.ballots, earlier, quotes),
    )


def audit_words(entry: TalkAudited) -> str:
    """Return what jurors knew in a vote that was held without the talk of the case."""
    match entry.arm:
        case TalkArm.REFLECTION:
            return "each from its own ballot alone"
        case TalkArm.PLACEBO:
            return f"each after what jurors said of another case, {entry.donor}"


def _moved(
    look: Look,
    jury: Seats,
    ballots: Sequence[Ballot],
    before: Mapping[str, Ballot],
    quotes: Quotes,
) -> list[RenderableType]:
    changed: list[Ballot] = []
    held: list[Ballot] = []
    other: list[Ballot] = []
    standing: list[Ballot] = []
    for ballot in ballots:
        old = before.get(ballot.juror)
        if old == ballot:
            standing.append(ballot)
        elif old is None or not (old.is_vote and ballot.is_vote):
            other.append(ballot)
        else:
            (held if old.finding == ballot.finding else changed).append(ballot)
    parts: list[RenderableType] = []
    if changed:
        parts.append(_group("Changed their mind", BLUE))
        parts += [_change(look, jury, before[b.juror], b, quotes) for b in changed]
    elif held:
        parts.append(_group("Nobody changed their mind", BLUE))
    if held:
        parts += [_group("Held", GRAY), _table(look, jury, held, quotes, before)]
    if other:
        parts.append(_group("Without a vote before or after", AMBER))
        parts += [_change(look, jury, before.get(b.juror), b, quotes) for b in other]
    if standing:
        parts.append(_group("Not asked again: a guard's ballot stands", GRAY))
        parts.append(_table(look, jury, standing, quotes))
    return parts


def _group(title: str, color: str) -> RenderableType:
    return Padding(Text(title, f"italic {color}"), (1, 2, 0, 2))


def _change(
    look: Look, jury: Seats, old: Ballot | None, new: Ballot, quotes: Quotes
) -> RenderableType:
    arrow = Text(f" {look.glyphs.arrow} ", GRAY)
    said = look.said(new)
    dots = look.dots(new.rating)
    if old is not None and (old.outcome, old.finding) != (new.outcome, new.finding):
        said = Text.assemble(look.said(old), arrow, said)
        if old.rating is not None and new.rating is not None:
            dots = Text.assemble(look.dots(old.rating), arrow, dots)
    head = Text("   ").join([jury.label(look, new.juror), said, dots])
    return Group(Padding(head, (1, 2, 0, 2)), Padding(_reason(look, new, quotes), (0, 2, 0, 4)))


def _was(old: Ballot | None, new: Ballot) -> str:
    if old is None or old.rating is None or new.rating is None or old.rating == new.rating:
        return ""
    return f"rating {new.rating}, before {old.rating}"


def _table(
    look: Look,
    jury: Seats,
    ballots: Sequence[Ballot],
    quotes: Quotes,
    before: Mapping[str, Ballot] | None = None,
) -> RenderableType:
    earlier = before or {}
    if look.narrow:
        return Group(
            *(_card(look, jury, b, quotes, _was(earlier.get(b.juror), b)) for b in ballots)
        )
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    labels = [jury.label(look, ballot.juror) for ballot in ballots]
    table.add_column(
        width=min(look.width // 4 + 3, max((label.cell_len for label in labels), default=1))
    )
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, width=5)
    table.add_column(ratio=1)
    for label, ballot in zip(labels, ballots, strict=True):
        if table.row_count:
            table.add_row()
        reason = _reason(look, ballot, quotes, _was(earlier.get(ballot.juror), ballot))
        table.add_row(label, look.said(ballot), look.dots(ballot.rating), reason)
    return Padding(table, (1, 0, 0, 2))


def _card(look: Look, jury: Seats, ballot: Ballot, quotes: Quotes, was: str) -> RenderableType:
    head = Text("   ").join(
        [jury.label(look, ballot.juror), look.said(ballot), look.dots(ballot.rating)]
    )
    return Group(
        Padding(head, (1, 2, 0, 2)), Padding(_reason(look, ballot, quotes, was), (0, 2, 0, 4))
    )


def _reason(look: Look, ballot: Ballot, quotes: Quotes, was: str = "") -> RenderableType:
    if ballot.is_vote:
        parts = [look.words(ballot.reason.strip() or f"({no_reason(ballot)})")]
    else:
        parts = [look.words(ballot.detail or "no vote", f"italic {GRAY}")]
        if ballot.reason.strip():
            parts.append(look.words(ballot.reason.strip()))
    aside = [look.name(said) for said in (", ".join(named(ballot)), *asides(ballot)) if said]
    if ballot.perceived.withheld:
        aside.append(look.name("did not receive: " + ", ".join(ballot.perceived.withheld)))
    if ballot.perceived.transcript:
        aside.append(look.name(f"read a transcript: {ballot.perceived.transcript}"))
    aside += (look.name(said) for said in quotes.asides(ballot))
    if was:
        aside.append(Text(was))
    if aside:
        line = look.joined(*aside)
        line.stylize(GRAY)
        parts.append(line)
    parts += (look.name(line, GRAY) for line in tool_lines(ballot.tools))
    return Group(*parts)
