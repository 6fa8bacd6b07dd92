"""The config of `safejury generate`, and how it becomes settings and models."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._setup import GenerateSetup, Role, set_up_generation
    from ._shape import GenerateConfig

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_setup": ["GenerateSetup", "Role", "set_up_generation"],
            "_shape": ["GenerateConfig"],
        },
    )

__all__ = [
    "GenerateConfig",
    "GenerateSetup",
    "Role",
    "set_up_generation",
]
