"""Targets, the models under test: endpoints, managed servers and recorded responses."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from ._function_identity import function_identity
    from ._function_target import FunctionTarget, TargetFunction, takes_text
    from ._model_target import ModelTarget
    from ._plain_detail import WITHHELD, plain_detail
    from ._response import Response, ResponseOutcome, Target
    from ._target_spec import ModelTargetSpec
    from ._turns import WITHHELD_NOTES
    from .fleet import (
        Devices,
        Fleet,
        Gpu,
        ManagedModel,
        Meter,
        Placement,
        Plan,
        ServedModel,
        Server,
        ServerAddress,
        ServerMaker,
        ServerUse,
        find_devices,
        plan,
        render_plan,
        serve,
    )
    from .recorded import OTHER_WORDS_NOTE, JoinBy, RecordedFile, RecordedQuestions, RecordedTarget
    from .vllm import ManagedServer, VllmSpec, explain_log, installed_vllm, model_identity

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_function_identity": ["function_identity"],
            "_function_target": ["FunctionTarget", "TargetFunction", "takes_text"],
            "_model_target": ["ModelTarget"],
            "_plain_detail": ["WITHHELD", "plain_detail"],
            "_target_spec": ["ModelTargetSpec"],
            "_response": ["Response", "ResponseOutcome", "Target"],
            "_turns": ["WITHHELD_NOTES"],
            "fleet": [
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
            ],
            "recorded": [
                "OTHER_WORDS_NOTE",
                "JoinBy",
                "RecordedFile",
                "RecordedQuestions",
                "RecordedTarget",
            ],
            "vllm": [
                "ManagedServer",
                "VllmSpec",
                "explain_log",
                "installed_vllm",
                "model_identity",
            ],
        },
    )

__all__ = [
    "OTHER_WORDS_NOTE",
    "WITHHELD",
    "WITHHELD_NOTES",
    "Devices",
    "Fleet",
    "FunctionTarget",
    "Gpu",
    "JoinBy",
    "ManagedModel",
    "ManagedServer",
    "Meter",
    "ModelTarget",
    "ModelTargetSpec",
    "Placement",
    "Plan",
    "RecordedFile",
    "RecordedQuestions",
    "RecordedTarget",
    "Response",
    "ResponseOutcome",
    "ServedModel",
    "Server",
    "ServerAddress",
    "ServerMaker",
    "ServerUse",
    "Target",
    "TargetFunction",
    "VllmSpec",
    "explain_log",
    "find_devices",
    "function_identity",
    "installed_vllm",
    "model_identity",
    "plain_detail",
    "plan",
    "render_plan",
    "serve",
    "takes_text",
]
