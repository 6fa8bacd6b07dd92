"""Stores a run in SQLite: writing, reading and checking its record."""

from ._deliberated import AskedCase, Deliberated, Discussion
from ._file import RecordMark, is_being_written, last_written, mark_of
from ._identity import host_of, known_by_name, without_secrets
from ._integrity import ChangedCase, CheckedCase, Integrity
from ._jury import (
    cases_sha256,
    decided_by,
    differences_of_juries,
    jury_identity,
    protocol_of,
    tie_of,
)
from ._media import MEDIA, case_in
from ._meta import Meta
from ._pages import CasePages, RecordedCase
from ._reader import RecordReader
from ._record import Record, open_record

__all__ = [
    "MEDIA",
    "AskedCase",
    "CasePages",
    "ChangedCase",
    "CheckedCase",
    "Deliberated",
    "Discussion",
    "Integrity",
    "Meta",
    "Record",
    "RecordMark",
    "RecordReader",
    "RecordedCase",
    "case_in",
    "cases_sha256",
    "decided_by",
    "differences_of_juries",
    "host_of",
    "is_being_written",
    "jury_identity",
    "known_by_name",
    "last_written",
    "mark_of",
    "open_record",
    "protocol_of",
    "tie_of",
    "without_secrets",
]
