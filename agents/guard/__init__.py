"""Guards on the jury: safety classifiers with a reply of their own, each kind a table of data."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._dialect import (
        Controversial,
        GuardDialect,
        bundled_guards,
        guard_identity,
        load_guard,
    )
    from ._guard import Guard
    from ._reading import read_guard

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_dialect": [
                "Controversial",
                "GuardDialect",
                "bundled_guards",
                "guard_identity",
                "load_guard",
            ],
            "_guard": ["Guard"],
            "_reading": ["read_guard"],
        },
    )

__all__ = [
    "Controversial",
    "Guard",
    "GuardDialect",
    "bundled_guards",
    "guard_identity",
    "load_guard",
    "read_guard",
]
