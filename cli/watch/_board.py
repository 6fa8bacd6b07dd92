"""All that a view knows and shows; it belongs to the thread that draws."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rich.text import Text

from ...deliberation import SeatInfo
from ...evaluation.runner import WorkerCounts
from ...models import Wait
from ..console import RunCounts
from ._cases import WatchedCase, WatchedCases
from ._frame import (
    Head,
    Rows,
    Scroll,
    case_lines,
    head_lines,
    keys_line,
    note_lines,
    rule,
    typed_lines,
)
from ._keys import Key, Line
from ._pane import Pane
from ._paper import Paper

_NOTE_S = 15.0
"""Seconds that a note stays in sight."""
_TYPED_AHEAD_S = 1.0
"""Seconds after an answer in which keys are kept for the next question, and steer nothing."""
_STOP = "Stop the run? q: yes, other keys: no. What is finished is kept."


class Controls(Protocol):
    """What keys do to the run."""

    def hold(self, *, held: bool) -> None:
        """Let no further case begin, or let them begin again."""
        ...

    def stop(self) -> None:
        """Stop the run, as Ctrl-C does."""
        ...


@dataclass(slots=True, eq=False)
class Question:
    """A line that a person is asked for.

    Attributes:
        text: What is asked; the last line is the question itself.
        answer: Is given the line, None where the person has nothing more to say.
        line: What was typed so far.
    """

    text: str
    answer: Callable[[str | None], None]
    line: Line = field(default_factory=Line)


@dataclass(frozen=True, slots=True)
class Watched:
    """What of a run is the same for all of its cases.

    Attributes:
        name: Its name.
        jury: The jury, in seat order.
        protocol: Name of the protocol.
        reveal: Whether questions and responses are shown.
    """

    name: str
    jury: tuple[SeatInfo, ...]
    protocol: str = ""
    reveal: bool = False


class Board:
    """Takes down what happens and what is pressed, and lays out what is shown.

    Args:
        run: The run.
        controls: What keys do to it.
        clock: Monotonic clock in seconds.
        encoding: Encoding of the terminal.
        colors: Its colors, as rich names them; None for none.
    """

    def __init__(
        self,
        run: Watched,
        controls: Controls,
        *,
        clock: Callable[[], float],
        encoding: str = "utf-8",
        colors: str | None = None,
    ) -> None:
        self._run, self._controls, self._clock = run, controls, clock
        self._encoding, self._colors = encoding, colors
        self.counts = RunCounts(clock)
        self.cases = WatchedCases()
        self._waits: Sequence[Wait] = ()
        self._workers = WorkerCounts()
        self._note, self._noted_at = "", float("-inf")
        self._questions: deque[Question] = deque()
        self._case_in_words = self._remark = ""
        self._laid_out: tuple[Paper | None, str, list[str]] = (None, "", [])
        self._answers = True
        self._typed_ahead: list[str] = []
        self._answered_at = float("-inf")
        self._is_held = self._is_stopping = self._is_stopped = False
        self._paper: Paper | None = None
        self._pane: Pane | None = None
        self._scroll = Scroll()
        self._most_listed = 0
        self._body = (0, 0)  # its lines, and how many of them are shown
        self.redraws = False

    def wait_for(self, waits: Sequence[Wait]) -> None:
        """Take down what calls wait for."""
        self._waits = waits

    def work(self, counts: WorkerCounts) -> None:
        """Take down what workers have under way."""
        self._workers = counts

    def note(self, message: str) -> None:
        """Show a message for a while."""
        self._note, self._noted_at = message, self._clock()

    def ask(self, question: Question) -> None:
        """Ask the person, after those who were asked before."""
        self._questions.append(question)
        if len(self._questions) == 1:
            self._put()

    def take_back(self, question: Question) -> None:
        """Ask no more, as it was answered or nobody waits for it."""
        if question in self._questions:
            is_first = question is self._questions[0]
            self._questions.remove(question)
            if is_first and self._questions:
                self._put()

    def _put(self) -> None:
        said, _, _ = self._questions[0].text.rpartition("\n")
        self._remark = ""
        if said.startswith("\n"):  # the case, before the first question about it
            self._case_in_words, self._answers = said, True
            self._scroll = Scroll(0)
        elif said:
            self._remark, self._scroll = said, Scroll()
        self._answered_at = float("-inf")
        keys, self._typed_ahead = self._typed_ahead, []
        for key in keys:
            self.press(key)

    @property
    def _asked(self) -> Question | None:
        """The question that is answered now, None while the person watches the run."""
        return self._questions[0] if self._questions and self._answers else None

    def press(self, key: str) -> None:
        """Do what a key stands for."""
        if self._clock() - self._answered_at < _TYPED_AHEAD_S:
            self._typed_ahead.append(key)
            return
        if self._is_stopping:
            self._is_stopping = False
            if key == "q":
                self._is_stopped = True
                self._controls.stop()
            return
        if key == Key.REDRAW:
            self.redraws = True
        elif key == Key.TAB and self._questions:
            self._answers = not self._answers
            self._scroll = Scroll(0 if self._answers else None)
        elif not self._scrolled(key):
            if (question := self._asked) is not None:
                self._type(question, key)
            else:
                self._steer(key)

    def _scrolled(self, key: str) -> bool:
        lines, rows = self._body
        page = max(1, rows - 1)
        steps = {Key.PAGE_UP: -page, Key.PAGE_DOWN: page}
        if self._asked is not None:
            steps |= {Key.UP: -1, Key.DOWN: 1}
        else:
            steps |= {Key.HOME: -lines, Key.END: lines}
        by = next((by for name, by in steps.items() if name == key), None)
        if by is not None:
            self._scroll.move(by, lines, rows)
        return by is not None

    def _type(self, question: Question, key: str) -> None:
        if key == Key.ENTER or (key == Key.CLOSED and not question.line.text):
            self.take_back(question)
            self._answered_at, self._typed_ahead = self._clock(), []
            question.answer(question.line.text if key == Key.ENTER else None)
        else:
            question.line.press(key)

    def _steer(self, key: str) -> None:
        match key:
            case Key.DOWN | "n" | "j":
                self.cases.step(1)
            case Key.UP | "p" | "k":
                self.cases.step(-1)
            case "c":
                self.cases.toggle_contested()
            case " ":
                self._is_held = not self._is_held
                self.counts.hold(held=self._is_held)
                self._controls.hold(held=self._is_held)
            case "q":
                self._is_stopping = True
            case _:
                pass

    def lines(self, size: tuple[int, int]) -> list[str]:
        """Return what is shown now, for a terminal of so many columns and lines."""
        width, height = size
        paper, now = self._paper, self._clock()
        if paper is None or paper.width != width:
            paper = self._paper = Paper(width, encoding=self._encoding, colors=self._colors)
        followed, listed = self.cases.followed(now), self.cases.listed()
        question = self._asked
        notes = self._notes(now)
        self._most_listed = max(self._most_listed, len(listed))
        rows = Rows.of(
            height,
            notes=len(notes),
            cases=2 if question else self._most_listed,
            typed=question is not None,
        )
        head = Head(
            self._run.name, self.counts.done, self.counts.total, str(self.counts), self._left()
        )
        lines = head_lines(paper, head, rows.head)
        if self._is_stopping and not rows.notes:
            lines = note_lines(paper, notes, 1)
        lines += note_lines(paper, notes, rows.notes)
        lines += [rule(paper, *self._heading(len(listed)))][: rows.heading]
        shown = case_lines(paper, listed, followed, rows.cases, seats=self._run.jury, now=now)
        lines += shown + [""] * (rows.cases - len(shown))
        lines += self._lower(paper, rows, followed, question)
        return lines[:height]

    def _lower(
        self, paper: Paper, rows: Rows, followed: WatchedCase | None, question: Question | None
    ) -> list[str]:
        """Return the part below the list: a case in full, or what a person is asked."""
        text = self._in_full(paper, followed) if question is None else self._in_words(paper)
        self._body = (len(text), rows.body)
        part = self._scroll.part(text, rows.body)
        lines = [rule(paper, *self._title(followed, question))][: rows.rule]
        lines += [*part, *[""] * (rows.body - len(part))]
        if question is not None and rows.typed:
            prompt = question.text.rpartition("\n")[2]
            lines += typed_lines(paper, prompt, question.line, rows.typed)
        return lines + [keys_line(paper, self._keys(paper, question))][: rows.keys]

    def _left(self) -> str:
        seconds = self.counts.left_s
        if seconds is None or not self.counts.done < self.counts.total:
            return ""
        minutes = round(seconds / 60)
        if minutes < 2:
            return f"{seconds:.0f} s left"
        return f"{minutes} min left" if minutes < 120 else f"{minutes / 60:.1f} h left"

    def _notes(self, now: float) -> list[str]:
        notes = list[str]()
        if self._is_stopping:
            notes.append(_STOP)
        if self._is_stopped:
            notes.append("Stopping …")
        if self._questions and not self._answers:
            notes.append("You are asked for a ballot. Tab: answer")
        if self._is_held:
            under_way = len(self.cases)
            rest = f"{under_way} under way go on to their end" if under_way else "none under way"
            notes.append(f"Paused: no further case begins; {rest}. Space: go on")
        notes += map(str, self._waits)
        if self._note and (now - self._noted_at < _NOTE_S or not self.cases):
            notes.append(self._note)
        return [*notes, *filter(None, [str(self._workers)])]

    def _heading(self, listed: int) -> tuple[str, str]:
        if not self.cases.only_contested:
            return "Under way", f"{listed:,} cases"
        return "Under way, contested only", f"{listed:,} of {len(self.cases):,} cases"

    def _title(self, followed: WatchedCase | None, question: Question | None) -> tuple[str, str]:
        if question is not None:
            # Or a ballot might be cast on what was never scrolled to.
            lines, rows = self._body
            below = 0 if self._scroll.above is None else lines - rows - self._scroll.above
            return "Your ballot", f"{below} lines below" if below else ""
        if followed is None:
            return "No case", ""
        where = "" if self._scroll.above is None else f", {self._scroll.above} lines above"
        return followed.case_id, f"{followed.target}, {followed.scenario}{where}"

    def _in_full(self, paper: Paper, followed: WatchedCase | None) -> list[str]:
        if followed is None:
            kind = "contested case" if self.cases.only_contested else "case"
            return ["", *paper.lines(Text(f"  No {kind} is under way."))]
        if self._pane is None or self._pane.case is not followed:
            run = self._run
            self._pane = Pane(
                followed,
                run.jury,
                protocol=run.protocol,
                reveal=run.reveal,
                clock=self._clock,
            )
            self._scroll = Scroll()
        return self._pane.lines(paper)

    def _in_words(self, paper: Paper) -> list[str]:
        words = "\n\n".join(filter(None, (self._case_in_words.strip("\n"), self._remark)))
        if (paper, words) != self._laid_out[:2]:  # a long case takes a while, at every key
            self._laid_out = (paper, words, paper.lines(paper.look.words(words)))
        return self._laid_out[2]

    def _keys(self, paper: Paper, question: Question | None) -> Sequence[str]:
        up_down = "↑↓" if paper.look.glyphs.arrow == "→" else "up/down"
        if question is not None:
            scroll = f"{up_down} PgUp PgDn: scroll"
            return "Enter: answer", scroll, "Tab: watch the run", "Ctrl-C: stop"
        contested = "all cases" if self.cases.only_contested else "contested only"
        pause = "go on" if self._is_held else "pause"
        steer = (f"{up_down}: other case", f"space: {pause}", "q: stop")
        return (*steer, f"c: {contested}", "PgUp PgDn: scroll")
