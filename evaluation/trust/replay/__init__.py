"""Decides a finished run again on other terms: another rule, fewer jurors, an earlier stop."""

from ._replay import UNKNOWN, Asked, ChangedFinding, Replay, ReplayedTarget, replay_run
from ._terms import Changes
from ._written import SHOWN, ReplayForm, written_replay

__all__ = [
    "SHOWN",
    "UNKNOWN",
    "Asked",
    "ChangedFinding",
    "Changes",
    "Replay",
    "ReplayForm",
    "ReplayedTarget",
    "replay_run",
    "written_replay",
]
