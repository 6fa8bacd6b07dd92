"""Commands about datasets: `datasets` and `generate`."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._datasets_cli import datasets_app
    from ._generate_progress import GenerateProgress
    from ._generate_start import start_generating

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_datasets_cli": ["datasets_app"],
            "_generate_progress": ["GenerateProgress"],
            "_generate_start": ["start_generating"],
        },
    )

__all__ = [
    "GenerateProgress",
    "datasets_app",
    "start_generating",
]
