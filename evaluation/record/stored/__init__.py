"""What is stored of a run, and what a run needs of whatever stores it."""

from ._rows import StoredCall, StoredEntry, as_kept, as_stored, stored_call, stored_entry
from ._run_record import RunRecord, TrialRecord
from ._sole_driver import SoleDriver

__all__ = [
    "RunRecord",
    "SoleDriver",
    "StoredCall",
    "StoredEntry",
    "TrialRecord",
    "as_kept",
    "as_stored",
    "stored_call",
    "stored_entry",
]
