"""A run opened for a batch: its record, and models that are known and not asked."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from ...assembly.models import ManagedServers, open_models
from ...common import ModelError
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
from ..record import Record
from ..runner import open_run_models, open_run_record

NOT_ASKED = "not asked yet"
"""Detail of a response that the record lacks."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run's record, open, and the ways to its models.

    Attributes:
        record: Where the run keeps its calls.
        targets: Opens the targets' models; those not to be asked answer from the record.
        jurors: Knows the jurors' models by name; nothing is sent to them.
        transcripts: The words of sounds, for jurors that cannot hear.
    """

    record: Record
    targets: ModelSource
    jurors: ModelRegistry
    transcripts: Transcripts


@asynccontextmanager
async def open_run(plan: RunPlan, *, ask: bool) -> AsyncGenerator[OpenRun, None]:
    """Open what a batch reads and writes.

    Args:
        plan: The run.
        ask: Whether targets are asked for responses that the record lacks. Those on
            managed servers never are: no server is started.

    Raises:
        RecordError: The run's directory cannot be used; see `open_record`.
    """
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(open_run_record(plan))
        unserved = ManagedServers(plan.servers, plan.directory, lambda _: None, needed=False)
        known = await stack.enter_async_context(open_models(plan.limits, servers=unserved))
        live = None
        if ask:
            models = await stack.enter_async_context(open_run_models(plan, record))
            live = models.registry
        transcripts = await stack.enter_async_context(
            open_transcripts(plan.whisper, plan.directory)
        )
        yield OpenRun(record, _Archive(known.registry, record, live), known.registry, transcripts)


class _Archive:
    """Opens targets' models that answer from the record, or live where there is a way."""

    def __init__(self, known: ModelRegistry, record: Record, live: ModelRegistry | None) -> None:
        self._known = known
        self._record = record
        self._live = live

    def open(self, spec: ModelSpec) -> ChatModel:
        if self._live is not None and spec.server is None:
            return self._live.open(spec)
        silent = Journaled(_Silent(self._known.open(spec)), self._record)
        return with_options(silent, spec.options)


class _Silent(Middleware):
    """A model that is not asked anything."""

    async def complete(self, request: ChatRequest) -> NoReturn:
        raise ModelError(NOT_ASKED)
