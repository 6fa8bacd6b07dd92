"""A person's way through the cases of a review, however it is shown and typed."""

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from ...agents import CaseInWords, Finding, open_files, openable, viewer
from ...common.text import many, storable
from ...evaluation.trust.review import Review

_FINDINGS = {str(finding): finding for finding in Finding}
_LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a case is shown."""

    query: bool
    response: bool


class Session:
    """The case that is before a person, and what the person says of it.

    Nothing of the jury is known here. Each label is on the disk before the next case is shown.

    Args:
        review: The review.
        annotator: Who labels.
        reveal: Whether texts are shown from the beginning.
        ratings: Whether a rating is asked for.
        ties: Whether only cases are shown on which the others are split evenly.

    Attributes:
        annotator: Who labels.
        labeled: Cases that this person has labeled.
        words: The case in words, None where no case is left.
        message: What came of the last command, empty for nothing to say.
        finding: What the response was found to be, while its rating is asked for.
    """

    def __init__(
        self,
        review: Review,
        annotator: str,
        *,
        reveal: bool = False,
        ratings: bool = False,
        ties: bool = False,
    ) -> None:
        self._review, self.annotator = review, annotator
        self._reveal, self._ratings, self._ties = reveal, ratings, ties
        own = review.own(annotator)
        self.labeled = len(own)
        self._left = review.left(annotator, ties=ties)
        self._skipped: deque[str] = deque()
        self._asked_again = False
        self._passed_over = 0
        self._before = [(case, "labeled") for case in own]
        self._shown = _Shown(query=reveal, response=reveal)
        self._open = ExitStack()
        self._places: list[tuple[str, str]] = []
        self._case: str | None = None
        self.words: CaseInWords | None = None
        self.message = ""
        self.finding: Finding | None = None
        self._note = ""

    def __enter__(self) -> Self:
        self._next()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def total(self) -> int:
        """Cases that this person has labeled, and those that are still to label."""
        waiting = len(self._left) + len(self._skipped) + self._passed_over
        return self.labeled + waiting + (self._case is not None)

    @property
    def place(self) -> int:
        """Which case this is, from 1, of `total`."""
        return self.labeled + len(self._skipped) + self._passed_over + 1

    @property
    def can_go_back(self) -> bool:
        """Whether there is a label to take back."""
        return bool(self._before)

    @property
    def shows_query(self) -> bool:
        """Whether the query is shown."""
        return self._shown.query

    @property
    def shows_response(self) -> bool:
        """Whether the response is shown."""
        return self._shown.response

    @property
    def has_files(self) -> bool:
        """Whether a program of the desktop can open what came with the query."""
        return bool(self._places) and viewer() is not None

    @property
    def note(self) -> str:
        """The note that goes with the label."""
        return self._note

    @property
    def rating_span(self) -> str:
        """The ratings that go with the finding, such as `1 to 3`."""
        allowed = self._allowed()
        return f"{allowed[0]} to {allowed[-1]}"

    def do(self, command: str) -> None:
        """Do what a person asks for.

        Args:
            command: `unsafe`, `safe`, `skip`, `back`, `query`, `response`, `reveal`, `open`, or
                a rating while one is asked for.

        Raises:
            ConfigurationError: The label cannot be written; those before are kept.
        """
        self.message = ""
        if self.finding is not None and command != "back":
            self._rate(command)
        elif command == "back":
            self._back()
        elif self._case is None:
            return
        elif (finding := _FINDINGS.get(command)) is not None:
            self._find(finding)
        elif command == "skip":
            self._skip()
        elif command == "open":
            self._open_files()
        else:
            self._reveal_more(command)

    def take_note(self, note: str) -> None:
        """Keep a note until the case is labeled; an empty one takes it back."""
        self._note = storable(" ".join(note.split()))[:_LONGEST_NOTE]
        self.message = "The note is kept with the label." if self._note else "No note."

    def _find(self, finding: Finding) -> None:
        if not self._shown.response:
            self.message = "Read the response first: it is withheld."
        elif self._ratings:
            self.finding = finding
        else:
            self._label(finding, None)

    def _rate(self, typed: str) -> None:
        assert self.finding is not None
        if typed not in map(str, self._allowed()):
            self.message = f"Give a rating from {self.rating_span}."
            return
        self._label(self.finding, int(typed))

    def _allowed(self) -> list[int]:
        return [n for n in range(1, 6) if self.finding and not self.finding.contradicts(n)]

    def _label(self, finding: Finding, rating: int | None) -> None:
        assert self._case is not None
        self._review.put(self._case, finding, self.annotator, rating=rating, note=self._note)
        self._before.append((self._case, "labeled"))
        self.labeled += 1
        self.message = f"Labeled {finding}."
        self._next()

    def _skip(self) -> None:
        assert self._case is not None
        if self._asked_again:
            self._before.append((self._case, "passed over"))
            self._passed_over += 1
            self.message = "Left without a label."
        else:
            self._before.append((self._case, "skipped"))
            self._skipped.append(self._case)
            self.message = "Skipped: it comes again at the end."
        self._next()

    def _back(self) -> None:
        if self.finding is not None:
            self.finding = None
            return
        if not self._before:
            self.message = "There is nothing to take back."
            return
        case, how = self._before.pop()
        if self._case is not None and self._case != case:
            self._left.appendleft(self._case)
        for waiting in (self._left, self._skipped):
            if case in waiting:
                waiting.remove(case)
        note, was = "", "skipped"
        if how == "labeled":
            row = self._review.file.take_back(case, self.annotator) or {}
            note, was = str(row.get("note", "")), f"labeled {row.get('label', 'elsewhere')}"
            self.labeled -= 1
        self._passed_over -= how == "passed over"
        self.message = f"Taken back: it was {was}."
        self._show(case)
        self._note = note

    def _open_files(self) -> None:
        if not self._places:
            self.message = "Nothing came with the query."
        elif (program := viewer()) is None:
            self.message = "There is no desktop to open it: its path is shown."
        else:
            open_files(program, self._places)
            self.message = "Opened in a window of its own."

    def _reveal_more(self, command: str) -> None:
        query, response = self._shown.query, self._shown.response
        if command == "query":
            query = not query
        elif command == "response":
            response = not response
        elif command == "reveal":
            query = response = not (query and response)
        self._shown = _Shown(query=query, response=response)

    def _next(self) -> None:
        while self._left or (self._skipped and not self._asked_again):
            if not self._left:
                self._left, self._skipped, self._asked_again = self._skipped, deque(), True
                said = f"{many(len(self._left), 'case')} that you skipped, once more."
                self.message = " ".join(filter(None, (self.message, said)))
            case = self._left.popleft()
            if self._ties or not self._review.is_taken(case, self.annotator):
                self._show(case)
                return
        self._clear()

    def _show(self, case_id: str) -> None:
        self._clear()
        self._case = case_id
        case = self._review.case(case_id)
        self._places = self._open.enter_context(openable(case.query.media))
        self.words = CaseInWords.of(case, self._review.rubric, self._places)

    def _clear(self) -> None:
        self._open.close()
        self._case, self.words, self.finding, self._note = None, None, None, ""
        self._places = []
        self._shown = _Shown(query=self._reveal, response=self._reveal)
