"""Runs as a whole: lists them, and gives back the room that they take."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._files import RunFiles, is_run, run_files
    from ._list import ListedRun, RunState, list_runs
    from ._prune import Piece, PieceKind, Prunable, look_at, prune

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_files": ["RunFiles", "is_run", "run_files"],
            "_list": ["ListedRun", "RunState", "list_runs"],
            "_prune": ["Piece", "PieceKind", "Prunable", "look_at", "prune"],
        },
    )

__all__ = [
    "ListedRun",
    "Piece",
    "PieceKind",
    "Prunable",
    "RunFiles",
    "RunState",
    "is_run",
    "list_runs",
    "look_at",
    "prune",
    "run_files",
]
