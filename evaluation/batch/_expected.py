"""Keeps the expected requests of an import on disk, so that its memory stays flat."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpectedRequest:
    """A request to a juror in round 0.

    Attributes:
        call_id: The call's id in the run.
        key: The request's key in the run's record.
        spec: Index of the juror's model, from 0.
        answered: Whether it has a reply.
        here: Whether the reply came in this import.
    """

    call_id: str
    key: str
    spec: int
    answered: bool
    here: bool = False


class ExpectedRequests:
    """The round-0 requests to the jury by tag, on disk once there are many."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(
            "CREATE TABLE expected (tag TEXT PRIMARY KEY, call_id TEXT, key TEXT, spec INTEGER, "
            "answered INTEGER, here INTEGER) WITHOUT ROWID"
        )

    def add(self, tag: str, request: ExpectedRequest) -> None:
        """Add a request."""
        row = (tag, request.call_id, request.key, request.spec, request.answered)
        self._database.execute("INSERT OR REPLACE INTO expected VALUES (?, ?, ?, ?, ?, 0)", row)

    def find(self, tag: str) -> ExpectedRequest | None:
        """Return the request with a tag, None if there is none."""
        try:
            row = self._database.execute(
                "SELECT call_id, key, spec, answered, here FROM expected WHERE tag = ?", (tag,)
            ).fetchone()
        except UnicodeEncodeError:  # half a surrogate pair, which no tag of ours has
            return None
        return (
            None
            if row is None
            else ExpectedRequest(row[0], row[1], row[2], bool(row[3]), bool(row[4]))
        )

    def answer(self, tag: str) -> None:
        """Mark a request as answered."""
        self._database.execute("UPDATE expected SET answered = 1, here = 1 WHERE tag = ?", (tag,))

    def counts(self) -> tuple[int, int]:
        """Return the number of requests, and of those with a reply."""
        row = self._database.execute(
            "SELECT count(*), coalesce(sum(answered), 0) FROM expected"
        ).fetchone()
        return int(row[0]), int(row[1])

    def close(self) -> None:
        """Delete the temporary database."""
        self._database.close()
