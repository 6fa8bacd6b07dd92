"""Who is examined: targets and their responses."""

from typing import TYPE_CHECKING

from ..datasets._lazy import lazy
from ._join import JoinBy
from ._model_target import ModelTarget
from ._recorded import OTHER_WORDS_NOTE, RecordedTarget
from ._recorded_file import RecordedFile
from ._response import Response, ResponseOutcome, Target
from ._turns import WITHHELD_NOTES

if TYPE_CHECKING:
    from ._devices import Devices, Gpu, find_devices
    from ._fleet import Fleet, serve
    from ._fleet_model import ManagedModel
    from ._plan import Placement, Plan, ServerUse, plan
    from ._plan_words import render_plan
    from ._recorded_questions import RecordedQuestions
    from ._uptime import Meter
    from ._vllm_causes import explain_log
    from ._vllm_installed import installed_vllm
    from ._vllm_model import model_identity
    from ._vllm_server import ManagedServer
    from ._vllm_spec import VllmSpec

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "Devices": "_devices",
            "Fleet": "_fleet",
            "Gpu": "_devices",
            "ManagedModel": "_fleet_model",
            "ManagedServer": "_vllm_server",
            "Meter": "_uptime",
            "Placement": "_plan",
            "Plan": "_plan",
            "RecordedQuestions": "_recorded_questions",
            "ServerUse": "_plan",
            "VllmSpec": "_vllm_spec",
            "explain_log": "_vllm_causes",
            "find_devices": "_devices",
            "installed_vllm": "_vllm_installed",
            "model_identity": "_vllm_model",
            "plan": "_plan",
            "render_plan": "_plan_words",
            "serve": "_fleet",
        },
    )

__all__ = [
    "OTHER_WORDS_NOTE",
    "WITHHELD_NOTES",
    "Devices",
    "Fleet",
    "Gpu",
    "JoinBy",
    "ManagedModel",
    "ManagedServer",
    "Meter",
    "ModelTarget",
    "Placement",
    "Plan",
    "RecordedFile",
    "RecordedQuestions",
    "RecordedTarget",
    "Response",
    "ResponseOutcome",
    "ServerUse",
    "Target",
    "VllmSpec",
    "explain_log",
    "find_devices",
    "installed_vllm",
    "model_identity",
    "plan",
    "render_plan",
    "serve",
]
