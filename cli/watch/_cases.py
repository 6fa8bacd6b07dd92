"""The cases of a run that are under way, as far as a view needs to know them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from ...datasets import load_taxonomy
from ...deliberation import (
    BallotCalled,
    BallotSealed,
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    Notice,
    RemarkCalled,
    RemarkMade,
    SummedUp,
    TalkAudited,
    Verdict,
    VerdictAnnounced,
    contested,
)
from ...deliberation.transcript import case_titles
from ...evaluation import Trial

LINGER_S = 4.0
"""Seconds that a verdict stays on the screen before another case is followed."""
_FOREPERSON = "foreperson"


@dataclass(slots=True)
class WatchedCase:
    """One case from its beginning to its verdict.

    Attributes:
        case_id: Its id.
        target: Name of the target.
        query: Id of the query.
        scenario: Title of the scenario.
        begun_at: When it began, on a monotonic clock in seconds.
        round: The round of which ballots were last called, None before.
        spoke: Who spoke last: a seat, the foreperson, the target; empty for nobody.
        is_contested: Whether its jurors were found to differ.
        called: Ballots called in this round.
        sealed: Those of them that are in.
        turn: Which turn of the talk at the roundtable it is, from 1; 0 while nobody talks.
        events: All that happened in its deliberation, and when.
        verdict: The verdict, None before.
        ended_at: When it was no longer under way, None before.
    """

    case_id: str
    target: str
    query: str
    scenario: str
    begun_at: float
    round: int | None = None
    spoke: str = ""
    is_contested: bool = False
    called: int = 0
    sealed: int = 0
    turn: int = 0
    events: list[tuple[float, Entry | Notice]] = field(
        default_factory=list[tuple[float, Entry | Notice]]
    )
    verdict: Verdict | None = None
    ended_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has come before the jury."""
        return bool(self.events)

    def take(self, event: Entry | Notice, at: float) -> None:
        """Take down what happened."""
        self.events.append((at, event))
        match event:
            case CaseOpened():
                self.spoke = self.target
                self.scenario = case_titles(event.case)[0]
            case BallotCalled():
                self.called = self.called + 1 if self.round == event.round else 1
                self.sealed = self.sealed if self.round == event.round else 0
                self.round, self.turn = event.round, 0
            case BallotSealed():
                self.sealed += 1
                self.spoke = event.seat
            case BallotsRevealed():
                self.called = self.sealed = 0
                self.is_contested |= contested(event.ballots) is not None
            case DiscussionOpened():
                self.spoke = _FOREPERSON
                self.is_contested = True
            case RemarkCalled():
                self.round, self.turn = event.round, event.turn
            case RemarkMade():
                self.spoke, self.turn = event.remark.juror, event.remark.turn
            case VerdictAnnounced():
                self.spoke = _FOREPERSON
                self.verdict = event.verdict
            case SummedUp():
                self.spoke = _FOREPERSON
            case TalkAudited():
                pass  # the case was left with its verdict
            case _:
                assert_never(event)


class WatchedCases:
    """The cases under way, which of them are listed, and which one is followed."""

    def __init__(self) -> None:
        self._cases: dict[str, WatchedCase] = {}
        self._followed: WatchedCase | None = None
        self._is_chosen = False
        self.only_contested = False

    def begun(self, trial: Trial, at: float) -> None:
        """Add a case."""
        titles = load_taxonomy().titles(trial.query.scenario)
        scenario = titles[0] if titles else trial.query.scenario
        self._cases[trial.case_id] = WatchedCase(
            trial.case_id, trial.target, trial.query.id, scenario, at
        )

    def heard(self, event: Entry | Notice, at: float) -> None:
        """Take down what happened in a case."""
        case = self._cases.get(event.case_id)
        if case is None and self._followed is not None:
            case = self._followed if self._followed.case_id == event.case_id else None
        if case is not None:
            case.take(event, at)

    def left(self, case_id: str, at: float) -> None:
        """Drop a case that is no longer under way; one that is followed stays a moment."""
        case = self._cases.pop(case_id, None)
        if case is not None:
            case.ended_at = at

    def __len__(self) -> int:
        return len(self._cases)

    def listed(self) -> list[WatchedCase]:
        """Return the cases that are listed, in the order in which they began."""
        return [x for x in self._cases.values() if x.is_contested or not self.only_contested]

    def followed(self, now: float) -> WatchedCase | None:
        """Return the case that is shown in full; another one once it has ended."""
        case = self._followed
        if case is not None and case.ended_at is not None:
            seen_s = LINGER_S if case.verdict is not None else 0.0
            if now - case.ended_at < seen_s:
                return case
        elif case is not None and (self._is_chosen or self._fits(case)):
            return case
        if (other := next(self._to_follow(), None)) is not None:
            self._followed, self._is_chosen = other, False
        elif case is not None and not self._fits(case):
            self._followed = None
        return self._followed

    def _fits(self, case: WatchedCase) -> bool:
        return case.is_contested or not self.only_contested

    def _to_follow(self) -> Iterator[WatchedCase]:
        """Yield cases in the order in which they are worth following: those with most to show."""
        listed = self.listed()
        yield from sorted(listed, key=lambda case: (not case.is_contested, not case.is_open))

    def step(self, steps: int) -> None:
        """Follow the case so many lines further down the list, or up."""
        listed = self.listed()
        if not listed:
            return
        place = next((i for i, x in enumerate(listed) if x is self._followed), None)
        if place is None:
            place = -1 if steps > 0 else 0
        self._followed = listed[(place + steps) % len(listed)]
        self._is_chosen = True

    def toggle_contested(self) -> None:
        """List and follow contested cases alone, or all again."""
        self.only_contested = not self.only_contested
        self._is_chosen = False
