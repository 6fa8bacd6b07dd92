"""Records a run by OpenTelemetry where its config asks for that."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...common import require
from ...deliberation import Entry, Notice
from ...models import ChatModel, ModelSpec
from ..plan import RunPlan
from ..trials import Trial
from ._session import CaseWatcher

if TYPE_CHECKING:
    from ..interop.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Tracing:
    """What records a run.

    Attributes:
        watcher: Who is told of each case; None where nobody is.
        model: Wraps a model in what records its calls; None where nothing does.
    """

    watcher: CaseWatcher | None = None
    model: Callable[[ChatModel, ModelSpec | None], ChatModel] | None = None


@asynccontextmanager
async def open_tracing(
    plan: RunPlan, watcher: CaseWatcher | None, notify: Callable[[str], None]
) -> AsyncGenerator[Tracing]:
    """Open what records a run; without a word of it in the config that is nothing.

    Args:
        plan: The run.
        watcher: Who watches it besides.
        notify: Is told of what could not be sent.

    Raises:
        ConfigurationError: OpenTelemetry is not installed, or cannot send.
    """
    if not plan.telemetry.otel:
        yield Tracing(watcher)
        return
    require("telemetry", "opentelemetry.sdk", instead="take `otel` out")
    from ..interop.telemetry import open_telemetry

    opening = open_telemetry(plan.options.name, plan.telemetry.content, notify)
    async with opening as telemetry:
        yield Tracing(_TracedCases(telemetry, watcher), telemetry.model)


class _TracedCases:
    """Tells both the telemetry and another watcher of the cases."""

    def __init__(self, telemetry: "Telemetry", watcher: CaseWatcher | None) -> None:
        self._cases, self._watcher = telemetry.cases, watcher

    def begun(self, trial: Trial) -> None:
        self._cases.begun(trial)
        if self._watcher is not None:
            self._watcher.begun(trial)

    def heard(self, event: Entry | Notice) -> None:
        self._cases.heard(event)
        if self._watcher is not None:
            self._watcher.heard(event)

    def left(self, case_id: str) -> None:
        self._cases.left(case_id)
        if self._watcher is not None:
            self._watcher.left(case_id)

    async def unheld(self) -> None:
        if self._watcher is not None:
            await self._watcher.unheld()
