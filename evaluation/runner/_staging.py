"""What becomes of a query before it is put: its condition applied, its media kept."""

import asyncio

from ...datasets import Query, image_variant, select_parts
from ..plan import RunPlan
from ..record import Record
from ..trials import Trial


class Stage:
    """Prepares queries for targets.

    Args:
        record: Keeps the media that are sent.
        plan: Of the run: its seed, and its pictures for variants that show others.
    """

    def __init__(self, record: Record, plan: RunPlan) -> None:
        self._record = record
        self._store = plan.media
        self._seed = plan.options.seed
        self._pictures = plan.pictures

    async def put(self, trial: Trial) -> Query:
        """Return the query as its condition wants it, its media kept with the run.

        Raises:
            DatasetError: A picture cannot be read, or the condition has nothing to show.
        """
        query = await self._with_variant(trial.query, trial.condition.image)
        return self._record.keep_media(select_parts(query, trial.condition.parts))

    async def _with_variant(self, query: Query, name: str) -> Query:
        if name == "original":
            return query
        # Pictures are decoded and encoded: other cases go on meanwhile.
        return await asyncio.to_thread(
            image_variant(name).apply,
            query,
            seed=self._seed,
            store=self._store,
            others=self._pictures,
        )
