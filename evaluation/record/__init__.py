"""The durable store of a run."""

from ._identity import host_of, known_by_name, without_secrets
from ._integrity import Changed, CheckedCase, Integrity
from ._portable import MEDIA
from ._reader import RecordReader
from ._record import Record, open_record

__all__ = [
    "MEDIA",
    "Changed",
    "CheckedCase",
    "Integrity",
    "Record",
    "RecordReader",
    "host_of",
    "known_by_name",
    "open_record",
    "without_secrets",
]
