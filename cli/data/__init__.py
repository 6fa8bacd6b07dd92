"""Commands about datasets: `datasets` and `generate`."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._datasets import datasets_app
    from ._generate import generate
    from ._generate_progress import GenerateProgress

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_datasets": ["datasets_app"],
            "_generate": ["generate"],
            "_generate_progress": ["GenerateProgress"],
        },
    )

__all__ = [
    "GenerateProgress",
    "datasets_app",
    "generate",
]
