"""What a view shows at one moment, line by line, for any size of the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from ...deliberation import SeatInfo
from ...deliberation.transcript import Look
from ._cases import WatchedCase
from ._keys import Line
from ._paper import Paper

_GRAY, _AMBER, _BLUE = "#767676", "#af5f00", "#0087d7"
_MOST_LISTED = 8
_STATE = 26
"""Columns of what a case is at; the longest is a turn of a long talk, contested."""
_ROOMY = 10
"""Lines from which headings are worth theirs."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stays in sight.

    Attributes:
        name: The run's name.
        done: Finished cases.
        total: Cases of the run.
        counts: Outcomes, rate and cost in words.
        left: The time left in words, empty where it is unknown.
    """

    name: str
    done: int
    total: int
    counts: str
    left: str


@dataclass(frozen=True, slots=True)
class Rows:
    """How many lines each part has; none for what there is no room for."""

    head: int
    notes: int
    heading: int
    cases: int
    rule: int
    body: int
    typed: int
    keys: int

    @classmethod
    def of(cls, height: int, *, notes: int, cases: int, typed: bool) -> "Rows":
        """Share out the height of a terminal.

        Args:
            height: Lines of the terminal.
            notes: Notes that there are.
            cases: Cases that there are to list.
            typed: Whether a person is asked for a line, which comes before all else.
        """
        line = int(typed) * (2 if height >= _ROOMY else 1)
        left = max(0, height - line)
        keys = 1 if left >= 4 else 0
        head = min(2 if height >= _ROOMY else 1, left)
        left -= keys + head
        said = min(notes, 2 if height >= _ROOMY else int(left >= 3))
        left -= said
        heading = rule = int(height >= _ROOMY)
        listed = min(max(cases, 1), _MOST_LISTED, max(left // 3, min(left, 1)))
        left -= heading + rule + listed
        return cls(head, said, heading, listed, rule, max(0, left), line, keys)


def head_lines(paper: Paper, head: Head, rows: int) -> list[str]:
    """Return the lines that stay in sight: how far the run is, and at what cost."""
    look = paper.look
    done = Text(f"{head.done:,} of {head.total:,} cases", "bold")
    figures = look.joined(*filter(None, (head.counts, head.left)))
    if rows == 1:
        return [paper.line(done, Text(f" {look.glyphs.dot} "), figures)]
    name = look.name(head.name, f"bold {_BLUE}")
    room = paper.width - name.cell_len - done.cell_len - 4
    share = bar(look, head.done, head.total, room) if room >= 8 else Text()
    return [paper.line(name, Text("  "), share, Text("  "), done), paper.line(figures)][:rows]


def bar(look: Look, done: int, total: int, width: int) -> Text:
    """Return a bar of so many columns that shows how much is done."""
    full = width * done // total if total else 0
    line = look.glyphs.line
    mark = "━" if line == "─" else "="
    return Text.assemble((mark * full, _BLUE), (line * (width - full), _GRAY))


def note_lines(paper: Paper, notes: Sequence[str], rows: int) -> list[str]:
    """Return what to know just now."""
    return [paper.line(paper.look.name(note, _AMBER)) for note in notes[:rows]]


def keys_line(paper: Paper, keys: Sequence[str]) -> str:
    """Return as many of the keys as there is room for, the most important ones first."""
    said = ""
    for key in keys:
        longer = f"{said}  {key}" if said else key
        if not said or len(longer) <= paper.width:
            said = longer
    return paper.line(Text(said, _GRAY))


def rule(paper: Paper, title: str, note: str = "") -> str:
    """Return the line that begins a part."""
    look = paper.look
    line = look.glyphs.line
    text = Text.assemble((f"{line * 2} ", _GRAY), look.name(title, "bold"))
    if note:
        text.append(f" {look.glyphs.dot} ", _GRAY).append_text(look.name(note, _GRAY))
    text.append(" " + line * max(0, paper.width - text.cell_len - 1), _GRAY)
    return paper.line(text)


def case_lines(
    paper: Paper,
    cases: Sequence[WatchedCase],
    followed: WatchedCase | None,
    rows: int,
    *,
    seats: Sequence[SeatInfo],
    now: float,
) -> list[str]:
    """Return the list of cases, as much of it around the followed one as there is room for."""
    place = next((i for i, case in enumerate(cases) if case is followed), 0)
    first = max(0, min(place - rows // 2, len(cases) - rows))
    titles = {info.seat: info.title or info.seat for info in seats}
    return [
        paper.line(_row(paper, case, titles, now, is_followed=case is followed))
        for case in cases[first : first + rows]
    ]


def _row(
    paper: Paper, case: WatchedCase, titles: dict[str, str], now: float, *, is_followed: bool
) -> Text:
    """Return a case in one line; the narrower the terminal, the less of it."""
    look, width = paper.look, paper.width
    mark = Text("▶ " if look.encoding.lower().startswith("utf") else "> ", _BLUE)
    parts = [mark if is_followed else Text("  ")]
    state = _state(look, case)
    if width < 60:
        parts += [_cell(look, case.target, max(4, width // 3)), state]
        return Text.assemble(*parts)
    spare = width - 2 - _STATE - 8
    share = spare // 10
    parts += [_cell(look, case.target, 2 * share), _cell(look, case.scenario, 3 * share)]
    if width >= 84:
        parts.append(_cell(look, case.query, 3 * share, ends=True))
    state.truncate(_STATE, overflow="ellipsis", pad=True)
    parts += [state, Text(f"{_age(now - case.begun_at):>6}  ", _GRAY)]
    parts.append(look.name(titles.get(case.spoke, case.spoke), _GRAY))
    return Text.assemble(*parts)


def _cell(look: Look, words: str, width: int, *, ends: bool = False) -> Text:
    """Return words in a column; too many of them are cut, at their beginning if `ends`."""
    text = look.name(words)
    if ends and text.cell_len > width - 2:
        dots = look.glyphs.ellipsis
        text = Text(dots + text.plain[len(dots) + 2 - width :])
    text.truncate(max(1, width - 2), overflow="ellipsis", pad=True)
    return text.append("  ")


def _state(look: Look, case: WatchedCase) -> Text:
    if case.verdict is not None:
        finding = case.verdict.finding
        return look.finding(finding) if finding else Text("no verdict", _AMBER)
    if not case.is_open:
        return Text("target is asked", _GRAY)
    mark = Text(f" {look.glyphs.dot} contested", _AMBER) if case.is_contested else Text()
    if case.round is None:
        return Text("opened", _GRAY)
    if case.turn:
        return Text.assemble(f"talk, turn {case.turn}", mark)
    votes = f" {case.sealed}/{case.called}" if case.called else ""
    return Text.assemble(f"round {case.round}{votes}", mark)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def typed_lines(paper: Paper, question: str, line: Line, rows: int) -> list[str]:
    """Return a question and the line that is being typed, with the cursor in sight."""
    look = paper.look
    prompt = look.name(question, "bold")
    above = [paper.line(prompt)] if rows > 1 else []
    if above:
        prompt = Text("> ", "bold")
    prompt.truncate(paper.width // 2, overflow="ellipsis")
    before, behind = look.name(line.text[: line.place]), look.name(line.text[line.place + 1 :])
    cursor = look.name(line.text[line.place : line.place + 1] or " ", "reverse")
    room = max(1, paper.width - prompt.cell_len - cursor.cell_len)
    while before.cell_len > room:
        before = before[max(1, (before.cell_len - room) // 2) :]
    return [*above, paper.line(prompt, before, cursor, behind)]


@dataclass(slots=True)
class Scroll:
    """Which part of a long text is shown; its end, unless somebody scrolled up.

    Attributes:
        above: Lines above those that are shown; None for the end.
    """

    above: int | None = None

    def part(self, lines: Sequence[str], rows: int) -> Sequence[str]:
        """Return the lines that are shown."""
        last = max(0, len(lines) - rows)
        if self.above is None or self.above >= last:
            self.above = None
            return lines[last:]
        return lines[self.above : self.above + rows]

    def move(self, by: int, lines: int, rows: int) -> None:
        """Scroll by so many lines, down where they are more than 0."""
        last = max(0, lines - rows)
        above = (last if self.above is None else self.above) + by
        self.above = None if above >= last else max(0, above)
