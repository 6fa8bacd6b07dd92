"""Writes a deliberation as events of a sample's transcript in Inspect."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from inspect_ai.event import (
    Event,
    InfoEvent,
    ModelEvent,
    ScoreEvent,
    SpanBeginEvent,
    SpanEndEvent,
)
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.scorer import Score

from ....agents import Ballot, Remark
from ....deliberation import (
    BallotsRevealed,
    DiscussionOpened,
    Entry,
    RemarkMade,
    SeatInfo,
    SummedUp,
    TalkAudited,
    VerdictAnnounced,
)
from ....targets import Response
from ._scores import JURY, ballot_data
from ._words import Words

_FOREPERSON = "foreperson"
_STEP = timedelta(milliseconds=1)
"""Between events, of which the record keeps the order and no times."""


class Transcript:
    """The events of one sample, in order.

    Args:
        sample: The sample's uuid, with which ids of events begin.
        at: When the run was recorded: the time of the first event.
        jury: The jury's seats.
        words: Writes words of the case.
    """

    def __init__(self, sample: str, at: datetime, jury: Sequence[SeatInfo], words: Words) -> None:
        self.events: list[Event] = []
        self._sample, self._at, self._words = sample, at, words
        self._jury = {info.seat: info for info in jury}
        self._within: list[str] = []
        self._spans = 0

    def asked(
        self, messages: Sequence[ChatMessage], output: ModelOutput, response: Response
    ) -> None:
        """Add the call of the target; nothing for responses that were recorded elsewhere."""
        if not response.calls:
            return
        with self._span("target", "solver"):
            about = self._about()
            done = about["timestamp"] + timedelta(seconds=response.latency_s)
            sampling = response.sampling
            self.events.append(
                ModelEvent(
                    **about,
                    completed=done,
                    working_time=response.latency_s,
                    model=output.model,
                    input=list(messages),
                    tools=[],
                    tool_choice="none",
                    config=GenerateConfig(
                        max_tokens=response.max_tokens,
                        seed=response.seed,
                        temperature=None if sampling is None else sampling.temperature,
                        top_p=None if sampling is None else sampling.top_p,
                    ),
                    output=output,
                    error=None if output.choices else self._words.error(response.detail),
                )
            )
            self._at = max(self._at, done)

    def deliberated(self, entries: Sequence[Entry], score: Score) -> None:
        """Add the ballots round by round, what was said between them, and the verdict."""
        with self._span(JURY, "scorers"):
            for entry in entries:
                self._add(entry)
                if isinstance(entry, VerdictAnnounced):
                    self.events.append(ScoreEvent(**self._about(), score=score, scorer=JURY))

    def _add(self, entry: Entry) -> None:
        match entry:
            case BallotsRevealed(round=number, ballots=ballots, not_asked=not_asked):
                with self._span(f"round {number}: ballots, revealed together", "ballots"):
                    for ballot in ballots:
                        self._ballot(ballot)
                    for seat in not_asked:
                        self._info(seat, {"outcome": "not asked, the outcome was clear"})
            case DiscussionOpened(why=why):
                self._info(_FOREPERSON, {"opens the discussion": why})
            case RemarkMade(remark=remark):
                self._info(remark.juror, _said(remark, self._words))
            case SummedUp(text=text, detail=detail):
                said = (
                    {"summary": text}
                    if text
                    else {"no summary": self._words.error(detail) or "nothing was said"}
                )
                self._info(_FOREPERSON, said)
            case TalkAudited(arm=arm, ballots=ballots):
                with self._span(f"talk audit: {arm}, counts for nothing", "ballots"):
                    for ballot in ballots:
                        self._ballot(ballot)
            case _:
                pass

    def _ballot(self, ballot: Ballot) -> None:
        self._info(ballot.juror, ballot_data(ballot, self._words))

    def _info(self, seat: str, data: Mapping[str, Any]) -> None:
        known = self._jury.get(seat)
        model = {"model": known.model} if known is not None and known.model else {}
        self.events.append(InfoEvent(**self._about(), source=seat, data={**data, **model}))

    @contextmanager
    def _span(self, name: str, kind: str) -> Generator[None]:
        self._spans += 1
        span = f"{self._sample}-{self._spans}"
        parent = self._within[-1] if self._within else None
        about: dict[str, Any] = {**self._about(), "span_id": span}
        begun = SpanBeginEvent(**about, id=span, parent_id=parent, type=kind, name=name)
        self.events.append(begun)
        self._within.append(span)
        yield
        self.events.append(SpanEndEvent(**self._about(), id=span))
        self._within.pop()

    def _about(self) -> dict[str, Any]:
        """Return what all events have."""
        self._at += _STEP
        return {
            "uuid": f"{self._sample}.{len(self.events)}",
            "span_id": self._within[-1] if self._within else None,
            "timestamp": self._at,
            "working_start": 0.0,
        }


def _said(remark: Remark, words: Words) -> dict[str, Any]:
    said = {
        "says" if remark.text else "outcome": remark.text or str(remark.outcome),
        "to": remark.to_juror or remark.to,
        "detail": words.error(remark.detail),
    }
    return {key: value for key, value in said.items() if value}
