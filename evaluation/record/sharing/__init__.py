"""Makes shareable copies of runs: all figures, and no words and media."""

from ._share import SharedRun, share_run

__all__ = ["SharedRun", "share_run"]
