"""Opens a run for a batch: its record, and models that are not asked."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from ...assembly.models import ManagedServers, open_models
from ...common import ConfigurationError, ModelError
from ...models import (
    ChatModel,
    ChatRequest,
    Journaled,
    Middleware,
    ModelRegistry,
    ModelSource,
    ModelSpec,
    with_options,
)
from ..plan import RunPlan, Transcripts, open_transcripts
from ..record import RunRecord
from ..runner import open_run_models, open_run_record

NOT_ASKED = "not asked yet"
"""Detail of a response that is not in the record."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """An open record, and the models of its run.

    Attributes:
        record: The run's record.
        targets: Opens the targets' models; those not to be asked reply from the record.
        jurors: Opens the jurors' models; nothing is sent to them.
        transcripts: Transcripts of audio, for jurors that cannot hear.
    """

    record: RunRecord
    targets: ModelSource
    jurors: ModelRegistry
    transcripts: Transcripts


@asynccontextmanager
async def open_run(plan: RunPlan, *, ask: bool) -> AsyncGenerator[OpenRun, None]:
    """Open the record and models of a run for a batch.

    Args:
        plan: The run.
        ask: Whether to ask targets for responses that the record lacks. Targets on
            managed servers are never asked: no server is started.

    Raises:
        RecordError: The run's directory cannot be used; see `open_record`.
    """
    if plan.options.record is not None:
        raise ConfigurationError(
            "run.record: the files of a batch are for a record in the run's directory, which no "
            "other driver writes: take it out"
        )
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(open_run_record(plan))
        unstarted = ManagedServers(plan.servers, plan.directory, lambda _: None, needed=False)
        known = await stack.enter_async_context(open_models(plan.limits, servers=unstarted))
        live = None
        if ask:
            models = await stack.enter_async_context(open_run_models(plan, record))
            live = models.registry
        transcripts = await stack.enter_async_context(
            open_transcripts(plan.whisper, plan.directory)
        )
        yield OpenRun(
            record, _RecordedRegistry(known.registry, record, live), known.registry, transcripts
        )


class _RecordedRegistry:
    """Opens targets' models that reply from the record, or live models where it may ask."""

    def __init__(self, known: ModelRegistry, record: RunRecord, live: ModelRegistry | None) -> None:
        self._known = known
        self._record = record
        self._live = live

    def open(self, spec: ModelSpec) -> ChatModel:
        if self._live is not None and spec.server is None:
            return self._live.open(spec)
        recorded = Journaled(_NotAsked(self._known.open(spec)), self._record)
        return with_options(recorded, spec.options)


class _NotAsked(Middleware):
    """A model to which nothing is sent."""

    async def complete(self, request: ChatRequest) -> NoReturn:
        raise ModelError(NOT_ASKED)
