"""The parts of a record's JSON that its check looks at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ....agents import Ballot, Remark, TalkArm
from ....datasets import Intent, Media, Message, media_in
from ....targets import ResponseOutcome
from ...trials import CaseResult
from ._mirrored import mirrored


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


class CasePart(msgspec.Struct):
    query: _Query
    response: _Response


def media_of(case: CasePart) -> Sequence[Media]:
    """Return the pictures and sounds of a case, those that were sent instead included."""
    query, sent = case.query, case.response.sent
    spoken = () if query.audio is None else (query.audio,)
    said = media_in(query.messages) if query.messages else ()
    return (*query.images, *spoken, *said, *(() if sent is None else sent.media))


class OpenedPart(msgspec.Struct):
    case_id: str
    number: int
    case: CasePart


if TYPE_CHECKING:
    _ReadBallot = Ballot
    _ReadResult = CaseResult
else:
    _ReadBallot = mirrored(Ballot)
    _ReadResult = mirrored(CaseResult)


class RevealedPart(msgspec.Struct):
    case_id: str
    number: int
    ballots: tuple[_ReadBallot, ...]
    seals: tuple[str, ...]


class DiscussionPart(msgspec.Struct):
    case_id: str
    number: int
    why: str


class RemarkPart(msgspec.Struct):
    case_id: str
    number: int
    remark: Remark


class SummaryPart(msgspec.Struct):
    case_id: str
    number: int
    text: str


class AuditPart(RevealedPart):
    arm: TalkArm


class VerdictPart(msgspec.Struct):
    finding: str | None
    initial_finding: str | None = None
    rating: float | None = None


class AnnouncedPart(msgspec.Struct):
    case_id: str
    number: int
    verdict: VerdictPart


Part = (
    OpenedPart
    | RevealedPart
    | DiscussionPart
    | RemarkPart
    | SummaryPart
    | AnnouncedPart
    | AuditPart
)
"""The parts of entries that are checked."""

_KINDS: dict[str, type[Part]] = {
    "CaseOpened": OpenedPart,
    "BallotsRevealed": RevealedPart,
    "DiscussionOpened": DiscussionPart,
    "RemarkMade": RemarkPart,
    "SummedUp": SummaryPart,
    "VerdictAnnounced": AnnouncedPart,
    "TalkAudited": AuditPart,
}
DECODERS = {name: msgspec.json.Decoder(kind).decode for name, kind in _KINDS.items()}
"""What reads the part of an entry, by the kind of entry."""
UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)
"""What they raise where an entry is damaged."""
decode_result = msgspec.json.Decoder(_ReadResult).decode
"""Reads a result quickly; see `mirrored`."""
decode_whole_result = msgspec.json.Decoder(CaseResult).decode
"""Reads a result as it is."""
