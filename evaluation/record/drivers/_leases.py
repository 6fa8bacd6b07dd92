"""The leases of a driver: on trials, and on its place among the drivers of a run.

A lease on a trial lasts as long as its driver's own, which the driver renews while it works: by the
clock of the server, so that those of the drivers do not matter. After the server was started anew,
each driver has as long as a lease lasts to say that it is still there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ....common import RecordError
from ..postgres import Connection, pipeline

BOUND = """
SELECT set_config('lock_timeout', %(bound)s, true),
    set_config('idle_in_transaction_session_timeout', %(bound)s, true)
"""
"""SQL that bounds how long a transaction waits for others, and for its own driver."""
_LOCK = "SELECT FROM safejury_runs WHERE id = %(run)s FOR UPDATE"
BREAK_OFF = """
SELECT pg_terminate_backend(one.pid) FROM safejury_runs AS run
JOIN pg_stat_activity AS one ON one.backend_xid = run.xmax
WHERE run.name = %(name)s AND one.pid <> pg_backend_pid() AND one.wait_event_type = 'Client'
    AND greatest(one.state_change, one.query_start)
        < clock_timestamp() - make_interval(secs => %(lease)s)
    AND pg_has_role(one.usesysid, 'USAGE')
"""
"""SQL that ends the session that has a run locked, if its driver is not heard of for a lease.

No limit of time does: the server counts a session as idle only where all has arrived that its
client sent at once.
"""
GONE = """
({driver}.until = '-infinity' OR ({driver}.until < now()
    AND pg_postmaster_start_time() < now() - make_interval(secs => %(lease)s)))
"""
"""SQL for whether a driver has ended, or was not heard of for as long as a lease lasts."""
_TAKE = f"""
INSERT INTO safejury_leases AS held (run, case_id, driver)
SELECT %(run)s::bigint, wanted, %(driver)s::bigint FROM unnest(%(cases)s::text[]) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM safejury_cases AS done
    WHERE done.run = %(run)s AND done.case_id = wanted AND done.revision > %(seen)s)
ON CONFLICT (run, case_id) DO UPDATE SET driver = EXCLUDED.driver
WHERE held.driver = EXCLUDED.driver OR EXISTS (
    SELECT 1 FROM safejury_drivers AS other
    WHERE other.id = held.driver AND {GONE.format(driver="other")})
    OR EXISTS (
    SELECT 1 FROM safejury_cases AS done WHERE done.run = held.run
    AND done.case_id = held.case_id AND done.driver = held.driver AND done.revision <= %(retried)s)
RETURNING case_id, xmax <> 0
"""
_RENEW = """
UPDATE safejury_drivers SET until = now() + make_interval(secs => %(lease)s)
WHERE id = %(driver)s RETURNING id
"""
_REVISION = f"""
SELECT run.revision, EXISTS (SELECT 1 FROM safejury_charges AS held JOIN safejury_drivers AS one
        ON one.id = held.driver
        WHERE held.run = run.id AND held.kind = 'open' AND {GONE.format(driver="one")})
FROM safejury_runs AS run WHERE run.id = %(run)s
"""
_CHARGE = f"""
WITH charged AS (
    UPDATE safejury_charges AS held SET kind = 'estimated', revision = run.revision + 1
    FROM safejury_drivers AS one, safejury_runs AS run
    WHERE held.run = %(run)s AND held.kind = 'open' AND one.id = held.driver
        AND run.id = held.run AND {GONE.format(driver="one")}
    RETURNING held.tokens, held.usd)
UPDATE safejury_runs SET revision = revision + 1,
    tokens = tokens + coalesce((SELECT sum(tokens) FROM charged), 0),
    usd = usd + coalesce((SELECT sum(usd) FROM charged), 0)
WHERE id = %(run)s AND EXISTS (SELECT 1 FROM charged)
"""
_OPEN_LEASES = f"""
SELECT count(*) FILTER (WHERE NOT gone), count(*) FILTER (WHERE gone) FROM (
    SELECT {GONE.format(driver="one")} AS gone
    FROM safejury_leases AS held JOIN safejury_drivers AS one ON one.id = held.driver
    WHERE held.run = %(run)s AND held.driver <> %(driver)s AND NOT EXISTS (
        SELECT 1 FROM safejury_cases AS done
        WHERE done.run = held.run AND done.case_id = held.case_id)) AS others
"""
_AT_WORK = f"""
SELECT count(*) FROM safejury_drivers AS one
WHERE one.run = %(run)s AND NOT {GONE.format(driver="one")}
"""
_END = "UPDATE safejury_drivers SET until = '-infinity' WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of a run.

    Attributes:
        run: The run's number in the database.
        number: The driver's.
        lease: Seconds for which it is waited for.
    """

    run: int
    number: int
    lease: float

    @property
    def values(self) -> dict[str, object]:
        """What the statements here are about."""
        return {
            "run": self.run,
            "driver": self.number,
            "lease": self.lease,
            "bound": bound(self.lease),
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """Trials that a driver may examine.

    Attributes:
        cases: The ids of their cases.
        earlier: Whether another driver had one of them before.
    """

    cases: frozenset[str]
    earlier: bool


async def lock(connection: Connection, driver: Driver) -> None:
    """Lock a driver's run until the transaction ends, or the driver is not heard of in it."""
    await connection.execute(BOUND, driver.values)
    await connection.execute(_LOCK, driver.values)


def bound(lease: float) -> str:
    """Return for how long drivers wait for each other, and for one that is not heard of."""
    return f"{round(lease * 1000)}ms"


def deleted() -> RecordError:
    """Return the error for a run that is not in its database any more."""
    return RecordError(
        "The run was deleted from its database while it was under way: restore the database from "
        "a backup and repeat the command, or give the run another run.name."
    )


def set_back() -> RecordError:
    """Return the error for a database that lacks what a driver stored."""
    return RecordError(
        "The database lacks what this driver stored, as one does that was restored from a backup "
        "while the run was under way: repeat the command, which goes on with what there is."
    )


async def take(
    connection: Connection, driver: Driver, cases: Sequence[str], seen: int, retried: int
) -> Taken:
    """Take the trials of cases that no other driver has and that are not finished.

    Args:
        connection: To the database.
        driver: Who takes them.
        cases: Their ids.
        seen: What was finished up to this revision may be taken again; -1 for nothing.
        retried: What a driver at work has finished up to this one may be taken from it.
    """
    values = {**driver.values, "cases": list(cases), "seen": seen, "retried": retried}
    async with connection.transaction(), pipeline(connection):
        await lock(connection, driver)  # a group may just finish one
        cursor = await connection.execute(_TAKE, values)
    rows = await cursor.fetchall()
    return Taken(frozenset(case_id for case_id, _ in rows), any(held for _, held in rows))


async def renew(connection: Connection, driver: Driver) -> int:
    """Renew a driver's lease, and charge what calls of lost drivers held.

    Returns:
        The last revision of the run.
    """
    async with pipeline(connection):
        renewed = await connection.execute(_RENEW, driver.values)
        cursor = await connection.execute(_REVISION, driver.values)
    found = await cursor.fetchone()
    if found is None:
        raise deleted()
    if await renewed.fetchone() is None:
        raise set_back()
    revision, charges_due = found
    if charges_due:
        async with connection.transaction():
            await lock(connection, driver)
            await connection.execute(_CHARGE, driver.values)
        return await renew(connection, driver)
    return revision


async def open_leases(connection: Connection, driver: Driver) -> tuple[int, int]:
    """Count the unfinished trials of other drivers: of those at work, and of those gone."""
    cursor = await connection.execute(_OPEN_LEASES, driver.values)
    working, gone = await cursor.fetchone()
    return working, gone


async def end(connection: Connection, driver: Driver) -> None:
    """End a driver's lease, so that others may take what it leaves."""
    await connection.execute(_END, (driver.number,))


def charge_gone(connection: Connection, run: int, lease: float) -> None:
    """Charge what calls of lost drivers held, within a transaction that locks the run."""
    connection.execute(_CHARGE, {"run": run, "lease": lease})


def count_drivers(connection: Connection, run: int, lease: float) -> int:
    """Count the drivers at work on a run."""
    return connection.execute(_AT_WORK, {"run": run, "lease": lease}).fetchone()[0]
