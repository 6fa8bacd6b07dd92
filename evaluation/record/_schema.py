"""Defines the tables of a record, and checks that it has no others."""

import sqlite3

from ...common.text import natural_key

RECORD = "record.sqlite"
"""File of a run's directory that holds its record."""
PAGE = 8_192
"""Bytes: rows of over a kilobyte leave an eighth of SQLite's usual pages of 4,096 empty."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call_id TEXT, key TEXT, completion TEXT NOT NULL, PRIMARY KEY (call_id, key));
CREATE TABLE IF NOT EXISTS entries (
    case_id TEXT, number INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (case_id, number));
CREATE TABLE IF NOT EXISTS cases (
    case_id TEXT PRIMARY KEY, target TEXT NOT NULL, query_id TEXT NOT NULL, epoch INTEGER NOT NULL,
    scenario TEXT NOT NULL, intent TEXT NOT NULL, response_outcome TEXT NOT NULL,
    finding TEXT, rating REAL, result TEXT NOT NULL, head TEXT);
CREATE TABLE IF NOT EXISTS charges (
    call_id TEXT NOT NULL, case_id TEXT NOT NULL, kind TEXT NOT NULL, tokens INTEGER NOT NULL,
    usd REAL);
CREATE TABLE IF NOT EXISTS servers (
    life TEXT PRIMARY KEY, server TEXT NOT NULL, gpus INTEGER NOT NULL, seconds REAL NOT NULL,
    usd REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (case_id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
NATURAL = ("natural_key", 1, natural_key)
"""Name, number of arguments and code of a function for SQLite."""
_IN_ORDER = "natural_key(query_id), natural_key(target), epoch, case_id"
_FIRST = {
    "query": "",
    "rating": "rating IS NULL, rating, ",
    "probability": "json_extract(result, '$.probability') DESC, ",
    "cost": "json_extract(result, '$.cost_usd') DESC, ",
}
ORDERS = {
    name: f"SELECT case_id FROM cases ORDER BY {first}{_IN_ORDER}" for name, first in _FIRST.items()
}
"""SQL for the ids of cases: in natural order, or those with the lowest rating, the greatest
probability or cost first, and those without one last."""
_LABELS = "FROM cases, json_each(cases.result, '$.labels')"
VALUES = {
    **{name: f"SELECT DISTINCT {name} FROM cases" for name in ("target", "query_id", "scenario")},
    "condition": "SELECT DISTINCT coalesce(json_extract(result, '$.condition'), '') FROM cases",
    "label": f"SELECT DISTINCT key {_LABELS}",
    "label_value": f"SELECT DISTINCT value {_LABELS} WHERE key = ?",
}
"""SQL for the different values that finished cases have; that of a label takes its name."""
HAS_TABLE = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?"
"""SQL for whether the version that wrote a record had a table."""
_NEEDED = frozenset({"meta", "entries", "cases", "calls"})
_ALL = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'"


def add_head(database: sqlite3.Connection) -> None:
    """Add the column `head`, which records of earlier versions lack."""
    if not has_heads(database):
        database.execute("ALTER TABLE cases ADD COLUMN head TEXT")


def has_heads(database: sqlite3.Connection) -> bool:
    """Return whether there is a column for the heads of chains."""
    return "head" in {name for _, name, *_ in database.execute("PRAGMA table_info(cases)")}


def check_schema(database: sqlite3.Connection, *, whole: bool) -> None:
    """Check that the file has the tables of a record, and nothing that could shadow them.

    An added view, trigger or index could give figures other rows than those that were
    checked.

    Args:
        database: The file.
        whole: Whether all tables that reports need must be there.

    Raises:
        ValueError: It has others, or lacks one; the error says which.
        sqlite3.Error: It cannot be read.
    """
    known = {
        (kind, name, before)
        for kind, name, sql in _expected()
        for before in (sql, sql.replace(", head TEXT)", ")"))
    }
    found = [(str(kind), str(name), _plain(sql)) for kind, name, sql in database.execute(_ALL)]
    for row in found:
        if row not in known:
            raise ValueError(f"its {row[0]} {row[1]!r} is not part of a record")
    if whole and (absent := _NEEDED - {name for _, name, _ in found}):
        raise ValueError(f"its table {min(absent)!r} is missing")


def _expected() -> list[tuple[str, str, str]]:
    memory = sqlite3.connect(":memory:")
    try:
        memory.executescript(SCHEMA)
        return [(kind, name, _plain(sql)) for kind, name, sql in memory.execute(_ALL)]
    finally:
        memory.close()


def _plain(sql: object) -> str:
    return " ".join(str(sql).split())
