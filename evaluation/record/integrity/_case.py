"""Checks one case of a record."""

from collections.abc import Iterable, Sequence
from typing import cast

from ....agents import Ballot
from ....models import HIDDEN
from ...trials import CaseResult, unlike_transcript
from .._chain import START, Row, head, link
from .._media import MediaFolder
from ._parts import (
    DECODERS,
    UNREADABLE,
    AnnouncedPart,
    OpenedPart,
    Part,
    RevealedPart,
    VerdictPart,
    decode_result,
    decode_whole_result,
    media_of,
)


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
        self._opened: OpenedPart | None = None
        self._verdict: VerdictPart | None = None
        self._bodies = ("", "")  # of these two entries
        kept = None if row is None else row[-1]
        self.unchained = kept is None and not sealed
        last = START
        for number, (_, stored, kind, body) in enumerate(transcript):
            name = kind if isinstance(kind, str) else repr(kind)  # so that it has another hash
            text = body if isinstance(body, str) else repr(body)
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
        decode = DECODERS.get(kind)
        if stored != number:
            self._say(f"{_named(number)} is missing or duplicated")
        # The opening is the first, and a talk audit alone follows the verdict.
        elif (number == 0) != (kind == "CaseOpened") or (
            (self._verdict is not None) != (kind == "TalkAudited")
        ):
            self._say(f"{_named(number)} is a {kind}, which does not belong there")
        elif decode is None:
            self._say(f"{_named(number)} has an unknown type")
        else:
            try:
                entry = decode(body)
            except UNREADABLE as error:
                self._say(f"{_named(number)} cannot be read ({error})")
                return
            if entry.case_id != self._id or entry.number != number:
                self._say(f"{_named(number)} belongs to another case or position")
            self._take(entry, number, body)

    def _take(self, entry: Part, number: int, body: str) -> None:
        if isinstance(entry, RevealedPart):  # those of a talk audit as well
            self._seals(entry.ballots, entry.seals, number)
        elif isinstance(entry, AnnouncedPart):
            self._verdict = entry.verdict
            self._bodies = (self._bodies[0], body)
        elif isinstance(entry, OpenedPart):
            self._opened = entry
            self._bodies = (body, "")
            for medium in media_of(entry.case):
                if (problem := self._media.problem(medium)) is not None:
                    self._say(problem)

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
            text = row[-2] if isinstance(row[-2], str) else repr(row[-2])
            result = decode_result(text)
        except UNREADABLE as error:
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
            self._compare(decode_whole_result(text), text)

    def _compare(self, result: CaseResult, stored: str) -> None:
        try:
            unlike = unlike_transcript(result, stored, *self._bodies)
        except UNREADABLE as error:
            self._say(f"its transcript cannot be read ({error})")
            return
        if result.case_id != self._id:
            self._say("its result belongs to another target, epoch or condition")
        if unlike:
            self._say(f"its result does not follow from its transcript: {', '.join(unlike)}")


def _named(number: int) -> str:
    return f"entry {number} of its transcript"
