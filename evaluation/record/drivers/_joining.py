"""Begins a run in a database, goes on with it, or joins the drivers that are at work on it.

All of it is done while the run's row is locked, so that of two drivers one is the first.
"""

import secrets
import socket
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....common import RecordError
from ....common.text import many
from .._file import check_format, facts_now, open_read_only
from .._media import MEDIA
from .._meta import Meta
from .._schema import RECORD
from ..growth import Grown
from ..identity import plain
from ..postgres import (
    Connection,
    Copied,
    Place,
    connect,
    copy_run,
    errors,
    is_locked,
    make_tables,
    unusable,
)
from ._leases import BOUND, BREAK_OFF, Driver, bound, charge_gone, count_drivers

_BEGIN = """
INSERT INTO safejury_runs (name, token) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT id, token, revision, facts_revision FROM safejury_runs WHERE name = %s FOR UPDATE
"""
_OURS_ENDED = """
UPDATE safejury_drivers SET until = '-infinity'
WHERE run = %s AND host = %s AND place = %s AND until <> '-infinity'
"""
_CHANGE = """
UPDATE safejury_runs SET revision = revision + 1, facts_revision = revision + 1
WHERE id = %s RETURNING revision
"""
_DELETE = """
WITH gone AS (DELETE FROM safejury_{table} WHERE run = %(run)s {which} RETURNING case_id)
INSERT INTO safejury_deleted
SELECT DISTINCT %(run)s::bigint, %(revision)s::bigint, '{table}', case_id FROM gone
"""
_DRIVER = """
INSERT INTO safejury_drivers (run, host, place, until)
VALUES (%s, %s, %s, now() + make_interval(secs => %s)) RETURNING id
"""
_TRIES = 4
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_FAILED = "SELECT case_id FROM answers WHERE json_extract(body, '$.response.outcome') = 'error'"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a run is to be driven.

    Attributes:
        directory: The directory of this driver.
        place: The database, and the run in it.
        lease: Seconds for which a driver is waited for.
        identity: All settings that determine the run's results, as plain data.
        meta: Further facts to store.
    """

    directory: Path
    place: Place
    lease: float
    identity: Mapping[str, object]
    meta: Mapping[str, str]


def prepare(wanted: Wanted) -> Copied | None:
    """Make the tables where they are missing, and copy the run; None where it has not begun.

    Raises:
        RecordError: The database cannot be used.
    """
    place = wanted.place
    try:
        with connect(place) as connection:
            make_tables(connection, place)
            known = "SELECT 1 FROM safejury_runs WHERE name = %s"
            if connection.execute(known, (place.run,)).fetchone() is None:
                return None
            return copy_run(connection, place, wanted.directory, RECORD, MEDIA)
    except errors() as error:
        raise unusable(place, error) from None


def join(
    wanted: Wanted, looked: Copied | None, grown: Grown | None, *, tries: int = _TRIES
) -> Driver | None:
    """Become a driver of a run; None where it was changed since the copy was looked at.

    Args:
        wanted: The run.
        looked: The copy on which it was decided what is stored of the run now.
        grown: What that is, None where nothing of it has to be kept.
        tries: How often to wait for a lease where a driver hangs that has the run locked.

    Raises:
        RecordError: Others are at work on it with another config.
    """
    try:
        with connect(wanted.place) as connection:
            connection.execute(BREAK_OFF, {"name": wanted.place.run, "lease": wanted.lease})
            with connection.transaction():
                driver = _Joining(connection, wanted, looked, grown).join()
            if driver is not None:
                copy_run(connection, wanted.place, wanted.directory, RECORD, MEDIA)
            return driver
    except errors() as error:
        if tries > 1 and is_locked(error):
            return join(wanted, looked, grown, tries=tries - 1)
        raise unusable(wanted.place, error) from None


class _Joining:
    def __init__(
        self, connection: Connection, wanted: Wanted, looked: Copied | None, grown: Grown | None
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._looked = looked
        self._grown = grown

    def join(self) -> Driver | None:
        wanted, place, looked = self._wanted, self._wanted.place, self._looked
        self._connection.execute(BOUND, {"bound": bound(wanted.lease)})
        self._connection.execute(_BEGIN, (place.run, secrets.token_hex(16)))
        run, token, revision, facts = self._connection.execute(_LOCK, (place.run,)).fetchone()
        if revision and (looked is None or looked.token != token or facts > looked.revision):
            return None
        here = _here(wanted.directory)
        self._connection.execute(_OURS_ENDED, (run, *here))
        others = count_drivers(self._connection, run, wanted.lease)
        kept, started, failed = _stored(wanted.directory) if revision else (None, False, [])
        if others:
            assert kept is not None
            self._check_same(kept, others)
        elif revision and looked is not None and revision > looked.revision:
            return None
        else:
            charge_gone(self._connection, run, wanted.lease)
            self._write(run, kept, started=started, failed=failed)
        row = self._connection.execute(_DRIVER, (run, *here, wanted.lease)).fetchone()
        return Driver(run, row[0], wanted.lease)

    def _check_same(self, kept: Meta, others: int) -> None:
        """Refuse another config than that of the drivers at work."""
        grown = self._grown
        identity = plain(self._wanted.identity if grown is None else grown.identity)
        meta = self._wanted.meta if grown is None else grown.meta
        if kept.identity != identity or kept.raw.get("planned") != meta.get("planned"):
            raise RecordError(
                f"{self._wanted.directory}: {many(others, 'driver')} at work on this run with "
                "another configuration, and nothing can be added meanwhile: wait until they have "
                "ended, or give this run another run.name."
            )

    def _write(self, run: int, kept: Meta | None, *, started: bool, failed: Sequence[str]) -> None:
        """Store the facts of the run as a whole, and take out what does not go with them."""
        wanted, grown = self._wanted, self._grown
        now = facts_now(kept if started else None, wanted.identity, wanted.meta, grown)
        revision = self._connection.execute(_CHANGE, (run,)).fetchone()[0]
        of = {"run": run, "revision": revision}
        self._connection.execute("DELETE FROM safejury_meta WHERE run = %s", (run,))
        with self._connection.cursor() as cursor:
            rows = [(run, key, value) for key, value in now.items()]
            cursor.executemany("INSERT INTO safejury_meta VALUES (%s, %s, %s)", rows)
        if not started:
            self._delete("entries", of, None)
        if grown is not None:
            self._delete("answers", of, grown.stale)
        elif kept is not None and kept.identity != plain(wanted.identity):
            self._delete("answers", of, None)
        self._delete("answers", of, failed)  # a target that failed is asked again

    def _delete(self, table: str, of: Mapping[str, int], case_ids: Iterable[str] | None) -> None:
        which = "" if case_ids is None else "AND case_id = ANY(%(cases)s::text[])"
        values: dict[str, Any] = {**of, "cases": list(case_ids or ())}
        self._connection.execute(_DELETE.format(table=table, which=which), values)


def _stored(directory: Path) -> tuple[Meta | None, bool, list[str]]:
    """Return what a copy says: its facts, whether a case is finished, and answers that failed."""
    try:
        with closing(open_read_only(directory / RECORD)) as database:
            rows = dict(database.execute("SELECT key, value FROM meta").fetchall())
            started = database.execute("SELECT 1 FROM cases LIMIT 1").fetchone() is not None
            failed = [case_id for (case_id,) in database.execute(_FAILED)]
            kept = Meta.decode(rows) if rows else None
    except (sqlite3.Error, ValueError) as error:
        raise RecordError(f"{directory}: the record cannot be read ({error}).") from None
    if kept is not None:
        check_format(directory, kept.format)
    return kept, started, failed


def _here(directory: Path) -> tuple[str, str]:
    """Return this machine and directory: of one directory at most one driver is at work.

    Machines made of one image may have one name, and directories of the same number.
    """
    found = directory.stat()
    try:
        machine = _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        machine = f"{uuid.getnode():x}"
    return f"{socket.gethostname()} {machine}", f"{found.st_dev}:{found.st_ino}"
