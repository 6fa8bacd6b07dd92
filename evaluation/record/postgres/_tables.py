"""The tables of a database that keeps records: those of SQLite's, and what several drivers need.

Every change of a run is made while its row in `safejury_runs` is locked, and takes the next number
of `revision`. So the numbers are committed in their order, and a copy that is up to revision 7
lacks just what has a higher number.
"""

from ....common import RecordError
from ._client import Connection, errors, unusable
from ._place import Place

VERSION = 1
"""Of these tables; another version of safejury may have others."""
COLUMNS = {
    "calls": ("call_id", "key", "completion"),
    "entries": ("case_id", "number", "kind", "body"),
    "cases": (
        *("case_id", "target", "query_id", "epoch", "scenario", "intent", "response_outcome"),
        *("finding", "rating", "result", "head"),
    ),
    "charges": ("id", "call_id", "case_id", "kind", "tokens", "usd"),
    "servers": ("life", "server", "gpus", "seconds", "usd"),
    "answers": ("case_id", "body"),
}
"""The columns of each table beside the run, the driver that wrote a row, and its revision."""
KEYS = {"calls": 2, "entries": 2, "cases": 1, "charges": 1, "servers": 1, "answers": 1}
"""How many of them are the key."""
TYPES = {
    **dict.fromkeys(("number", "epoch", "gpus"), "integer"),
    **dict.fromkeys(("tokens", "id"), "bigint"),
    **dict.fromkeys(("rating", "usd", "seconds"), "double precision"),
}
"""Of columns that are not text."""
_OPTIONAL = {"finding", "rating", "head"}
_LOCK = 7_318_402_155
"""Of whoever makes the tables."""
_WHOEVER_HANGS = "SET LOCAL idle_in_transaction_session_timeout = '10s'"
"""Holds up the others no longer than that while the tables are made."""
_ENCODING = "SELECT current_setting('server_encoding')"
# A function such as to_regclass may answer from before another session made them.
_KNOWN = """
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'safejury_format' AND pg_table_is_visible(oid))
"""
_OTHERS = """
CREATE TABLE safejury_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
    token text NOT NULL, revision bigint NOT NULL DEFAULT 0,
    facts_revision bigint NOT NULL DEFAULT 0, tokens bigint NOT NULL DEFAULT 0,
    usd double precision NOT NULL DEFAULT 0, unpriced bigint NOT NULL DEFAULT 0,
    begun timestamptz NOT NULL DEFAULT now());
CREATE TABLE safejury_drivers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES safejury_runs ON DELETE CASCADE, host text NOT NULL,
    place text NOT NULL, until timestamptz NOT NULL, groups bigint NOT NULL DEFAULT 0,
    waits boolean NOT NULL DEFAULT false,
    may_tokens bigint NOT NULL DEFAULT 0, may_usd double precision NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0, usd double precision NOT NULL DEFAULT 0);
CREATE INDEX ON safejury_drivers (run, until);
CREATE TABLE safejury_meta (
    run bigint REFERENCES safejury_runs ON DELETE CASCADE, key text, value text NOT NULL,
    PRIMARY KEY (run, key));
CREATE TABLE safejury_leases (
    run bigint REFERENCES safejury_runs ON DELETE CASCADE, case_id text, driver bigint NOT NULL,
    PRIMARY KEY (run, case_id));
CREATE TABLE safejury_deleted (
    run bigint NOT NULL REFERENCES safejury_runs ON DELETE CASCADE, revision bigint NOT NULL,
    what text NOT NULL, key text NOT NULL);
CREATE INDEX ON safejury_deleted (run, revision);
CREATE TABLE safejury_media (sha256 text PRIMARY KEY, content bytea NOT NULL);
CREATE TABLE safejury_shown (
    run bigint REFERENCES safejury_runs ON DELETE CASCADE, sha256 text, revision bigint NOT NULL,
    PRIMARY KEY (run, sha256));
CREATE INDEX ON safejury_shown (run, revision);
CREATE TABLE safejury_format (version integer NOT NULL);
"""


def make_tables(connection: Connection, place: Place) -> None:
    """Make the tables where there are none.

    Raises:
        RecordError: They cannot be made, cannot hold every text, or are those of another version.
    """
    try:
        if check_tables(connection, place):
            return
        with connection.transaction():
            connection.execute(_WHOEVER_HANGS)
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            if not connection.execute(_KNOWN).fetchone()[0]:
                _check_encoding(connection, place)
                connection.execute(_OTHERS)
                for table in COLUMNS:
                    for statement in _made(table):
                        connection.execute(statement)
                connection.execute("INSERT INTO safejury_format VALUES (%s)", (VERSION,))
        check_tables(connection, place)
    except errors() as error:
        raise unusable(place, error) from None


def check_tables(connection: Connection, place: Place) -> bool:
    """Return whether there are tables.

    Raises:
        RecordError: They are those of another version.
    """
    if not connection.execute(_KNOWN).fetchone()[0]:
        return False
    found = connection.execute("SELECT max(version) FROM safejury_format").fetchone()[0]
    if found != VERSION:
        raise RecordError(
            f"{place.shown}: its records have format {found}, and this version of safejury reads "
            f"{VERSION}: use the version that made them, or another database."
        )
    return True


def _check_encoding(connection: Connection, place: Place) -> None:
    """Refuse a database that cannot hold every text, before anything is paid for."""
    if (found := connection.execute(_ENCODING).fetchone()[0]) != "UTF8":
        raise RecordError(
            f"{place.shown}: its encoding is {found}, which cannot hold every text: make the "
            "database with `createdb -E UTF8 -T template0 NAME`."
        )


def _made(table: str) -> list[str]:
    columns = COLUMNS[table]
    typed = [
        f"{name} {TYPES.get(name, 'text')}"
        + ("" if name in _OPTIONAL or (table, name) == ("charges", "usd") else " NOT NULL")
        for name in columns
    ]
    key = ", ".join(columns[: KEYS[table]])
    made = (
        f"CREATE TABLE safejury_{table} (run bigint REFERENCES safejury_runs ON DELETE CASCADE, "
        f"driver bigint NOT NULL, revision bigint NOT NULL, {', '.join(typed)}, "
        f"PRIMARY KEY (run, {key}))"
    )
    return [made, f"CREATE INDEX ON safejury_{table} (run, revision)"]
