"""A temporary SQLite database for rows that do not fit into memory."""

import sqlite3
import weakref


def private_database(owner: object, schema: str) -> sqlite3.Connection:
    """Return an empty temporary SQLite database that is closed with its owner.

    It is in memory while it is small, and in a temporary file beyond that.

    Args:
        owner: What it belongs to; the database is closed when this is collected.
        schema: The statements that make its tables.
    """
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    weakref.finalize(owner, database.close)
    database.executescript(f"PRAGMA journal_mode = OFF; {schema}")
    database.execute("BEGIN")
    return database
