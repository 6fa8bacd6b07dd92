"""Joins the records of runs of one jury into one."""

from ._merge import Merged, MergedRun, merge_runs

__all__ = ["Merged", "MergedRun", "merge_runs"]
