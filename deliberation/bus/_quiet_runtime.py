"""AutoGen's runtime without the spans and log payloads that nobody reads.

For each message the stock runtime opens up to three spans, describes the message
for them, and makes up to three events for its log before it asks whether anybody
listens. That costs more than half of what a message costs. `QuietRuntime` leaves
the spans out, makes an event when it is read, and changes nothing else.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType
from typing import Any

from autogen_core import SingleThreadedAgentRuntime
from autogen_core.logging import MessageEvent

_SWITCH = "AUTOGEN_DISABLE_RUNTIME_TRACING"


class _NoSpans:
    """Stands in for the runtime's tracing."""

    def trace_block(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return _NOTHING


_NOTHING = nullcontext()


class _LazyEvent:
    """An event of the log that is made when a handler reads it."""

    __slots__ = ("_fields",)

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def __str__(self) -> str:
        return str(MessageEvent(**self._fields))


def _no_metadata() -> None:
    """Say nothing of the span that a message belongs to: there is none."""


_METHODS = (
    "send_message",
    "publish_message",
    "_process_send",
    "_process_publish",
    "_process_response",
)
_NAMES = {"MessageEvent": _LazyEvent, "get_telemetry_envelope_metadata": _no_metadata}


def _quieted(name: str) -> FunctionType:
    """Return a stock method that makes log events lazily, and describes no spans."""
    stock: FunctionType = getattr(SingleThreadedAgentRuntime, name)
    method = FunctionType(
        stock.__code__,
        {**stock.__globals__, **_NAMES},
        stock.__name__,
        stock.__defaults__,
        stock.__closure__,
    )
    method.__kwdefaults__ = stock.__kwdefaults__
    return method


class QuietRuntime(SingleThreadedAgentRuntime):
    """The stock runtime, silent.

    It replaces names that are not public. Should a later release of AutoGen
    rename them, the stock ones come back: slower, and right as ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tracer_helper = _NoSpans()  # pyright: ignore[reportIncompatibleUnannotatedOverride, reportAttributeAccessIssue]

    def _try_serialize(self, message: Any) -> str:
        return ""

    async def _create_otel_attributes(self, *_: object, **__: object) -> Mapping[str, str]:
        return {}


for _name in _METHODS:
    if hasattr(SingleThreadedAgentRuntime, _name):
        setattr(QuietRuntime, _name, _quieted(_name))


def wants_tracing() -> bool:
    """Whether the environment asks for AutoGen's tracing."""
    return os.environ.get(_SWITCH, "true") != "true"
