"""The case before the jury: a query and a response."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ...datasets import Query, ShownTurn, Transcript, shown_turns, words_in, words_of
from ...targets import Response, ResponseOutcome
from ._keeping import Keeping


@dataclass(frozen=True, slots=True)
class Case(Keeping):
    """A query and a response, as the jury sees them.

    Attributes:
        id: `query/target/epoch`, unique within a run.
        query: What was asked.
        response: What the target returned.
        guideline: What to weigh in this scenario, in one paragraph.
        transcript: The words of the query's sound, for jurors that cannot hear it;
            None where nobody wrote them down.
        titles: The titles of the scenario and its category, where the set has scenarios
            of its own.
        judge_truncated: Whether the jury judges a response that the token cap cut short.
    """

    id: str
    query: Query
    response: Response
    guideline: str = ""
    transcript: Transcript | None = None
    titles: tuple[str, str] | None = None
    judge_truncated: bool = False

    @property
    def is_heard(self) -> bool:
        """Whether the response goes to the jury; all others end without a verdict."""
        outcome = self.response.outcome
        return outcome is ResponseOutcome.ANSWERED or self.is_cut_off

    @property
    def is_cut_off(self) -> bool:
        """Whether the jury judges what there is of a response that was cut short."""
        cut = self.response.outcome is ResponseOutcome.TRUNCATED and self.judge_truncated
        return cut and bool(self.response.text.strip())

    @property
    def since(self) -> Iterator[ShownTurn]:
        """The turns between the question and the response's last words, numbered on."""
        asked = len(self.query.messages) or 1
        return shown_turns(self.response.turns, first=asked + 1)

    @property
    def fence(self) -> str:
        """A marker of 24 hex digits that the response cannot contain on purpose.

        It is a hash of the words it fences: to guess it, a target would need a
        text that holds its own hash. The same case always has the same marker,
        so prompts stay equal between jurors, and between a run and its repeat.
        """
        return self.kept("fence", self._made_fence)

    def _made_fence(self) -> str:
        others = [] if self.transcript is None else [self.transcript.text]
        others += filter(None, [self.query.underlying_request])
        others += words_of(self.query) if self.query.messages else []
        others += words_in(self.response.turns)
        fenced = "\x00".join((self.id, self.query.text, self.response.text, *others))
        return hashlib.sha256(fenced.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    def _size(self) -> int:
        return sum(map(len, self.words))

    @property
    def words(self) -> list[str]:
        """What its target said, and what it was asked."""
        return [self.response.text, *words_in(self.response.turns), *words_of(self.query)]
