"""The command line: `safejury`."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from ._app import app, main

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_app": ["app", "main"],
        },
    )

__all__ = [
    "app",
    "main",
]
