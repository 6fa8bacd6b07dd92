"""Labels cases on a screen of the terminal, a key an answer."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.text import Text

from ...deliberation.transcript import Look
from ..watch import Key, Line, Paper, Screen, Scroll, bar, keys_line, rule, typed_lines
from ._session import Session
from ._words import COMMANDS, case_in_parts, labeled_in_words, place_in_words, question

_WAIT_S = 0.25
_ROOMY = 12
"""Lines from which the second line of keys is worth its own."""
_BLUE, _GRAY, _AMBER = "#0087d7", "#767676", "#af5f00"
_PARTS = {"query": -2, "reveal": -2, "response": -1}
"""What is scrolled to when it is revealed, as an index of the parts of a case."""


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A case in lines that fit.

    Attributes:
        paper: For which terminal.
        parts: The case, part by part.
        lines: All of its lines.
        starts: The line with which each part begins.
    """

    paper: Paper | None = None
    parts: Sequence[str] = ()
    lines: Sequence[str] = ()
    starts: Sequence[int] = ()

    @classmethod
    def of(cls, paper: Paper, parts: Sequence[str]) -> "_LaidOut":
        """Lay out a case, with a bar before each line of evidence: none can pose as ours."""
        look = paper.look
        narrow = Paper(max(1, paper.width - 2), encoding=look.encoding, colors=paper.colors)
        lines, starts = [""], list[int]()
        for part in parts:
            starts.append(len(lines))
            for is_evidence, group in groupby(part.split("\n"), lambda line: line[:2] == "| "):
                if is_evidence:
                    words = look.words("\n".join(line[2:] for line in group))
                    mark = paper.line(Text("| ", _GRAY))
                    lines += (mark + row for row in narrow.lines(words))
                else:
                    lines += (row for line in group for row in paper.lines(_ours(look, line)))
            lines.append("")
        return cls(paper, parts, lines, starts)


def _ours(look: Look, line: str) -> Text:
    if line.startswith("--- "):
        return look.words(line, f"bold {_BLUE}")
    return look.words(line, _GRAY if line.startswith("withheld;") else "")


class ReviewScreen:
    """Shows one case at a time, and takes keys.

    Args:
        session: The way through the cases.
        title: What stays in sight: the run's name.
    """

    def __init__(self, session: Session, title: str) -> None:
        self._session, self._title = session, title
        self._encoding = sys.stderr.encoding or "utf-8"
        self._colors = Console(stderr=True).color_system
        self._paper: Paper | None = None
        self._scroll = Scroll(0)
        self._laid_out = _LaidOut()
        self._to_part: int | None = None
        self._body = (0, 0)  # its lines, and how many of them are shown
        self._note: Line | None = None
        self._is_done = self._redraws = False

    def run(self) -> None:
        """Show cases until the person quits, or nobody is at the terminal any more."""
        screen = Screen()
        try:
            with screen.stopped_with_the_job():
                screen.enter()
                self._until_done(screen)
        finally:
            screen.leave()
            screen.close()

    def _until_done(self, screen: Screen) -> None:
        size = (0, 0)
        while not self._is_done and not screen.is_closed:
            anew = size != screen.size or self._redraws
            size, self._redraws = screen.size, False
            screen.draw(self.lines(size), anew=anew)
            for key in screen.wait(_WAIT_S):
                if self.press(key):
                    break  # what was typed ahead is about a case that nobody has seen

    def press(self, key: str) -> bool:
        """Do what a key stands for; return whether another thing is shown now."""
        if key == Key.REDRAW:
            self._redraws = True
        elif self._note is not None:
            return self._type(self._note, key)
        elif (command := self._command(key)) is not None:
            self._obey(command)
            return True
        else:
            self._move(key)
        return False

    def _command(self, key: str) -> str | None:
        if self._session.finding is not None and key.isdecimal():
            return key
        return COMMANDS.get(key.casefold())

    def _obey(self, command: str) -> None:
        session = self._session
        if command == "quit":
            self._is_done = True
        elif command == "note":
            self._note = Line(session.note, len(session.note))
        else:
            before = session.words
            session.do(command)
            if session.words is not before:
                self._to_part = 0
            elif command in _PARTS:
                self._to_part = _PARTS[command]

    def _type(self, line: Line, key: str) -> bool:
        if key in (Key.ENTER, Key.ESCAPE):
            self._note = None
            if key == Key.ENTER:
                self._session.take_note(line.text)
            return True
        line.press(key)
        return False

    def _move(self, key: str) -> None:
        lines, rows = self._body
        page = max(1, rows - 1)
        steps: dict[str, int] = {
            Key.UP: -1,
            Key.DOWN: 1,
            Key.PAGE_UP: -page,
            Key.PAGE_DOWN: page,
            " ": page,
            Key.HOME: -lines,
            Key.END: lines,
        }
        if key in steps:
            self._scroll.move(steps[key], lines, rows)

    def lines(self, size: tuple[int, int]) -> list[str]:
        """Return what is shown, for a terminal of so many columns and lines."""
        width, height = size
        paper = self._paper
        if paper is None or paper.width != width:
            paper = self._paper = Paper(width, encoding=self._encoding, colors=self._colors)
        below = self._lower(paper, height)
        head = [self._head(paper)][: max(0, height - len(below))]
        rows = max(0, height - len(below) - len(head) - 1)
        body = self._laid_out_body(paper)
        self._body = (len(body), rows)
        shown = self._scroll.part(body, rows)
        heading = [rule(paper, place_in_words(self._session), self._hidden())]
        lines = [*head, *heading[: height - len(below) - len(head)], *shown]
        lines += [""] * (rows - len(shown))
        return [*lines, *below][:height]

    def _head(self, paper: Paper) -> str:
        session, look = self._session, paper.look
        name = look.name(self._title, f"bold {_BLUE}")
        who = Text.assemble(Text(f" {look.glyphs.dot} "), look.name(session.annotator), style=_GRAY)
        done = Text(labeled_in_words(session), "bold")
        room = paper.width - name.cell_len - who.cell_len - done.cell_len - 4
        share = bar(look, session.labeled, session.total, room) if room >= 8 else Text()
        return paper.line(name, who, Text("  "), share, Text("  "), done)

    def _hidden(self) -> str:
        lines, rows = self._body
        above = self._scroll.above
        below = 0 if above is None else lines - rows - above
        return f"{below} lines below" if below > 0 else ""

    def _laid_out_body(self, paper: Paper) -> Sequence[str]:
        parts = case_in_parts(self._session)
        if (paper, parts) != (self._laid_out.paper, self._laid_out.parts):
            self._laid_out = _LaidOut.of(paper, parts)  # a long case takes a while
        if self._to_part is not None and parts:
            self._scroll = Scroll(self._laid_out.starts[self._to_part])
        self._to_part = None
        return self._laid_out.lines

    def _lower(self, paper: Paper, height: int) -> list[str]:
        session, look = self._session, paper.look
        if self._note is not None:
            keys = keys_line(paper, ("Enter: keep the note", "Escape: leave it as it was"))
            asked = "Note, one line, kept with the label:"
            return [*typed_lines(paper, asked, self._note, 2), keys][:height]
        note = f"note: {session.note}" if session.note else ""
        said = session.message or note
        lines = [paper.line(look.name(said, _AMBER))] if height >= _ROOMY or said else []
        lines.append(paper.line(look.name(question(session), "bold")))
        lines.append(keys_line(paper, self._answers()))
        if height >= _ROOMY and session.words is not None and session.finding is None:
            lines.append(keys_line(paper, self._looks(paper)))
        return lines[-height:]

    def _answers(self) -> Sequence[str]:
        if self._session.finding is not None:
            return f"{self._session.rating_span}: rating", "b: back", "q: quit"
        if self._session.words is None:
            return "b: back", "q: quit"
        return "u: unsafe", "s: safe", "k: skip", "b: back", "q: quit", "n: note"

    def _looks(self, paper: Paper) -> Sequence[str]:
        session = self._session
        up_down = "↑↓" if paper.look.glyphs.arrow == "→" else "up/down"
        both = "withhold" if session.shows_query and session.shows_response else "reveal"
        files = ("o: open files",) if session.has_files else ()
        return (f"r: {both}", "y: query", "e: response", *files, f"{up_down} PgUp PgDn: scroll")
