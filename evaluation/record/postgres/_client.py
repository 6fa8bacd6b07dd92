"""The only module that imports psycopg: opens connections, and says what is wrong with them."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from ....common import RecordError, import_extra
from ....models import redactor
from ._place import Place

Connection = Any
"""A connection of psycopg, which need not be installed to check types."""
_CONNECT_S = 10
_GONE_MS = 30_000
"""After so long without an acknowledgment of what was sent the other side is gone."""
_AWAY = ("08", "57P", "40", "57014", "55P03", "25P03")
"""Errors after which the same may work: lost connections, deadlocks, limits of time."""
_TOO_MANY = "53300"
_LOCKED = "55P03"
_WORDS = {
    _LOCKED: "another session has the run locked",
    "53100": "its disk is full: free some space",
    "54000": "an id is too long for its index: give the queries ids of at most 2,000 characters",
    "25006": "it is read-only: name the server that is written to",
    "42501": "the user may not create or change its tables: grant CREATE on the schema, or let "
    "an administrator run safejury on it once",
    "28P01": "the password is wrong: set PGPASSWORD, ~/.pgpass or the variable that "
    "run.record.password_env names",
    "3D000": "there is no such database: create it with createdb",
    "28000": "the user may not connect: see pg_hba.conf of the server",
}


def connect(place: Place) -> AbstractContextManager[Connection]:
    """Open a connection; it is closed at the end of the block.

    Raises:
        RecordError: psycopg is not installed.
        psycopg.Error: There is no connection; see `why`.
    """
    return _psycopg().connect(place.url, **_options(place))


async def connect_async(place: Place) -> Connection:
    """Open a connection of the event loop; see `connect`."""
    return await _psycopg().AsyncConnection.connect(place.url, **_options(place))


def pipeline(connection: Connection) -> AbstractAsyncContextManager[Any]:
    """Send the statements of a block without waiting for each."""
    return connection.pipeline()


def errors() -> type[Exception]:
    """Return the class of all errors of a database."""
    return _psycopg().Error


def is_away(error: Exception) -> bool:
    """Return whether the same may work once the server is there again."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return state.startswith(_AWAY) or state == _TOO_MANY
    said = str(error)
    refused = ("password" in said and "failed" in said) or " no password " in said
    unknown = "does not exist" in said or "no pg_hba.conf entry" in said
    return isinstance(error, _psycopg().OperationalError) and not (refused or unknown)


def is_locked(error: Exception) -> bool:
    """Return whether another session had locked what was needed, for as long as was waited."""
    return getattr(error, "sqlstate", None) == _LOCKED


def why(error: Exception) -> str:
    """Return in one line what a database says, without secrets."""
    state = getattr(error, "sqlstate", None)
    if state in _WORDS:
        return _WORDS[state]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    if "fe_sendauth: no password supplied" in str(error) or "password authentication" in said:
        return _WORDS["28P01"]
    if said.startswith("connection failed: "):
        said = said.removeprefix("connection failed: ")
    return redactor.redact(said, patterns=False)


def unusable(place: Place, error: Exception) -> RecordError:
    """Return the error for a database that cannot be used."""
    return RecordError(f"{place.shown}: the record cannot be used ({why(error)}).")


def _options(place: Place) -> dict[str, Any]:
    options: dict[str, Any] = {
        "autocommit": True,
        "client_encoding": "utf8",  # whatever PGCLIENTENCODING and the server say
        "connect_timeout": _CONNECT_S,
        "application_name": "safejury",
        "tcp_user_timeout": _GONE_MS,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "prepare_threshold": None,  # poolers of connections keep no prepared statements
    }
    password = place.password()
    return options if password is None else {**options, "password": password}


def _psycopg() -> Any:
    return import_extra("run.record in PostgreSQL", "psycopg", error=RecordError)
