"""Indexes recorded responses in a temporary database, for files of any size."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ...common.files import private_database
from ...common.text import encodable, quoted
from .readers.base import RecordedRow, Unread, Unreadable

_SCHEMA = """
CREATE TABLE rows (number INTEGER PRIMARY KEY, model TEXT, query_id TEXT, epoch INTEGER,
    place TEXT, asked BLOB, body BLOB, UNIQUE (model, query_id, epoch));
CREATE TABLE left_out (place TEXT, why TEXT, unread TEXT, model TEXT);
CREATE TABLE known (query_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE joined (number INTEGER PRIMARY KEY, query_id TEXT, why TEXT);
"""
# The n-th row of a model that asks something under no id of its own asks what the n-th such
# row of another model does.
_MATCH_NUMBERED = (
    """CREATE TEMP TABLE alike AS SELECT number, query_id, asked,
    row_number() OVER (PARTITION BY model, asked ORDER BY number) AS nth
    FROM rows WHERE asked IS NOT NULL""",
    """CREATE TEMP TABLE firsts AS SELECT asked, nth, min(number) AS number FROM alike
    GROUP BY asked, nth HAVING count(*) > 1""",
    "CREATE UNIQUE INDEX of_alike ON alike (number)",
    "CREATE UNIQUE INDEX of_firsts ON firsts (asked, nth)",
    """UPDATE OR IGNORE rows SET query_id = coalesce((SELECT first.query_id FROM alike AS own
    JOIN firsts ON firsts.asked = own.asked AND firsts.nth = own.nth
    JOIN alike AS first ON first.number = firsts.number
    WHERE own.number = rows.number), query_id) WHERE asked IS NOT NULL""",
    "DROP TABLE alike",
    "DROP TABLE firsts",
)
MOST_EPOCHS = 10_000
"""A higher epoch is no repetition: a column of that name may hold times."""
NO_MODEL = ""
"""Stands for the model of rows that name none, in a file in which others name several."""
_AT_ONCE = 64
_SHOWN = 5

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RecordedRow)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The rows of a file that are not judged.

    Attributes:
        count: How many there are.
        first: The first few of them.
        lines: How many of them are lines that were not read.
        cut: Whether the file was not read to its end, so that it is unknown how many more
            there are.
    """

    count: int
    first: tuple[Unreadable, ...]
    lines: int
    cut: bool


def is_split(models: Iterable[str]) -> bool:
    """Return whether a file with these model names has responses of several models."""
    return sum(name != NO_MODEL for name in models) > 1


class Spool:
    """All rows of a file, by model, query and epoch, and the skipped rows.

    Rows are added first; `settle` finds their models; then `ModelRows` reads those of one.
    """

    def __init__(self) -> None:
        self.database = private_database(self, _SCHEMA)

    def add(self, row: RecordedRow) -> None:
        """Store a row, or skip it if its place is taken or invalid."""
        if row.epoch >= MOST_EPOCHS:
            self.leave_out(
                row.place,
                f"its epoch {row.epoch} is not below {MOST_EPOCHS:,}: if that is no number of a "
                "repetition, map another column (epoch=COLUMN) or rename it",
                model=row.model,
            )
            return
        try:
            body = _encoder.encode(row)
        except UnicodeEncodeError:
            self.leave_out(row.place, "has half of a surrogate pair, which is not valid text")
            return
        added = self.database.execute(
            "INSERT OR IGNORE INTO rows (model, query_id, epoch, place, asked, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (row.model or NO_MODEL, row.query_id, row.epoch, row.place, _asked(row), body),
        )
        if not added.rowcount:
            self.leave_out(row.place, _second(row.query_id, row.epoch), model=row.model)

    def leave_out(
        self,
        place: str,
        why: str,
        unread: Unread = Unread.NOTHING,
        model: str | None = None,
    ) -> None:
        """Record a skipped row; its model is None if unknown."""
        self.database.execute(
            "INSERT INTO left_out VALUES (?, ?, ?, ?)",
            (encodable(place), encodable(why), unread, None if model is None else encodable(model)),
        )

    def settle(self) -> list[str]:
        """Finish after all rows are added, and return the models in order of appearance.

        `NO_MODEL` stands for those that name none. Where one model is named at most, all
        rows are its own, and are kept under `NO_MODEL`.
        """
        found = self.database.execute("SELECT model FROM rows GROUP BY model ORDER BY min(number)")
        models = [name for (name,) in found]
        if is_split(models):
            for statement in _MATCH_NUMBERED:
                self.database.execute(statement)
        else:
            self._merge()
        return models

    def _merge(self) -> None:
        self.database.execute("UPDATE OR IGNORE rows SET model = ?", (NO_MODEL,))
        taken = self.database.execute(
            "SELECT place, query_id, epoch FROM rows WHERE model != ? ORDER BY number", (NO_MODEL,)
        ).fetchall()
        for place, query_id, epoch in taken:
            self.leave_out(place, _second(query_id, epoch))
        self.database.execute("DELETE FROM rows WHERE model != ?", (NO_MODEL,))
        self.database.execute("UPDATE left_out SET model = ?", (NO_MODEL,))


class ModelRows:
    """The rows of one model, and the skipped rows that belong or may belong to it.

    Args:
        spool: All rows of the file, settled.
        model: The model whose rows to read.
        first: Whether skipped rows without a model are reported here. Rows that
            were not read may be of any model: they are reported with every one.
    """

    def __init__(self, spool: Spool, model: str, *, first: bool) -> None:
        self._spool = spool
        self._model = model
        self._ours = "(model IS ? OR model IS NULL AND (? OR unread != ''))"
        self._us = (model, first)

    def drop(self, row: RecordedRow, why: str) -> None:
        """Skip a stored row after all."""
        self._execute(
            "DELETE FROM rows WHERE model = ? AND query_id = ? AND epoch = ?",
            self._model,
            row.query_id,
            row.epoch,
        )
        self._spool.leave_out(row.place, why, model=self._model)

    def drop_unknown(self, known: Iterable[str], why: str) -> None:
        """Skip all rows whose query is unknown."""
        self._execute("DELETE FROM known")
        self._spool.database.executemany(
            "INSERT OR IGNORE INTO known VALUES (?)", ((name,) for name in known)
        )
        strange = "FROM rows WHERE model = ? AND query_id NOT IN (SELECT query_id FROM known)"
        self._execute(
            f"INSERT INTO left_out SELECT place, ?, '', model {strange} ORDER BY number",
            why,
            self._model,
        )
        self._execute(f"DELETE {strange}", self._model)

    def assign(self, pairs: Iterable[tuple[int, str | None, str]]) -> None:
        """Assign queries to rows, and skip rows without a query.

        Args:
            pairs: The number of each row, the query's id, and why there is none.
        """
        self._execute("DELETE FROM joined")
        self._spool.database.executemany("INSERT INTO joined VALUES (?, ?, ?)", pairs)
        of_ours = "FROM rows JOIN joined USING (number) WHERE model = ?"
        self._execute(
            f"INSERT INTO left_out SELECT place, why, '', model {of_ours} "
            "AND joined.query_id IS NULL ORDER BY number",
            self._model,
        )
        # No id begins with space: while they are exchanged, none stands in the way of another.
        self._execute("UPDATE rows SET query_id = ' ' || number WHERE model = ?", self._model)
        self._execute(
            "UPDATE OR IGNORE rows SET query_id = joined.query_id FROM joined "
            "WHERE joined.number = rows.number AND joined.query_id IS NOT NULL AND model = ?",
            self._model,
        )
        twice = f"{of_ours} AND rows.query_id LIKE ' %' AND joined.query_id IS NOT NULL"
        for place, query_id, epoch in self._execute(
            f"SELECT place, joined.query_id, epoch {twice} ORDER BY number", self._model
        ).fetchall():
            self._spool.leave_out(place, _second(query_id, epoch), model=self._model)
        self._execute("DELETE FROM rows WHERE model = ? AND query_id LIKE ' %'", self._model)

    def find(self, query_id: str, epoch: int) -> RecordedRow | None:
        """Return one row."""
        found = self._execute(
            "SELECT query_id, body FROM rows WHERE model = ? AND query_id = ? AND epoch = ?",
            self._model,
            query_id,
            epoch,
        ).fetchone()
        return None if found is None else _row(*found)

    def has(self, query_id: str, epoch: int) -> bool:
        """Return whether a row exists."""
        found = self._execute(
            "SELECT 1 FROM rows WHERE model = ? AND query_id = ? AND epoch = ?",
            self._model,
            query_id,
            epoch,
        )
        return found.fetchone() is not None

    def rows(self) -> Iterator[RecordedRow]:
        """Yield all rows in file order; rows may be dropped meanwhile."""
        return (row for _, row in self.numbered())

    def numbered(self) -> Iterator[tuple[int, RecordedRow]]:
        """Yield all rows with their numbers; see `rows`."""
        last = 0
        # The plus sign keeps SQLite from sorting all rows of the model for each batch.
        while group := self._execute(
            "SELECT number, query_id, body FROM rows WHERE +model = ? AND number > ? "
            "ORDER BY number LIMIT ?",
            self._model,
            last,
            _AT_ONCE,
        ).fetchall():
            for number, query_id, body in group:
                last = number
                yield number, _row(query_id, body)

    def ids(self, limit: int) -> list[str]:
        """Return the ids of the first few queries."""
        found = self._execute(
            "SELECT DISTINCT query_id FROM rows WHERE model = ? ORDER BY number LIMIT ?",
            self._model,
            limit,
        )
        return [name for (name,) in found]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._number("SELECT count(*) FROM rows WHERE model = ?", self._model)

    @property
    def epochs(self) -> int:
        """The number of epochs: the highest one plus 1, or 0 without rows."""
        return self._number(
            "SELECT ifnull(max(epoch) + 1, 0) FROM rows WHERE model = ?", self._model
        )

    def left_out(self) -> LeftOut:
        """Return the number of skipped rows, and the first of them."""
        first = self._execute(
            f"SELECT place, why FROM left_out WHERE {self._ours} ORDER BY rowid LIMIT ?",
            *self._us,
            _SHOWN,
        )
        return LeftOut(
            self._number(f"SELECT count(*) FROM left_out WHERE {self._ours}", *self._us),
            tuple(Unreadable(place, why) for place, why in first),
            self._unread(Unread.LINE),
            self._unread(Unread.REST) > 0,
        )

    def all_left_out(self) -> Iterator[Unreadable]:
        """Yield all skipped rows."""
        for place, why, unread in self._execute(
            f"SELECT place, why, unread FROM left_out WHERE {self._ours} ORDER BY rowid", *self._us
        ):
            yield Unreadable(place, why, Unread(unread))

    def _unread(self, unread: Unread) -> int:
        return self._number(
            f"SELECT count(*) FROM left_out WHERE {self._ours} AND unread = ?", *self._us, unread
        )

    def _number(self, statement: str, *values: object) -> int:
        return self._execute(statement, *values).fetchone()[0]

    def _execute(self, statement: str, *values: object) -> Any:
        return self._spool.database.execute(statement, values)


def _row(query_id: str, body: bytes) -> RecordedRow:
    row = _decoder.decode(body)
    return row if row.query_id == query_id else replace(row, query_id=query_id)


def _asked(row: RecordedRow) -> bytes | None:
    """Return the key of a question without an id, None for rows with an id."""
    if not row.numbered:
        return None
    said = [row.text, row.images, row.scenario, row.messages]
    return hashlib.sha256(_encoder.encode(said)).digest()


def _second(query_id: str, epoch: int) -> str:
    return (
        f"a second response to {quoted(query_id)} in epoch {epoch}: keep one, or give it another "
        "epoch"
    )
