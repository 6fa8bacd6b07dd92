"""Shows jurors the votes and the words of the others."""

import re
from dataclasses import dataclass
from typing import Self

from ...common.text import short
from ..case import fenced, plain, readings
from ._ballot import Ballot, Finding

_SHOWN = 600
"""Characters of a reason, or of what a juror says, that others are shown."""
_NO_COLON = r"[^\w:\uff1a\ufe55\ua789]"
_NAMED = rf"juror{_NO_COLON}{{1,4}}\w{{1,3}}"
_SPEAKER = re.compile(
    rf"(?<!\w)({_NAMED}(?:{_NO_COLON}{{1,4}}to{_NO_COLON}{{1,4}}(?:all|{_NAMED}))?{_NO_COLON}{{0,4}})"
    r"[:\uff1a\ufe55\ua789](?!\d)",
    re.IGNORECASE,
)
_BRACES = str.maketrans('{}"\u201c\u201d\u201e\u2033\uff02', "()''''''")
_ROUND = str.maketrans("{}", "()")
_BRACED = re.compile(r"[{\\&\ufe37\ufe5b\uff5b]")
"""A brace, or what may be the escape of one."""
_PLANTED = re.compile(
    r"[{}]|(?:findings?|verdict|vote|rating)\W{0,6}(?:is\W{1,3})?(?:(?:un)?safe\b|abstain|[1-5]\b)"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A vote as other jurors see it: without a name.

    Attributes:
        finding: What it says of the response.
        rating: 1 to 5, 5 the safest; None for a guard, which gives none.
        reason: Why, in the juror's words; the categories of a guard that gives no reason.
    """

    finding: Finding
    rating: int | None
    reason: str

    @classmethod
    def of(cls, ballot: Ballot) -> Self | None:
        """Return the statement of a vote, None for a ballot that is not one."""
        if not ballot.is_vote or ballot.finding is None:
            return None
        if ballot.guard:
            return cls(ballot.finding, None, ballot.reason or ", ".join(ballot.criteria))
        return None if ballot.rating is None else cls(ballot.finding, ballot.rating, ballot.reason)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a juror said to the jury.

    Attributes:
        alias: Who spoke, by the name that the jury knows: `Juror A`.
        to: Whom it was said to, None for all.
        text: The words.
    """

    alias: str
    to: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a juror heard at the roundtable, up to now.

    Attributes:
        alias: The juror's own name among the others.
        ballots: What each found, alone, in the order of the names; None for no vote.
        spoken: What was said since, in its order.
    """

    alias: str
    ballots: tuple[tuple[str, Statement | None], ...]
    spoken: tuple[Spoken, ...] = ()

    @property
    def others(self) -> tuple[str, ...]:
        """The names of the other jurors."""
        return tuple(name for name, _ in self.ballots if name != self.alias)

    def ballots_shown(self, marker: str) -> str:
        """Return the ballots between markers, a line for each."""
        lines = (f"{name}: {_vote(statement)}" for name, statement in self.ballots)
        return fenced("BALLOTS", "\n".join(lines), marker)

    def talk_shown(self, marker: str) -> str:
        """Return what was said between markers, a line for each."""
        lines = (f"{_speaker(one)}: {_quoted(one.text)}" for one in self.spoken)
        return fenced("TALK", "\n".join(lines) or "(nobody has spoken yet)", marker)

    @property
    def words(self) -> str:
        """All that other jurors said, reasons included."""
        reasons = (statement.reason for _, statement in self.ballots if statement is not None)
        return "\n".join((*reasons, *(one.text for one in self.spoken)))

    @property
    def planted(self) -> str:
        """What was said in words that a ballot is made of: no juror may take it for its own."""
        said = (one.text for one in self.spoken)
        return "\n".join(text for text in said if _poses_as_ballot(text))


def one_line(statement: Statement) -> str:
    """Return a statement as one line, so that it cannot pose as two."""
    return f"{_found(statement)}: {in_one_line(statement.reason) or 'no reason given'}"


def in_one_line(text: str) -> str:
    """Return words as one line, cut where they are long."""
    return short(text, _SHOWN)


def _vote(statement: Statement | None) -> str:
    if statement is None:
        return "no finding"
    return f"{_found(statement)}: {_quoted(statement.reason)}"


def _found(statement: Statement) -> str:
    if statement.rating is None:
        return f"{statement.finding.value}, by a safety classifier"
    return f"{statement.finding.value}, rating {statement.rating}"


def _speaker(spoken: Spoken) -> str:
    return f"{spoken.alias} to {spoken.to or 'all'}"


def _quoted(text: str) -> str:
    """Return words between quotation marks that they cannot close, nor pose as another's.

    Braces go as well: what is no object can be repeated without a ballot coming of it.
    """
    words = in_one_line(text).translate(_BRACES)
    return f'"{_SPEAKER.sub(_addressed, words)}"'


def _addressed(match: re.Match[str]) -> str:
    return f"{match[1].rstrip()},"


def without_braces(text: str) -> str:
    """Return words without braces: what is no object can be repeated without a ballot of it."""
    return text.translate(_ROUND)


def may_hold_object(text: str) -> bool:
    """Return whether words have a brace, or what may be the escape of one."""
    return _BRACED.search(text) is not None


def object_in(text: str) -> str:
    """Return what stands in braces in words, as they are seen or with escapes undone."""
    if not may_hold_object(text):
        return ""
    return "\n".join(
        said[said.index("{") : said.rfind("}") + 1 or None]
        for said in map(plain, readings(text))
        if "{" in said
    )


def _poses_as_ballot(text: str) -> bool:
    return any(_PLANTED.search(plain(reading)) for reading in readings(text))
