"""What becomes of a query before it is put: its media kept, its condition applied."""

from dataclasses import replace

from ..datasets import Query
from ._record import Record
from ._unit import Unit


class Stage:
    """Prepares queries for targets.

    Args:
        record: Keeps the media that are sent.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    async def put(self, unit: Unit) -> Query:
        """Return the query as its condition wants it, its media kept with the run."""
        return replace(self._record.keep_media(unit.query))
