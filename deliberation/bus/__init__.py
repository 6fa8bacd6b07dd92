"""The bus: AutoGen's runtime, requests and answers."""

from ._agent import BusAgent
from ._quiet_runtime import QuietRuntime, new_runtime
from ._request_bus import RequestBus

__all__ = [
    "BusAgent",
    "QuietRuntime",
    "RequestBus",
    "new_runtime",
]
