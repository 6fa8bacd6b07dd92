"""Writes a group of rows in one transaction, in two round trips.

Drivers write in turn: the first statement locks the run's row. Rows of a case whose lease another
driver has by now are left out. What its calls took was paid all the same: where the record has
such a call already, the second one is kept as a charge.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ...trials import case_of
from ..postgres import COLUMNS, KEYS, TYPES, Connection, pipeline
from ._leases import BOUND, bound, deleted

Row = tuple[Any, ...]
OF_CASES = frozenset({"restarts", "entries", "answers", "cases", "judged"})
"""Tables whose rows only the driver writes that has the lease of their case."""
_LARGEST_ID = 62
_BEGIN = "UPDATE safejury_runs SET revision = revision + 1 WHERE id = %s RETURNING revision"
_NUMBER = """
UPDATE safejury_drivers SET groups = %(number)s WHERE id = %(driver)s AND groups = %(number)s - 1
RETURNING id
"""
_GROUPS = "SELECT groups FROM safejury_drivers WHERE id = %s"
_GO_ON = "UPDATE safejury_drivers SET groups = %(number)s WHERE id = %(driver)s"
_MINE = """
SELECT case_id FROM safejury_leases WHERE run = %s AND driver = %s AND case_id = ANY(%s)
"""
_CALLS = "SELECT call_id, key FROM safejury_calls WHERE run = %s AND call_id = ANY(%s)"
_SERVERS = "SELECT life, usd FROM safejury_servers WHERE run = %s AND life = ANY(%s)"
_DELETE = """
WITH gone AS (
    DELETE FROM safejury_{table} WHERE run = %(run)s AND {key} = ANY(%(keys)s) RETURNING {key})
INSERT INTO safejury_deleted
SELECT DISTINCT %(run)s::bigint, %(revision)s::bigint, %(table)s::text, {key} FROM gone
"""
# A hold of a driver that was taken for dead is a charge by now, which others copied.
_END = """
WITH gone AS (
    DELETE FROM safejury_charges WHERE run = %(run)s AND id = ANY(%(keys)s)
    RETURNING id, kind, tokens, usd), charged AS (SELECT * FROM gone WHERE kind <> 'open'),
logged AS (
    INSERT INTO safejury_deleted
    SELECT %(run)s::bigint, %(revision)s::bigint, 'charges', id::text FROM charged)
UPDATE safejury_runs SET tokens = tokens - coalesce((SELECT sum(tokens) FROM charged), 0),
    usd = usd - coalesce((SELECT sum(usd) FROM charged), 0)
WHERE id = %(run)s AND EXISTS (SELECT 1 FROM charged)
"""
_SPENT = """
UPDATE safejury_runs SET tokens = tokens + %(tokens)s, usd = usd + %(usd)s,
    unpriced = unpriced + %(unpriced)s WHERE id = %(run)s
"""
_SPENT_BY = """
UPDATE safejury_drivers SET tokens = tokens + %(tokens)s, usd = usd + %(usd)s
WHERE id = %(driver)s
"""
_SHOWN = """
INSERT INTO safejury_shown SELECT %s::bigint, unnest(%s::text[]), %s::bigint ON CONFLICT DO NOTHING
"""
_LACKING = """
SELECT name FROM unnest(%s::text[]) AS name
WHERE NOT EXISTS (SELECT 1 FROM safejury_media WHERE sha256 = name)
"""
_UPLOAD = "INSERT INTO safejury_media VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are written together, by their tables as `Record` names them.

    Attributes:
        driver: The driver's number.
        number: Its place among all groups of the driver, from 1.
        rows: The rows of each table, in order.
    """

    driver: int
    number: int
    rows: Mapping[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a group.

    Attributes:
        revision: The change that it was, or one after it.
        late: The cases whose lease another driver has.
        set_back: Whether the database lost earlier groups, as one that was restored from a
            backup has: then only what calls took is kept of this one.
    """

    revision: int
    late: frozenset[str] = frozenset()
    set_back: bool = False


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Paid(msgspec.Struct):
    """What a completion says of its cost."""

    usage: _Usage = msgspec.field(default_factory=_Usage)
    cost_usd: float | None = None

    @property
    def tokens(self) -> int:
        return max(0, self.usage.prompt_tokens or 0) + max(0, self.usage.completion_tokens or 0)


def by_table(rows: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    """Return rows by their tables; those of one key only as they were last."""
    found: dict[str, dict[tuple[Any, ...], Row]] = {}
    begun = set[object]()
    for table, row in rows:
        if table == "charges":
            row = (secrets.randbits(_LARGEST_ID), *row)
        elif table == "entries":
            begun.add(row[0])
        elif table == "restarts" and row[0] in begun:
            entries = found["entries"]
            found["entries"] = {key: one for key, one in entries.items() if key[0] != row[0]}
        key = row[: KEYS.get(table, 1)]
        found.setdefault(table, {}).pop(key, None)
        found[table][key] = row
    return {table: list(kept.values()) for table, kept in found.items()}


async def upload(connection: Connection, folder: Path, names: Sequence[str]) -> None:
    """Store the media that the database lacks, by their hashes.

    Args:
        connection: To the database.
        folder: Where they lie.
        names: Their hashes.
    """
    cursor = await connection.execute(_LACKING, (list(names),))
    for (name,) in await cursor.fetchall():
        content = await asyncio.to_thread((folder / name).read_bytes)
        await connection.execute(_UPLOAD, (name, content))


async def write_group(connection: Connection, run: int, group: Group, lease: float) -> Written:
    """Write a group, unless it was written before a connection broke.

    Args:
        connection: To the database.
        run: The run's number.
        group: The rows.
        lease: Seconds after which a driver that hangs holds up the others no more.

    Raises:
        RecordError: The run was deleted.
        psycopg.Error: Nothing of it was written, or it is not known.
    """
    rows = group.rows
    cases = {row[0] for table in OF_CASES for row in rows.get(table, ())}
    calls = [row[0] for table in ("calls", "forgotten") for row in rows.get(table, ())]
    lives = [row[0] for row in rows.get("servers", ())]
    async with connection.transaction() as whole:
        async with pipeline(connection):
            await connection.execute(BOUND, {"bound": bound(lease)})
            begun = await connection.execute(_BEGIN, (run,))
            values = {"number": group.number, "driver": group.driver}
            numbered = await connection.execute(_NUMBER, values)
            mine = await connection.execute(_MINE, (run, group.driver, list(cases)))
            known = await connection.execute(_CALLS, (run, calls))
            times = await connection.execute(_SERVERS, (run, lives))
        changed = await begun.fetchone()
        if changed is None:
            raise deleted()
        revision = changed[0]
        ours = {case_id for (case_id,) in await mine.fetchall()}
        if set_back := await numbered.fetchone() is None:
            kept_groups = await (await connection.execute(_GROUPS, (group.driver,))).fetchone()
            if kept_groups is not None and kept_groups[0] >= group.number:
                whole.force_rollback = True
                return Written(revision)
            await connection.execute(_GO_ON, values)
            ours = set[str]()
        late = frozenset(cases - ours)
        kept = {
            table: [row for row in found if table not in OF_CASES or row[0] not in late]
            for table, found in rows.items()
        }
        there = {tuple(row) for row in await known.fetchall()}
        earlier = dict(await times.fetchall())
        writing = _Writing(connection, run, group.driver, revision)
        async with pipeline(connection):
            await writing.write(kept, there, earlier)
    return Written(revision, late, set_back)


class _Writing:
    def __init__(self, connection: Connection, run: int, driver: int, revision: int) -> None:
        self._connection = connection
        self._run = run
        self._driver = driver
        self._revision = revision
        self._tokens = self._unpriced = 0
        self._usd = 0.0

    async def write(
        self,
        rows: Mapping[str, list[Row]],
        there: set[tuple[Any, ...]],
        earlier: Mapping[str, float],
    ) -> None:
        await self._delete("entries", "case_id", rows.get("restarts", ()))
        found = {call_id for call_id, _ in there}
        forgotten = [row for row in rows.get("forgotten", ()) if row[0] in found]
        await self._delete("calls", "call_id", forgotten)
        charges = list(rows.get("charges", ()))
        for *_, tokens, usd in charges:
            self._add(tokens, usd, unpriced=False)  # as of a record that is opened again
        calls = list[Row]()
        for call_id, key, completion in rows.get("calls", ()):
            paid = msgspec.json.decode(completion, type=_Paid)
            self._add(paid.tokens, paid.cost_usd, unpriced=paid.cost_usd is None)
            if (call_id, key) in there:
                again = (call_id, case_of(call_id), paid.tokens, paid.cost_usd)
                forgotten.append(again)
            else:
                calls.append((call_id, key, completion))
        await self._insert("calls", calls)
        for call_id, case_id, tokens, usd in forgotten:  # what they took was counted before
            number = secrets.randbits(_LARGEST_ID)
            charges.append((number, call_id, case_id, "forgotten", tokens, usd))
        held = [
            (number, call_id, case_id, "open", tokens, usd)
            for number, call_id, case_id, tokens, usd in rows.get("holds", ())
        ]
        await self._insert("charges", [*charges, *held])
        if ended := rows.get("ended"):
            await self._connection.execute(_END, self._values(keys=[key for (key,) in ended]))
        for life, *_, usd in rows.get("servers", ()):
            self._add(0, usd - earlier.get(life, 0.0), unpriced=False)
        for table in ("servers", "entries", "answers", "cases"):
            await self._insert(table, rows.get(table, ()))
        await self._delete("answers", "case_id", rows.get("judged", ()))
        if shown := rows.get("media"):
            names = [name for (name,) in shown]
            await self._connection.execute(_SHOWN, (self._run, names, self._revision))
        if self._tokens or self._usd or self._unpriced:
            spent = {"tokens": self._tokens, "usd": self._usd, "unpriced": self._unpriced}
            await self._connection.execute(_SPENT, self._values(**spent))
            await self._connection.execute(_SPENT_BY, self._values(**spent))

    def _add(self, tokens: int, usd: float | None, *, unpriced: bool) -> None:
        self._tokens += tokens
        self._usd += max(usd or 0.0, 0.0) if usd is not None else 0.0
        self._unpriced += unpriced

    def _values(self, **others: object) -> dict[str, object]:
        return {
            "run": self._run,
            "driver": self._driver,
            "revision": self._revision,
            **others,
        }

    async def _delete(self, table: str, key: str, rows: Sequence[Row]) -> None:
        if rows:
            keys = self._values(table=table, keys=[row[0] for row in rows])
            await self._connection.execute(_DELETE.format(table=table, key=key), keys)

    async def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        by_column = [list(column) for column in zip(*rows, strict=True)]
        values = (self._run, self._driver, self._revision, *by_column)
        await self._connection.execute(_INSERT[table], values)


def _insertion(table: str) -> str:
    columns, keys = COLUMNS[table], KEYS[table]
    lists = ", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in columns)
    update = ", ".join(
        f"{name} = EXCLUDED.{name}" for name in (*columns[keys:], "driver", "revision")
    )
    again = "NOTHING" if table in ("calls", "charges") else f"UPDATE SET {update}"
    key = ", ".join(("run", *columns[:keys]))
    return (
        f"INSERT INTO safejury_{table} (run, driver, revision, {', '.join(columns)}) "
        f"SELECT %s::bigint, %s::bigint, %s::bigint, * FROM unnest({lists}) "
        f"ON CONFLICT ({key}) DO {again}"
    )


_INSERT = {table: _insertion(table) for table in COLUMNS}
