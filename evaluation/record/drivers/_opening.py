"""Opens the record of a run that a database keeps, as one of its drivers."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

from ....assembly.config import RecordConfig
from ....common import RecordError, first_failure
from .._file import locked
from .._record import WRITE
from .._schema import RECORD
from .._unchanged import Grow, is_begun, looked_at
from ..growth import Grown
from ..postgres import POINTER, Copied, Place, driven
from ._commit import SharedCommit
from ._group import write_group
from ._joining import Wanted, join, prepare
from ._leases import Driver
from ._link import Link
from ._record import SharedRecord
from ._unsent import forget_unsent, unsent

_TRIES = 20
"""Of looking at a run that others change meanwhile."""


@asynccontextmanager
async def open_shared_record(
    directory: Path,
    identity: Mapping[str, object],
    meta: Mapping[str, str],
    *,
    said: RecordConfig,
    grow: Grow | None = None,
    tell: Callable[[str], None],
) -> AsyncGenerator[SharedRecord, None]:
    """Open the record of a run that a database keeps: a new one, or one to go on with or to join.

    Args:
        directory: The run's directory here, which gets a copy; its name is that of the run.
        identity: All settings that determine a run's results, as plain data. A record
            with another identity is refused.
        meta: Further facts to store.
        said: Which database.
        grow: See `open_record`.
        tell: Told what is waited for.

    Raises:
        RecordChangedError: The record was changed.
        RecordError: The database cannot be used, the run belongs to another configuration, or
            rows cannot be written any more.
    """
    place = Place.of(said, directory.name)
    with locked(directory), driven(directory):
        _check_is_copy(directory)
        link = Link(place, said.lease, said.patience, tell)
        wanted = Wanted(directory, place, said.lease, identity, meta)
        driver, token, grown = await _joined(wanted, link, grow)
        with closing(sqlite3.connect(directory / RECORD, check_same_thread=False)) as database:
            commits = SharedCommit(
                directory / RECORD,
                database,
                WRITE,
                link=link,
                driver=driver,
                token=token,
                tell=tell,
            )
            link.on_return = commits.notify
            record = SharedRecord(
                directory,
                database,
                commits,
                place=place,
                driver=driver,
                link=link,
                tell=tell,
                grown=grown,
            )
            try:
                async with first_failure(), asyncio.TaskGroup() as group:
                    tasks = (
                        group.create_task(commits.watch()),
                        group.create_task(record.keep_lease()),
                        group.create_task(record.keep_copy()),
                    )
                    async with _ending(record, link):
                        yield record
                    for task in tasks:
                        task.cancel()
            finally:
                commits.keep_unsent()
                await link.close()


@asynccontextmanager
async def _ending(record: SharedRecord, link: Link) -> AsyncGenerator[None]:
    """Store what is left in the end, without waiting for a database if something failed."""
    try:
        yield
    except BaseException as failure:
        link.hurries = True
        try:
            await record.end()
        except RecordError as error:
            failure.add_note(str(error))  # what failed first is told
        raise
    await record.end()


async def _joined(
    wanted: Wanted, link: Link, grow: Grow | None
) -> tuple[Driver, str, Grown | None]:
    for _ in range(_TRIES):
        looked = await asyncio.to_thread(prepare, wanted)
        if looked is not None:
            await _send_unsent(wanted, looked, link)
        grown = await looked_at(wanted.directory, grow) if looked is not None else None
        driver = await asyncio.to_thread(join, wanted, looked, grown)
        if driver is not None:
            kept = Place.kept(wanted.directory)
            return driver, "" if kept is None else kept.token, grown
    raise RecordError(
        f"{wanted.directory}: other drivers began and ended again and again: repeat the command."
    )


async def _send_unsent(wanted: Wanted, looked: Copied, link: Link) -> None:
    """Send what an earlier command could not, before anything is decided."""
    groups = unsent(wanted.directory, looked.token)
    for group in groups:
        await link.do(partial(write_group, run=looked.run, group=group, lease=wanted.lease))
    if groups:
        forget_unsent(wanted.directory)
        await asyncio.to_thread(prepare, wanted)


def _check_is_copy(directory: Path) -> None:
    """Refuse to write over a record that no database keeps."""
    if not (directory / POINTER).is_file() and is_begun(directory):
        raise RecordError(
            f"{directory}: the record of this run is in its directory, and in no database: take "
            "run.record out, or give this run another run.name."
        )
