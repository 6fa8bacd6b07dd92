"""What a record stores of calls and entries, as whoever made them sends it."""

import re
from dataclasses import replace

import msgspec
from msgspec import UNSET

from ....deliberation import BallotsRevealed, CaseOpened, Entry, TalkAudited, VerdictAnnounced
from ....models import Completion, redactor
from ...trials import CaseResult, Exchange
from .._media import portable

_encoder = msgspec.json.Encoder()


def _empty(*members: str) -> re.Pattern[str]:
    """Return a pattern of members of JSON as they are by default; numbers end there."""
    return re.compile(rf',"(?:{"|".join(map(re.escape, members))})(?=[,}}])')


_TALKED = ('guards":{}', 'quotes":{}', 'talk":{}', 'summary_dropped":false', 'decision":null')
_SAW_WORDS = (
    'perceived":{"text":true,"images":[],"image_bytes":0,"audio_sha256":null,"transcript":null,'
    '"withheld":[],"more_audio":[]}'
)
_OF_BALLOT = (
    *('detail":null', 'cost_usd":null', 'notes":[]', 'guard":null', 'tools":[]', 'quotes":[]'),
    *('misquotes":[]', 'not_asked":[]', _SAW_WORDS),
)
_UNMOVED = 'flips":{"to_unsafe":0,"to_safe":0}'
_OF_BOTH = (_UNMOVED, 'revote_lost":false', 'media":{}', 'majority":null')
_CASE = _empty(
    *('images":[]', 'audio":null', 'source":null', 'underlying_request":null', 'messages":[]'),
    *('intent_assumed":false', 'labels":{}', 'variants":null', 'detail":null', 'cost_usd":null'),
    *('notes":[]', 'media":[]', 'dropped":[]', 'changes":[]', 'turns":[]', 'transcript":null'),
    *('titles":null', 'judge_truncated":false'),
)
_CALL = _empty(
    *('refusal":null', 'cost_usd":null', 'notes":[]', 'reused":false', 'attempts":1', 'sent":null')
)
_LEFT_OUT: dict[type, re.Pattern[str]] = {
    CaseOpened: _CASE,
    Exchange: _CASE,
    BallotsRevealed: _empty(*_OF_BALLOT),
    TalkAudited: _empty(*_OF_BALLOT),
    VerdictAnnounced: _empty(*_OF_BALLOT, *_OF_BOTH, *_TALKED, 'initial_probability":null'),
    CaseResult: _empty(
        *(*_OF_BOTH, *_TALKED, 'over_refusal":null', 'cost_usd":null', 'intent_assumed":false'),
        *('labels":{}', 'probability":null'),
    ),
}
"""What is left out of the JSON, so that a record holds no more than it must: whoever reads it takes
what is missing for what it is by default. Within a string its quotation marks would be escaped."""
StoredCall = tuple[str, str, str]
"""A call as it is stored: its id, the hash of its request, and its completion as JSON."""
StoredEntry = tuple[str, int, str, str]
"""An entry as it is stored: its case, its number within it, its kind, and its JSON."""


def stored_call(call_id: str, key: str, completion: Completion) -> StoredCall:
    """Return a call as it is stored."""
    return call_id, key, as_stored(completion)


def stored_entry(entry: Entry) -> StoredEntry:
    """Return an entry as it is stored."""
    return entry.case_id, entry.number, type(entry).__name__, as_stored(portable(entry))


def as_stored(data: object) -> str:
    """Return what is stored as JSON, without secrets."""
    # Words are evidence and stay exact, but for keys that a server may echo.
    text = _written(data)
    if not redactor.knows(text):
        return text
    hidden = redactor.redact_fields(data)
    if isinstance(hidden, BallotsRevealed | TalkAudited):  # the seals are of what is kept
        hidden = replace(hidden, seals=tuple(ballot.seal() for ballot in hidden.ballots))
    return _written(hidden)


def as_kept(exchange: Exchange) -> Exchange:
    """Return an exchange without secrets, as whoever resumes the run reads it from the record."""
    known = redactor.knows(_written(exchange))
    return redactor.redact_fields(exchange) if known else exchange


def _written(data: object) -> str:
    text = _encoder.encode(data).decode()
    if isinstance(data, Completion):
        # An agent's work has a cost of its own, which is not unknown where it is missing.
        return _CALL.sub("", text) if data.work is UNSET else text
    empty = _LEFT_OUT.get(type(data))
    return text if empty is None else empty.sub("", text)
