"""Runs the vLLM servers of a run: plans them for the machine's GPUs and restarts them."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._address import ServerAddress
    from ._devices import Devices, Gpu, find_devices
    from ._fleet import Fleet, serve
    from ._model import ManagedModel, ServedModel
    from ._plan import Placement, Plan, ServerUse, plan
    from ._plan_words import render_plan
    from ._server import Server, ServerMaker
    from ._uptime import Meter

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_address": ["ServerAddress"],
            "_devices": ["Devices", "Gpu", "find_devices"],
            "_fleet": ["Fleet", "serve"],
            "_model": ["ManagedModel", "ServedModel"],
            "_plan": ["Placement", "Plan", "ServerUse", "plan"],
            "_plan_words": ["render_plan"],
            "_server": ["Server", "ServerMaker"],
            "_uptime": ["Meter"],
        },
    )

__all__ = [
    "Devices",
    "Fleet",
    "Gpu",
    "ManagedModel",
    "Meter",
    "Placement",
    "Plan",
    "ServedModel",
    "Server",
    "ServerAddress",
    "ServerMaker",
    "ServerUse",
    "find_devices",
    "plan",
    "render_plan",
    "serve",
]
