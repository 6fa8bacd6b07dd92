"""Checks that a record was not changed, with one case at a time in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec

from ...agents import Ballot, Remark, TalkArm
from ...datasets import Intent, Media, Message, media_in
from ...models import HIDDEN
from ...targets import ResponseOutcome
from ..trials import CaseResult, unlike_transcript
from ._chain import START, digest, head, link
from ._media import MediaFolder
from ._meta import Row, RunData
from .stored import mirrored


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case that was changed after it was recorded."""

    case_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Integrity:
    """The result of checking a record.

    Attributes:
        cases: Finished cases.
        unchained: Cases that an earlier version recorded without a chain: their ballots'
            seals are checked, and the result is compared with the transcript.
        uncompared: Unchained cases without a verdict to compare the result with.
        unsealable: Ballots of unchained cases that quote a hidden key, so that their seals
            cannot be checked.
        unfinished: Cases without a result, of a run that is in progress or was stopped.
        changed: Number of changed cases.
        digest: SHA-256 over all data that figures come from, in hexadecimal.
        about: How data outside the cases were changed, None where they were not.
    """

    cases: int
    unchained: int
    uncompared: int
    unsealable: int
    unfinished: int
    changed: int
    digest: str
    about: str | None = None

    @property
    def is_changed(self) -> bool:
        """Whether anything was changed."""
        return self.changed > 0 or self.about is not None


class _Sent(msgspec.Struct):
    media: tuple[Media, ...] = ()


class _Response(msgspec.Struct):
    outcome: ResponseOutcome
    sent: _Sent | None = None


class _Query(msgspec.Struct):
    id: str
    scenario: str
    intent: Intent
    images: tuple[Media, ...] = ()
    audio: Media | None = None
    labels: dict[str, str] = {}
    messages: tuple[Message, ...] = ()


class _Case(msgspec.Struct):
    query: _Query
    response: _Response


class _CaseOpened(msgspec.Struct):
    case_id: str
    number: int
    case: _Case


if TYPE_CHECKING:
    _ReadBallot = Ballot
    _ReadResult = CaseResult
else:
    _ReadBallot = mirrored(Ballot)
    _ReadResult = mirrored(CaseResult)


class _BallotsRevealed(msgspec.Struct):
    case_id: str
    number: int
    ballots: tuple[_ReadBallot, ...]
    seals: tuple[str, ...]


class _DiscussionOpened(msgspec.Struct):
    case_id: str
    number: int
    why: str


class _RemarkMade(msgspec.Struct):
    case_id: str
    number: int
    remark: Remark


class _SummedUp(msgspec.Struct):
    case_id: str
    number: int
    text: str


class _TalkAudited(_BallotsRevealed):
    arm: TalkArm


class _Verdict(msgspec.Struct):
    finding: str | None
    initial_finding: str | None = None
    rating: float | None = None


class _VerdictAnnounced(msgspec.Struct):
    case_id: str
    number: int
    verdict: _Verdict


_Entry = (
    _CaseOpened
    | _BallotsRevealed
    | _DiscussionOpened
    | _RemarkMade
    | _SummedUp
    | _VerdictAnnounced
    | _TalkAudited
)
"""The parts of entries that are checked."""

_KINDS: dict[str, type[_Entry]] = {
    "CaseOpened": _CaseOpened,
    "BallotsRevealed": _BallotsRevealed,
    "DiscussionOpened": _DiscussionOpened,
    "RemarkMade": _RemarkMade,
    "SummedUp": _SummedUp,
    "VerdictAnnounced": _VerdictAnnounced,
    "TalkAudited": _TalkAudited,
}
_decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in _KINDS.items()}
_UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)
_decode_result = msgspec.json.Decoder(_ReadResult).decode
_decode_whole_result = msgspec.json.Decoder(CaseResult).decode


def check_record(
    cases: Iterable[Row],
    entries: Iterable[Row],
    about: RunData,
    media: MediaFolder,
    report: Callable[[ChangedCase], None],
) -> Integrity:
    """Check all cases of a record.

    Args:
        cases: Rows of finished cases by id: id, target, query, epoch, scenario, intent,
            outcome of the response, finding, rating, result and head.
        entries: Rows of transcripts by case and number: case, number, kind and body.
        about: The record's data outside the cases.
        media: The run's media.
        report: Called with each changed case.
    """
    kinds = ("cases", "unchained", "uncompared", "unsealable", "unfinished", "changed")
    count = dict.fromkeys(kinds, 0)
    sealed = about.meta.sealed
    run_data, problem = about.read()

    def heads() -> Iterator[tuple[str, str]]:
        for case_id, row, transcript in _merged(cases, entries):
            found = CheckedCase(case_id, row, transcript, media, sealed=sealed)
            if found.why is not None:
                count["changed"] += 1
                report(ChangedCase(case_id, found.why))
            count["unsealable"] += found.unsealable
            if row is None:
                count["unfinished"] += 1
                continue
            count["cases"] += 1
            count["unchained"] += found.unchained
            count["uncompared"] += found.uncompared
            yield case_id, found.head

    whole = digest(run_data, heads())
    return Integrity(**count, digest=whole, about=problem)


class CheckedCase:
    """Checks a case against its chain, its seals and its transcript.

    Args:
        case_id: The case's id.
        row: Its row among the finished cases, None for a case without a result.
        transcript: The rows of its entries.
        media: The run's media.
        sealed: Whether every finished case of the run has a chain.

    Attributes:
        head: The head of the chain over what is there.
        why: How it was changed, None where it was not.
        unchained: Whether it has no chain to check.
        uncompared: Whether it has neither a chain nor a verdict to compare its result with.
        unsealable: Number of ballots whose seals cannot be checked.
    """

    def __init__(
        self,
        case_id: str,
        row: Row | None,
        transcript: Iterable[Row],
        media: MediaFolder,
        *,
        sealed: bool,
    ) -> None:
        self.why: str | None = None
        self.uncompared = False
        self.unsealable = 0
        self._id = case_id
        self._media = media
        self._opened: _CaseOpened | None = None
        self._verdict: _Verdict | None = None
        self._bodies = ("", "")  # of these two entries
        kept = None if row is None else row[-1]
        self.unchained = kept is None and not sealed
        last = START
        for number, (_, stored, kind, body) in enumerate(transcript):
            name, text = _text(kind), _text(body)
            last = link(last, case_id, cast(int, stored), name, text)
            self._entry(number, stored, name, text)
        self.head = head(last, (case_id,) if row is None else row[:-1])
        if row is not None:
            self._result(row)
            if kept is None and sealed:
                self._say("the head of its chain is missing")
            elif kept is not None and kept != self.head:
                self._say("its chain does not match its transcript and result")
        elif sealed and self._verdict is not None:
            self._say("its verdict was announced, but its result is missing")

    def _say(self, why: str) -> None:
        self.why = self.why or why

    def _entry(self, number: int, stored: object, kind: str, body: str) -> None:
        decode = _decoders.get(kind)
        if stored != number:
            self._say(f"{_named(number)} is missing or duplicated")
        elif not self._belongs(number, kind):
            self._say(f"{_named(number)} is a {kind}, which does not belong there")
        elif decode is None:
            self._say(f"{_named(number)} has an unknown type")
        else:
            try:
                entry = decode(body)
            except _UNREADABLE as error:
                self._say(f"{_named(number)} cannot be read ({error})")
                return
            if entry.case_id != self._id or entry.number != number:
                self._say(f"{_named(number)} belongs to another case or position")
            self._take(entry, number, body)

    def _belongs(self, number: int, kind: str) -> bool:
        """Return whether an entry may stand where it does: a talk audit alone after the verdict."""
        if (number == 0) != (kind == "CaseOpened"):
            return False
        return (kind == "TalkAudited") == (self._verdict is not None)

    def _take(self, entry: _Entry, number: int, body: str) -> None:
        match entry:
            case _CaseOpened():
                self._opened = entry
                self._bodies = (body, "")
                for medium in _media_of(entry.case):
                    if (problem := self._media.problem(medium)) is not None:
                        self._say(problem)
            case _BallotsRevealed():  # those of a talk audit as well
                self._seals(entry.ballots, entry.seals, number)
            case _VerdictAnnounced():
                self._verdict = entry.verdict
                self._bodies = (self._bodies[0], body)
            case _DiscussionOpened() | _RemarkMade() | _SummedUp():
                pass

    def _seals(self, ballots: Sequence[Ballot], seals: Sequence[str], number: int) -> None:
        if len(ballots) != len(seals):
            self._say(f"{_named(number)} has {len(ballots)} ballots and {len(seals)} seals")
            return
        for ballot, seal in zip(ballots, seals, strict=True):
            if Ballot.seal(ballot) == seal:
                continue
            # Earlier versions sealed a ballot before a key that it quotes was hidden.
            if self.unchained and HIDDEN in "".join((ballot.reason, *ballot.criteria)):
                self.unsealable += 1
            else:
                self._say(f"the seal of {ballot.juror}'s ballot in {_named(number)} is broken")

    def _result(self, row: Row) -> None:
        try:
            result = _decode_result(_text(row[-2]))
        except _UNREADABLE as error:
            self._say(f"its result cannot be read ({error})")
            return
        said = (
            *(result.target, result.query_id, result.epoch, result.scenario, result.intent),
            *(result.response_outcome, result.finding, result.rating),
        )
        if said != row[1:-2]:
            self._say("its row and its result differ")
        verdict, opened = self._verdict, self._opened
        if verdict is None or opened is None:
            self.uncompared = self.unchained  # earlier versions were killed between the two
            if not self.unchained:
                self._say("its transcript has no verdict")
            return
        rating = None if verdict.finding is None else verdict.rating
        announced = (verdict.finding, verdict.initial_finding, rating)
        if announced != (result.finding, result.initial_finding, result.rating):
            self._say("its result is not the verdict that was announced")
        query = opened.case.query
        asked = (query.id, query.scenario, query.intent, query.labels)
        found = (result.query_id, result.scenario, result.intent, result.labels)
        outcome = opened.case.response.outcome
        if asked != found or outcome != result.response_outcome:
            self._say("its result is not that of the opened case")
        if self.unchained:
            self._compare(_decode_whole_result(_text(row[-2])), _text(row[-2]))

    def _compare(self, result: CaseResult, stored: str) -> None:
        try:
            unlike = unlike_transcript(result, stored, *self._bodies)
        except _UNREADABLE as error:
            self._say(f"its transcript cannot be read ({error})")
            return
        if result.case_id != self._id:
            self._say("its result belongs to another target, epoch or condition")
        if unlike:
            self._say(f"its result does not follow from its transcript: {', '.join(unlike)}")


def _media_of(case: _Case) -> Iterator[Media]:
    sent = case.response.sent
    yield from case.query.images
    yield from () if case.query.audio is None else (case.query.audio,)
    yield from media_in(case.query.messages)
    yield from () if sent is None else sent.media


def _named(number: int) -> str:
    return f"entry {number} of its transcript"


def _text(stored: object) -> str:
    """Return a stored value as text; other types get another hash."""
    return stored if isinstance(stored, str) else repr(stored)


def _merged(
    cases: Iterable[Row], entries: Iterable[Row]
) -> Iterator[tuple[str, Row | None, Iterator[Row]]]:
    """Merge two lists ordered by case, and yield each case with its row and entries."""
    left, right = iter(cases), iter(entries)
    case, entry = next(left, None), next(right, None)

    def transcript(case_id: str) -> Iterator[Row]:
        nonlocal entry
        while entry is not None and str(entry[0]) == case_id:
            yield entry
            entry = next(right, None)

    while case is not None or entry is not None:
        ids = [str(row[0]) for row in (case, entry) if row is not None]
        case_id = min(ids)
        mine = case if case is not None and str(case[0]) == case_id else None
        found = transcript(case_id)
        yield case_id, mine, found
        for _ in found:  # skip what was not read
            pass
        if mine is not None:
            case = next(left, None)
