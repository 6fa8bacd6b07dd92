"""Stores completions on disk by key, for the cache and for the generation journal."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from ..chat import Completion, without_keys

_SCHEMA = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, completion BLOB) WITHOUT ROWID"
_PUT = "INSERT OR REPLACE INTO replies VALUES (?, ?)"


class CompletionFile:
    """A SQLite file in WAL mode; several processes may use it at a time.

    All of its methods raise `sqlite3.Error` where the file cannot be read or written.

    Args:
        path: The file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(_SCHEMA)

    def get(self, key: str) -> Completion | None:
        """Return the completion stored for `key`, None if there is none.

        Known keys are hidden in it, which earlier versions stored as they came.

        Raises:
            ValueError: What is kept is no completion.
        """
        row = self._db.execute("SELECT completion FROM replies WHERE key = ?", (key,))
        found: tuple[bytes] | None = row.fetchone()
        if found is None:
            return None
        return without_keys(msgspec.json.decode(found[0], type=Completion))

    def put(self, key: str, completion: Completion, *, without: Sequence[str] = ()) -> None:
        """Store `completion` for `key`, and delete those of the keys `without`."""
        row = key, msgspec.json.encode(completion)
        if not without:
            self._db.execute(_PUT, row)
            return
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:  # all of it, or nothing
            self.drop(without)
            self._db.execute(_PUT, row)

    def drop(self, keys: Sequence[str]) -> None:
        """Delete the completions of some keys."""
        self._db.executemany("DELETE FROM replies WHERE key = ?", [(key,) for key in keys])

    def completions(self) -> Iterator[Completion]:
        """Yield all stored completions, in no particular order."""
        for (blob,) in self._db.execute("SELECT completion FROM replies"):
            with suppress(ValueError):
                yield msgspec.json.decode(blob, type=Completion)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._db.close()
