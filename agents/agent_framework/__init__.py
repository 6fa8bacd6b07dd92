"""Agents of the Microsoft Agent Framework as targets and jurors, and a jury as its evaluator."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._adapters import FrameworkModel, JuryEvaluator, framework_target

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__, {"_adapters": ["FrameworkModel", "JuryEvaluator", "framework_target"]}
    )

__all__ = [
    "FrameworkModel",
    "JuryEvaluator",
    "framework_target",
]
