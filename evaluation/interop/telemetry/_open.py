"""Opens the telemetry of a run, and sends what is left when it ends."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from ....models import ChatModel, ModelSpec, redactor
from ._calls import Calls
from ._cases import CaseSpans
from ._content import Content
from ._providers import CLOSING_S, Complaints, Providers

_SCOPE = "safejury"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The telemetry of a run, open.

    Attributes:
        cases: Records the cases.
        calls: Records the calls of models.
    """

    cases: CaseSpans
    calls: Calls

    def model(self, model: ChatModel, spec: ModelSpec | None) -> ChatModel:
        """Return a model whose calls are recorded; see `Calls.model`."""
        return self.calls.model(model, spec)


@asynccontextmanager
async def open_telemetry(
    run: str, content: bool | None, notify: Callable[[str], None]
) -> AsyncGenerator[Telemetry]:
    """Open the telemetry of a run.

    Sending is a matter of threads of OpenTelemetry: what an endpoint does not take is dropped,
    and told once.

    Args:
        run: The run's name.
        content: Whether words of cases are sent; None for what the environment says.
        notify: Is told at the end of what was not sent.

    Raises:
        ConfigurationError: An exporter is not installed, or refused its settings.
    """
    providers = await asyncio.to_thread(Providers.found)
    complaints, log = Complaints(), logging.getLogger("opentelemetry")
    before = log.propagate
    log.addHandler(complaints)
    log.propagate = False  # or its complaints would stand across the progress
    try:
        yield _telemetry(providers, run, Content.of(content))
    finally:
        in_time = await asyncio.to_thread(providers.close)
        if in_time:  # else threads go on to complain
            log.removeHandler(complaints)
            log.propagate = before
        if complaints.count or not in_time:
            why = complaints.first or f"the endpoint took more than {CLOSING_S:g} s"
            notify(f"Note: telemetry was not all sent: {redactor.redact(why)}")


def _telemetry(providers: Providers, run: str, content: Content) -> Telemetry:
    release = version("safejury")
    tracer = providers.tracers.get_tracer(_SCOPE, release)
    logger = providers.loggers.get_logger(_SCOPE, release)
    meter = providers.meters.get_meter(_SCOPE, release)
    cases = CaseSpans(tracer, logger, content, run)
    return Telemetry(cases, Calls(tracer, meter, content, cases.context, cases.asked))
