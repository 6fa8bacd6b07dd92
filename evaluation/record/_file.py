"""Opens the database of a run, and locks its directory to write."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ...common import RecordError
from ...common.files import make_private, private_folder
from ._media import MEDIA
from ._meta import SEALED, Meta, binding
from ._schema import PAGE, RECORD, SCHEMA, add_head, check_schema
from .growth import Grown
from .identity import differences, plain
from .postgres import keep_current

FORMAT = "2"
_LOCK = "run.lock"
_PATIENCE_S = 0.5
"""How long a run waits for its lock: `is_being_written` holds it for a moment."""
_MARK = """
SELECT (SELECT count(*) FROM cases), (SELECT max(rowid) FROM cases),
       (SELECT value FROM meta WHERE key = 'total'), (SELECT group_concat(value) FROM meta)
"""


def record_in(directory: Path) -> Path:
    """Return the file of the record in a run's directory, up to date if a database keeps it.

    Raises:
        RecordError: The database cannot be read.
    """
    keep_current(directory)
    return directory / RECORD


def last_written(directory: Path) -> datetime:
    """Return when something was last written to a run's record, as its files say, in seconds.

    Raises:
        RecordError: There is no record.
    """
    # What is new may stand in the log beside it only.
    files = (record_in(directory), directory / f"{RECORD}-wal")
    kept = [file.stat() for file in files if file.is_file()]
    times = [each.st_mtime for each in kept if each.st_size]
    if not times:
        raise RecordError(f"{directory}: there is no run here")
    return datetime.fromtimestamp(int(max(times)), UTC)


def locked(directory: Path) -> AbstractContextManager[object]:
    """Create and lock a run's directory, readable by its owner only.

    Raises:
        RecordError: It cannot be created or written, or another process writes to it.
    """
    try:
        private_folder(directory)
        private_folder(directory / MEDIA)
        lock = FileLock(directory / _LOCK, timeout=_PATIENCE_S, mode=0o600)
        return lock.acquire(poll_interval=_PATIENCE_S / 20)
    except Timeout:
        raise RecordError(
            f"{directory}: another process is writing to this run: wait for it to end, "
            "or give this one another run.name."
        ) from None
    except OSError as error:
        raise RecordError(
            f"{directory}: the run's directory cannot be written ({error.strerror}): "
            "choose another run.directory, or change its permissions."
        ) from None


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open the database of a run to read it, on read-only media as well.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    place = f"{path.resolve().as_uri()}?mode=ro"
    database = sqlite3.connect(place, uri=True)
    try:
        database.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        database.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
        # SQLite makes files beside a database to read it, unless it is told that nobody writes.
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise sqlite3.OperationalError(
                f"{error}: what was written last is in {log.name}, which is read only where the "
                "directory can be written: copy the directory to such a place"
            ) from None
        return sqlite3.connect(f"{place}&immutable=1", uri=True)
    return database


def format_of(directory: Path) -> str | None:
    """Return the format of a run's record, None where that cannot be read."""
    try:
        with closing(open_read_only(directory / RECORD)) as database:
            found = database.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    except (OSError, ValueError, sqlite3.Error):
        return None
    return None if found is None else str(found[0])


@dataclass(frozen=True, slots=True)
class RecordMark:
    """What tells one state of a record from another.

    Attributes:
        file: Device and number of its file.
        cases: Finished cases.
        last: Grows whenever a case is finished, or finished anew.
        planned: Planned cases.
        facts: Hash of what is kept on the run as a whole.
    """

    file: tuple[int, int]
    cases: int
    last: int
    planned: int
    facts: int


def mark_of(directory: Path) -> RecordMark | None:
    """Return what tells the present state of a run's record, None where none has begun.

    Raises:
        RecordError: There is one that cannot be read.
    """
    path = record_in(directory)
    try:
        found = path.stat()
        with closing(open_read_only(path)) as database:
            known = "SELECT count(*) FROM sqlite_master WHERE name IN ('cases', 'meta')"
            if database.execute(known).fetchone()[0] < 2:
                return None
            cases, last, planned, facts = database.execute(_MARK).fetchone()
            if facts is None:
                return None
            file = found.st_dev, found.st_ino
            return RecordMark(file, int(cases), last or 0, int(planned or 0), hash(facts))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, sqlite3.Error) as error:
        raise RecordError(f"{path}: not a record that can be read ({error}).") from None


def is_being_written(directory: Path) -> bool:
    """Return whether a process has a run open for writing; that process notices nothing.

    Where the system cannot tell, the answer is no.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        with (directory / _LOCK).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except OSError:
        return False


def open_database(
    directory: Path,
    identity: Mapping[str, object],
    meta: Mapping[str, str],
    grown: Grown | None = None,
) -> tuple[sqlite3.Connection, bool]:
    """Open the database of a run for writing, and return whether it existed.

    Args:
        directory: The run's directory.
        identity: All settings that determine a run's results, as plain data.
        meta: Further facts to store; those of the latest opening replace earlier ones.
        grown: What is stored in place of both where the run has kept something before.

    Raises:
        RecordError: It cannot be used, or belongs to another configuration.
    """
    path = directory / RECORD
    try:
        make_private(path)  # SQLite gives its log the same mode
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror}).") from None
    try:
        database = _connected(path)
        rows = dict(database.execute("SELECT key, value FROM meta").fetchall())
        kept = Meta.decode(rows) if rows else None
        resumed = kept is not None
        # Until a case is finished there is nothing that another configuration could
        # taint: calls are kept with a hash of their request.
        started = resumed and _count_cases(database) > 0
    except (sqlite3.Error, ValueError) as error:
        raise RecordError(f"{path}: not a record that can be written ({error}).") from None
    try:
        if kept is not None:
            check_format(directory, kept.format)
        if kept is not None and started and grown is None:
            _check_same_run(directory, kept.identity, plain(identity))
    except RecordError:
        database.close()
        raise
    now = facts_now(kept if started else None, identity, meta, grown)
    try:
        with database:
            database.execute("BEGIN")  # the head's column comes with what says whose it is
            add_head(database)
            database.execute("DELETE FROM meta")
            if not started:
                database.execute("DELETE FROM entries")
            _charge_open_calls(database)
            # Unlike calls, they are not kept with a hash of what was asked.
            if grown is not None:
                stale = [(case_id,) for case_id in grown.stale]
                database.executemany("DELETE FROM answers WHERE case_id = ?", stale)
            elif kept is not None and kept.identity != plain(identity):
                database.execute("DELETE FROM answers")
            # A target that failed is asked again.
            database.execute(
                "DELETE FROM answers WHERE json_extract(body, '$.response.outcome') = 'error'"
            )
            database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(now.items()))
    except sqlite3.Error as error:
        database.close()
        raise RecordError(f"{path}: the record cannot be written ({error}).") from None
    return database, resumed


def _charge_open_calls(database: sqlite3.Connection) -> None:
    """Charge what calls held whose process was killed: a provider may bill it."""
    database.execute(
        "INSERT INTO charges SELECT call_id, case_id, 'estimated', tokens, usd "
        "FROM charges WHERE kind = 'open'"
    )
    database.execute("DELETE FROM charges WHERE kind = 'open'")


def _connected(path: Path) -> sqlite3.Connection:
    """Return a connection that writes to a file, which has the tables of a record then."""
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute(f"PRAGMA page_size = {PAGE}")  # of a new file
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    check_schema(database, whole=False)
    database.executescript(SCHEMA)
    return database


def facts_now(
    kept: Meta | None,
    identity: Mapping[str, object],
    meta: Mapping[str, str],
    grown: Grown | None,
) -> Mapping[str, str]:
    """Return what is stored of a run as a whole when it is opened.

    Args:
        kept: What was stored before, None where no case is finished.
        identity: See `open_database`; so are the others.
        meta: Further facts.
        grown: What is stored in place of both.
    """
    if grown is not None:
        identity, meta = grown.identity, grown.meta
    now = {**meta, "format": FORMAT, "identity": json.dumps(identity)}
    if kept is None:
        now[SEALED] = "yes"
    else:
        now = {SEALED: "partly", **kept.raw, **now}
    return {**now, **binding(now)}


def _count_cases(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM cases").fetchone()[0])


def check_format(directory: Path, found: str) -> None:
    """Refuse a record of another format.

    Raises:
        RecordError: It has one.
    """
    if found != FORMAT:
        raise RecordError(
            f"{directory}: the record has format {found}, and this version reads {FORMAT}: "
            "give this run another run.name."
        )


def _check_same_run(directory: Path, kept: object, identity: object) -> None:
    if changes := list(differences(kept, identity)):
        raise RecordError(
            f"{directory}: this run was started with another configuration: {changes[0]}. Give "
            "this run another run.name."
        )


def unreadable(directory: Path, what: str, error: Exception) -> RecordError:
    """Return the error for a value in a record that cannot be decoded."""
    return RecordError(
        f"{directory}: {what} in the record cannot be read ({error}): restore {RECORD} from a "
        "copy, or give this run another run.name."
    )
