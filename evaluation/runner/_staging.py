"""Prepares queries: applies their condition, and stores their media."""

import asyncio
from dataclasses import replace

from ...datasets import Query, image_variant, select_parts
from ..plan import RunPlan
from ..record import RunRecord
from ..trials import Trial


class Stage:
    """Prepares queries for targets.

    Args:
        record: Stores the media that are sent.
        plan: The run's plan, with its seed, and its pictures for variants that use others.
    """

    def __init__(self, record: RunRecord, plan: RunPlan) -> None:
        self._record = record
        self._store = plan.media
        self._seed = plan.options.seed
        self._pictures = plan.pictures

    async def put(self, trial: Trial) -> Query:
        """Return the query under its condition, with its media stored in the run.

        Raises:
            DatasetError: A picture cannot be read, or the condition has nothing to show.
        """
        query = await self._with_variant(trial.query, trial.condition.image)
        condition = trial.condition
        put = select_parts(query, condition.parts, condition.voice)
        # What other conditions send is not part of the case.
        return self._record.keep_media(replace(put, variants=None) if put.others else put)

    async def _with_variant(self, query: Query, name: str) -> Query:
        if name == "original":
            return query
        # In a thread, because pictures are decoded and encoded.
        return await asyncio.to_thread(
            image_variant(name).apply,
            query,
            seed=self._seed,
            store=self._store,
            others=self._pictures,
        )
