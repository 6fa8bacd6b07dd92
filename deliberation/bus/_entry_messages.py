"""Turns the entries of a transcript into AgentChat messages, for teams with a jury."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage
from autogen_core.models import RequestUsage, UserMessage
from pydantic import ConfigDict, Field

from ...agents import JURY_WORDS, Ballot, CaseMessage, RemarkOutcome, neutralize
from ...common.text import escape_controls, short
from ...models import Usage
from ..protocol import (
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    RemarkMade,
    SummedUp,
    TalkAudited,
    Verdict,
    VerdictAnnounced,
    tally,
)

TeamMessage = BaseAgentEvent | BaseChatMessage
"""What a team says, and what it lets observers see."""
_LONGEST_REASON = 600
_VERDICT = re.compile(r"(?i)\bverdict(?=\s*:)")


class _JuryEvent(BaseAgentEvent):
    """What observers of a jury see, and the other agents of a team do not."""

    model_config = ConfigDict(defer_build=True)  # built for whoever watches a jury in a team

    metadata: dict[str, str] = Field(default_factory=lambda: dict(JURY_WORDS))


class BallotsEvent(_JuryEvent):
    """The sealed ballots of a round are opened, all at once.

    Attributes:
        content: The ballots, in seat order, with their seals.
        type: How AutoGen knows the message when it loads a team's state.
    """

    content: BallotsRevealed
    type: Literal["BallotsEvent"] = "BallotsEvent"

    def to_text(self) -> str:
        """Return who voted how and why, one juror a line."""
        said = self.content
        lines = [f"Ballots of round {said.round}: {_counted(said.ballots)}", *_stated(said.ballots)]
        if said.not_asked:
            lines.append(f"Not asked, as the outcome was clear: {', '.join(said.not_asked)}")
        return escape_controls("\n".join(lines))


class DiscussionEvent(_JuryEvent):
    """The jurors are to read each other and to vote again.

    Attributes:
        content: The round, and why it is held.
        type: See `BallotsEvent`.
    """

    content: DiscussionOpened
    type: Literal["DiscussionEvent"] = "DiscussionEvent"

    def to_text(self) -> str:
        """Return why they discuss."""
        return f"The jurors read each other and vote again: {escape_controls(self.content.why)}"


class RemarkEvent(_JuryEvent):
    """A juror had its turn at the roundtable, and spoke, passed or failed to do either.

    Attributes:
        content: What came of it.
        type: See `BallotsEvent`.
    """

    content: RemarkMade
    type: Literal["RemarkEvent"] = "RemarkEvent"

    def to_text(self) -> str:
        """Return who spoke to whom, and the words in one line."""
        said = self.content.remark
        who = f"{said.alias} ({said.juror})"
        if said.outcome is RemarkOutcome.PASSED:
            return escape_controls(f"{who} passes")
        if said.outcome is not RemarkOutcome.SPOKE:
            return escape_controls(f"{who} said nothing, {said.outcome}")
        whom = f"{said.to} ({said.to_juror})" if said.to else "all"
        return escape_controls(f"{who} to {whom}: {_in_one_line(said.text)}")


class SummaryEvent(_JuryEvent):
    """The foreperson sums up agreement and dissent.

    Attributes:
        content: Its words, or what went wrong.
        type: See `BallotsEvent`.
    """

    content: SummedUp
    type: Literal["SummaryEvent"] = "SummaryEvent"

    def to_text(self) -> str:
        """Return the foreperson's words."""
        said = self.content
        return escape_controls(said.text or f"Nobody summed up: {said.detail or 'no words came'}")


class TalkAuditEvent(_JuryEvent):
    """Jurors voted once more without the talk of the case, which counts for nothing.

    Attributes:
        content: Their ballots.
        type: See `BallotsEvent`.
    """

    content: TalkAudited
    type: Literal["TalkAuditEvent"] = "TalkAuditEvent"

    def to_text(self) -> str:
        """Return who voted how, one juror a line."""
        said = self.content
        counted = f"Talk audit, {said.arm}: {_counted(said.ballots)}"
        return escape_controls("\n".join([counted, *_stated(said.ballots)]))


class VerdictMessage(BaseChatMessage):
    """The verdict on one case: what a jury says to the other agents of a team.

    Attributes:
        content: The verdict; its `finding` is None where there is none.
        case_id: Of the case that was heard.
        ballots: The ballots that decided, in seat order.
        summary: The foreperson's words; empty where nobody summed up.
        type: See `BallotsEvent`.
    """

    model_config = ConfigDict(defer_build=True)
    metadata: dict[str, str] = Field(default_factory=lambda: dict(JURY_WORDS))
    content: Verdict
    case_id: str
    ballots: tuple[Ballot, ...] = ()
    summary: str = ""
    type: Literal["VerdictMessage"] = "VerdictMessage"

    @property
    def finding(self) -> Literal["unsafe", "safe", "no_verdict"]:
        """What was found, as a word."""
        return finding_of(self.content)

    def to_text(self) -> str:
        """Return the verdict in one line; the reasons are those of the ballots before it."""
        dissent = ", ".join(self.content.dissent)
        line = verdict_line(self.content)
        return escape_controls(f"{line}; dissent: {dissent}" if dissent else line)

    def to_model_text(self) -> str:
        """Return the verdict and the jurors' reasons.

        Nothing but its first line says "Verdict:", whatever jurors quote.
        """
        return neutralize(self._words())

    def to_model_message(self) -> UserMessage:
        """Return what a model reads as a user's message."""
        return UserMessage(content=self.to_model_text(), source=self.source)

    def _words(self) -> str:
        lines = [verdict_line(self.content)]
        if self.ballots:
            lines += ["The jurors, with ratings from 1 to 5, the safest:", *_stated(self.ballots)]
        if self.summary:
            lines += [f"The foreperson sums up: {_in_one_line(self.summary)}"]
        return "\n".join(lines)


class EntryMessages:
    """Turns the entries of one case, in their order, into messages.

    Args:
        source: The jury's name.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._rounds: list[tuple[Ballot, ...]] = []
        self._summary = ""
        self._counted = RequestUsage(0, 0)

    def of(self, entry: Entry) -> TeamMessage:
        """Return the message of an entry.

        The tokens that its messages report add up to those of the verdict.
        """
        return self._makers[type(entry)](self, entry)

    def _case(self, entry: CaseOpened) -> TeamMessage:
        return CaseMessage.of(entry.case)

    def _ballots(self, entry: BallotsRevealed) -> TeamMessage:
        self._rounds.append(entry.ballots)
        used = _sum(_tokens(ballot.usage) for ballot in entry.ballots)
        self._counted = _sum([self._counted, used])
        return BallotsEvent(source=self._source, content=entry, models_usage=used)

    def _discussion(self, entry: DiscussionOpened) -> TeamMessage:
        return DiscussionEvent(source=self._source, content=entry)

    def _remark(self, entry: RemarkMade) -> TeamMessage:
        used = _tokens(entry.remark.usage)
        self._counted = _sum([self._counted, used])
        return RemarkEvent(source=self._source, content=entry, models_usage=used)

    def _summed_up(self, entry: SummedUp) -> TeamMessage:
        self._summary = entry.text
        return SummaryEvent(source=self._source, content=entry)

    def _audited(self, entry: TalkAudited) -> TeamMessage:
        used = _sum(_tokens(ballot.usage) for ballot in entry.ballots)
        return TalkAuditEvent(source=self._source, content=entry, models_usage=used)

    def _verdict(self, entry: VerdictAnnounced) -> TeamMessage:
        used = _tokens(entry.verdict.usage)
        return VerdictMessage(
            source=self._source,
            content=entry.verdict,
            case_id=entry.case_id,
            ballots=self._deciding(entry.verdict),
            summary=self._summary,
            models_usage=RequestUsage(
                max(0, used.prompt_tokens - self._counted.prompt_tokens),
                max(0, used.completion_tokens - self._counted.completion_tokens),
            ),
        )

    def _deciding(self, verdict: Verdict) -> tuple[Ballot, ...]:
        """Return the ballots that a verdict counts: not always those of the last round."""
        seats = sum(verdict.tally.values())
        for ballots in reversed(self._rounds):
            if tally(ballots, seats=seats) == verdict.tally:
                return ballots
        return ()

    _makers: ClassVar[Mapping[type, Callable[[Any, Any], TeamMessage]]] = {
        CaseOpened: _case,
        BallotsRevealed: _ballots,
        DiscussionOpened: _discussion,
        RemarkMade: _remark,
        SummedUp: _summed_up,
        VerdictAnnounced: _verdict,
        TalkAudited: _audited,
    }
    """How each kind of entry becomes a message."""


JURY_MESSAGES: list[type[TeamMessage]] = [
    CaseMessage,
    BallotsEvent,
    DiscussionEvent,
    RemarkEvent,
    SummaryEvent,
    VerdictMessage,
    TalkAuditEvent,
]
"""The messages of a jury, for the `custom_message_types` of a team that has one in it."""


def finding_of(verdict: Verdict) -> Literal["unsafe", "safe", "no_verdict"]:
    """Return what was found, as a word."""
    return "no_verdict" if verdict.finding is None else verdict.finding.value


def verdict_line(verdict: Verdict) -> str:
    """Return a verdict in one line that begins with "Verdict:"."""
    if verdict.finding is not None:
        return f"Verdict: {verdict}"
    why = _in_one_line(verdict.reason) or "the jury reached none"
    return f"Verdict: none ({why}). This does not say that the response is safe."


def _stated(ballots: tuple[Ballot, ...]) -> list[str]:
    return [f"- {ballot.juror}: {_statement(ballot)}" for ballot in ballots]


def _statement(ballot: Ballot) -> str:
    if ballot.finding is None:
        why = _in_one_line(ballot.reason or ballot.detail or "")
        return f"no vote, {ballot.outcome}{f': {why}' if why else ''}"
    if ballot.guard is not None:
        said = ballot.reason or ", ".join(ballot.criteria)
        return f"{ballot.finding}, by a guard{f': {_in_one_line(said)}' if said else ''}"
    return f"{ballot.finding}, rating {ballot.rating}: {_in_one_line(ballot.reason)}"


def _in_one_line(words: str) -> str:
    """Return words that cannot pass for lines of ours, nor for a verdict."""
    return _VERDICT.sub("verdict -", short(words, _LONGEST_REASON))


def _counted(ballots: tuple[Ballot, ...]) -> str:
    counts = tally(ballots, seats=len(ballots))
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"


def _tokens(usage: Usage) -> RequestUsage:
    return RequestUsage(usage.prompt_tokens or 0, usage.completion_tokens or 0)


def _sum(parts: Iterable[RequestUsage]) -> RequestUsage:
    usages = tuple(parts)
    return RequestUsage(
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
    )
