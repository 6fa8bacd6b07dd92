"""What a record stores of calls and entries, as whoever made them sends it."""

from dataclasses import replace

import msgspec

from ....deliberation import BallotsRevealed, CaseOpened, Entry, TalkAudited, VerdictAnnounced
from ....models import Completion, redactor
from ...trials import CaseResult, Exchange
from .._media import portable

_encoder = msgspec.json.Encoder()
_LEFT_OUT = (
    ',"tools":[]',
    ',"quotes":[]',
    ',"misquotes":[]',
    ',"guard":null',
    ',"guards":{}',
    ',"talk":{}',
    ',"quotes":{}',
    ',"summary_dropped":false',
    ',"decision":null',
    ',"majority":null',
    ',"initial_probability":null',
)
"""What is left out of the JSON of ballots, verdicts and results where it is empty, so that a record
holds no more than it must. In a string its quotation marks would be escaped."""
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


def _written(data: object) -> str:
    text = _encoder.encode(data).decode()
    if isinstance(data, CaseOpened | Exchange):
        text = text.replace(',"variants":null', "")  # as where a set has none
    if isinstance(data, BallotsRevealed | VerdictAnnounced | CaseResult | TalkAudited):
        for empty in _LEFT_OUT:
            text = text.replace(empty, "")
    if isinstance(data, CaseResult):  # verdicts always had it
        text = text.replace(',"probability":null', "")
    return text
