"""Recorded responses put where each is found at once, whatever the size of their file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ..datasets._encodable import encodable
from ..datasets._nearest import quoted
from ..datasets._private_database import private_database
from .readers import RecordedRow, Unread, Unreadable

_SCHEMA = """
CREATE TABLE rows (number INTEGER PRIMARY KEY, query_id TEXT, epoch INTEGER, place TEXT,
    body BLOB, UNIQUE (query_id, epoch));
CREATE TABLE left_out (place TEXT, why TEXT, unread TEXT);
CREATE TABLE known (query_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
MOST_EPOCHS = 10_000
"""A higher epoch is no repetition: a column of that name may hold times."""
_AT_ONCE = 64
_SHOWN = 5

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RecordedRow)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a file that are not judged.

    Attributes:
        count: How many there are.
        first: The first few of them.
        lines: How many of them are lines that were not read.
        cut: Whether the file was not read to its end, so that nobody knows how many more
            there are.
    """

    count: int
    first: tuple[Unreadable, ...]
    lines: int
    cut: bool


class Spool:
    """Rows by query and epoch, and those that were left out, with the reason."""

    def __init__(self) -> None:
        self._database = private_database(self, _SCHEMA)

    def add(self, row: RecordedRow) -> None:
        """Keep a row, or leave it out where its place is taken or cannot be."""
        if row.epoch >= MOST_EPOCHS:
            self.leave_out(
                row.place,
                f"its epoch {row.epoch} is not below {MOST_EPOCHS:,}: if that is no number of a "
                "repetition, map another column (epoch=COLUMN) or rename it",
            )
            return
        try:
            body = _encoder.encode(row)
        except UnicodeEncodeError:
            self.leave_out(row.place, "holds half of a surrogate pair, which is no text")
            return
        added = self._database.execute(
            "INSERT OR IGNORE INTO rows (query_id, epoch, place, body) VALUES (?, ?, ?, ?)",
            (row.query_id, row.epoch, row.place, body),
        )
        if not added.rowcount:
            self.leave_out(
                row.place,
                f"a second response to {quoted(row.query_id)} in epoch {row.epoch}: keep one, or "
                "give it another epoch",
            )

    def leave_out(self, place: str, why: str, unread: Unread = Unread.NOTHING) -> None:
        """Note a row that is not judged."""
        self._database.execute(
            "INSERT INTO left_out VALUES (?, ?, ?)", (encodable(place), encodable(why), unread)
        )

    def drop(self, row: RecordedRow, why: str) -> None:
        """Take a row that was kept out again."""
        self._database.execute(
            "DELETE FROM rows WHERE query_id = ? AND epoch = ?", (row.query_id, row.epoch)
        )
        self.leave_out(row.place, why)

    def drop_unknown(self, known: Iterable[str], why: str) -> None:
        """Take out all rows whose query is not among those that are known."""
        self._database.execute("DELETE FROM known")
        self._database.executemany(
            "INSERT OR IGNORE INTO known VALUES (?)", ((name,) for name in known)
        )
        strange = "FROM rows WHERE query_id NOT IN (SELECT query_id FROM known)"
        self._database.execute(
            f"INSERT INTO left_out SELECT place, ?, '' {strange} ORDER BY number", (why,)
        )
        self._database.execute(f"DELETE {strange}")

    def find(self, query_id: str, epoch: int) -> RecordedRow | None:
        """Return one row."""
        found = self._one("SELECT body FROM rows WHERE query_id = ? AND epoch = ?", query_id, epoch)
        return None if found is None else _decoder.decode(found[0])

    def has(self, query_id: str, epoch: int) -> bool:
        """Whether there is such a row."""
        return (
            self._one("SELECT 1 FROM rows WHERE query_id = ? AND epoch = ?", query_id, epoch)
            is not None
        )

    def rows(self) -> Iterator[RecordedRow]:
        """Yield all rows in the order of the file; they may be dropped on the way."""
        last = 0
        while group := self._database.execute(
            "SELECT number, body FROM rows WHERE number > ? ORDER BY number LIMIT ?",
            (last, _AT_ONCE),
        ).fetchall():
            for number, body in group:
                last = number
                yield _decoder.decode(body)

    def ids(self, limit: int) -> list[str]:
        """Return the first few queries."""
        found = self._database.execute(
            "SELECT DISTINCT query_id FROM rows ORDER BY number LIMIT ?", (limit,)
        )
        return [name for (name,) in found]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._number("SELECT count(*) FROM rows")

    @property
    def epochs(self) -> int:
        """The highest epoch and one; 0 without a row."""
        return self._number("SELECT ifnull(max(epoch) + 1, 0) FROM rows")

    def left_out(self) -> LeftOut:
        """Return how many rows are left out, and the first of them."""
        count = self._number("SELECT count(*) FROM left_out")
        first = self._database.execute(
            "SELECT place, why FROM left_out ORDER BY rowid LIMIT ?", (_SHOWN,)
        )
        return LeftOut(
            count,
            tuple(Unreadable(place, why) for place, why in first),
            self._unread(Unread.LINE),
            self._unread(Unread.REST) > 0,
        )

    def all_left_out(self) -> Iterator[Unreadable]:
        """Yield all rows that are left out."""
        for place, why, unread in self._database.execute(
            "SELECT place, why, unread FROM left_out ORDER BY rowid"
        ):
            yield Unreadable(place, why, Unread(unread))

    def _unread(self, unread: Unread) -> int:
        return self._number("SELECT count(*) FROM left_out WHERE unread = ?", unread)

    def _number(self, statement: str, *values: object) -> int:
        return self._database.execute(statement, values).fetchone()[0]

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return self._database.execute(statement, values).fetchone()
