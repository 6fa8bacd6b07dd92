"""What is stored of a run, and what a run needs of whatever stores it."""

from ._alone import Alone
from ._rows import StoredCall, StoredEntry, as_kept, as_stored, stored_call, stored_entry
from ._run_record import RunRecord, TrialRecord

__all__ = [
    "Alone",
    "RunRecord",
    "StoredCall",
    "StoredEntry",
    "TrialRecord",
    "as_kept",
    "as_stored",
    "stored_call",
    "stored_entry",
]
