"""AutoGen's runtime without the spans and log payloads that nobody reads.

For each message the stock runtime opens up to three spans, describes the message
for them, and turns it into text for its event log before it asks whether anybody
listens. That costs more than half of what a message costs. `QuietRuntime` leaves
it out and changes nothing else.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autogen_core import SingleThreadedAgentRuntime

_SWITCH = "AUTOGEN_DISABLE_RUNTIME_TRACING"


class _NoSpans:
    """Stands in for the runtime's tracing."""

    def trace_block(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return _NOTHING


_NOTHING = nullcontext()


class QuietRuntime(SingleThreadedAgentRuntime):
    """The stock runtime, silent.

    It replaces three names that are not public. Should a later release of AutoGen
    rename them, the stock ones come back: slower, and right as ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tracer_helper = _NoSpans()  # pyright: ignore[reportIncompatibleUnannotatedOverride, reportAttributeAccessIssue]

    def _try_serialize(self, message: Any) -> str:
        return ""

    async def _create_otel_attributes(self, *_: object, **__: object) -> Mapping[str, str]:
        return {}


def new_runtime() -> SingleThreadedAgentRuntime:
    """Return a runtime: a quiet one, unless the environment asks for tracing.

    `AUTOGEN_DISABLE_RUNTIME_TRACING=false` asks for it.
    """
    if os.environ.get(_SWITCH, "true") != "true":
        return SingleThreadedAgentRuntime()
    return QuietRuntime()
