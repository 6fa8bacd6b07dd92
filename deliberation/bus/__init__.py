"""The bus: AutoGen's runtime, requests and answers. With `agents.autogen`, all that imports it."""

from ._agent import Address, Handler, Line
from ._jury_bus import PROGRESS, SEAT, TRANSCRIPT, JuryBus
from ._quiet_runtime import QuietRuntime, new_runtime
from ._request_bus import RequestBus

__all__ = [
    "PROGRESS",
    "SEAT",
    "TRANSCRIPT",
    "Address",
    "Handler",
    "JuryBus",
    "Line",
    "QuietRuntime",
    "RequestBus",
    "new_runtime",
]
