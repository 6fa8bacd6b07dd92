"""Prepares queries: applies their condition, and stores their media."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from ...common import DatasetError
from ...datasets import Query, image_variant, select_parts
from ...datasets.media import MediaBytes, image_facts
from ..plan import RunPlan
from ..record import RunRecord
from ..trials import Trial
from ._media_room import MediaHold


class Stage:
    """Prepares queries for targets.

    Args:
        record: Stores the media that are sent.
        plan: The run's plan, with its seed, and its pictures for variants that use others.
        shows: Whether models are shown the media in this process.
    """

    def __init__(self, record: RunRecord, plan: RunPlan, *, shows: bool = True) -> None:
        self._record = record
        self._store = plan.media
        self._seed = plan.options.seed
        self._pictures = plan.pictures
        models = plan.models if shows else ()
        self._shown = {kind for model in models for kind in model.modalities}

    async def put(self, trial: Trial, hold: MediaHold | None = None) -> Query:
        """Return the query under its condition, with its media stored in the run.

        Args:
            trial: The trial.
            hold: Takes room for the media, before they are read; None where there is no bound.

        Raises:
            DatasetError: A picture cannot be read, or the condition has nothing to show.
        """
        query = await self._with_variant(trial.query, trial.condition.image)
        condition = trial.condition
        put = select_parts(query, condition.parts, condition.voice)
        if put.others:  # what other conditions send is not part of the case
            put = replace(put, variants=None)
        if not put.media:
            return put
        if hold is not None:
            await hold.take(put.media)
        if all(MediaBytes.of(one).is_loaded for one in put.media):
            return self._record.keep_media(put)
        # In a thread, because files take their time.
        return await asyncio.to_thread(self._keep, put)

    def _keep(self, query: Query) -> Query:
        """Return the query with its media stored, and read for the models that are shown them."""
        kept = self._record.keep_media(query)
        for one in kept.media:
            if one.media_type.partition("/")[0] in self._shown:
                with suppress(DatasetError, OSError):  # which the call that shows it reports
                    MediaBytes.of(one).encoded(one)
        for image in kept.images:
            with suppress(DatasetError):
                image_facts(image)  # or each model's limits would take a thread to know
        return kept

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
