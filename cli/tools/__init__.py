"""Commands that help: `doctor`, `probe`, `demo` and lists."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._demo import show_demo
    from ._known_holes import FLOORS
    from ._lists import examine, list_personas, list_scenarios
    from ._probe import show_probe

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_demo": ["show_demo"],
            "_known_holes": ["FLOORS"],
            "_lists": ["examine", "list_personas", "list_scenarios"],
            "_probe": ["show_probe"],
        },
    )

__all__ = [
    "FLOORS",
    "examine",
    "list_personas",
    "list_scenarios",
    "show_demo",
    "show_probe",
]
