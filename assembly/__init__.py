"""From a checked config to models, servers and a jury."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from .config import Config, load_config

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "config": ["Config", "load_config"],
        },
    )

__all__ = [
    "Config",
    "load_config",
]
