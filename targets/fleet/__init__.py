"""Runs the vLLM servers of a run: plans them for the machine's GPUs and restarts them."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._devices import Devices, Gpu, find_devices
    from ._fleet import Fleet, serve
    from ._model import ManagedModel
    from ._plan import Placement, Plan, ServerUse, plan
    from ._plan_words import render_plan
    from ._uptime import Meter

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_devices": ["Devices", "Gpu", "find_devices"],
            "_fleet": ["Fleet", "serve"],
            "_model": ["ManagedModel"],
            "_plan": ["Placement", "Plan", "ServerUse", "plan"],
            "_plan_words": ["render_plan"],
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
    "ServerUse",
    "find_devices",
    "plan",
    "render_plan",
    "serve",
]
