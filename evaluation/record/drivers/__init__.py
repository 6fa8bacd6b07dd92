"""Several drivers on one run: its record in a database, and leases on its trials."""

from ._opening import open_shared_record
from ._record import SharedRecord

__all__ = ["SharedRecord", "open_shared_record"]
