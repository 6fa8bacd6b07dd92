"""Records in PostgreSQL: where they are, their tables, and copies of them as SQLite."""

from ._client import (
    Connection,
    connect,
    connect_async,
    errors,
    is_away,
    is_locked,
    pipeline,
    unusable,
    why,
)
from ._copy import Copied, bring_up_to_date, copy_run
from ._current import as_copied, database_of, driven, keep_current, refuse_copy
from ._place import POINTER, Place
from ._tables import COLUMNS, KEYS, TYPES, make_tables
from ._unlike import unlike_copy

__all__ = [
    "COLUMNS",
    "KEYS",
    "POINTER",
    "TYPES",
    "Connection",
    "Copied",
    "Place",
    "as_copied",
    "bring_up_to_date",
    "connect",
    "connect_async",
    "copy_run",
    "database_of",
    "driven",
    "errors",
    "is_away",
    "is_locked",
    "keep_current",
    "make_tables",
    "pipeline",
    "refuse_copy",
    "unlike_copy",
    "unusable",
    "why",
]
