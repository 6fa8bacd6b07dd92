"""Commands that help: `init`, `demo`, `doctor`, `probe` and lists."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._demo import demo
    from ._doctor import doctor
    from ._init import init
    from ._known_holes import FLOORS
    from ._lists import personas, scenarios
    from ._probe import probe
    from ._scripted_demo import deliberate_scripted

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_demo": ["demo"],
            "_doctor": ["doctor"],
            "_init": ["init"],
            "_known_holes": ["FLOORS"],
            "_lists": ["personas", "scenarios"],
            "_probe": ["probe"],
            "_scripted_demo": ["deliberate_scripted"],
        },
    )

__all__ = [
    "FLOORS",
    "deliberate_scripted",
    "demo",
    "doctor",
    "init",
    "personas",
    "probe",
    "scenarios",
]
