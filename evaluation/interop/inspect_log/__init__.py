"""Writes a run as logs of Inspect, one for each target and condition."""

from typing import TYPE_CHECKING

from ....common import lazy

if TYPE_CHECKING:
    from ._export import WrittenLog, export_inspect
    from ._scores import ballot_data
    from ._words import Words

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_export": ["WrittenLog", "export_inspect"],
            "_scores": ["ballot_data"],
            "_words": ["Words"],
        },
    )

__all__ = [
    "Words",
    "WrittenLog",
    "ballot_data",
    "export_inspect",
]
