"""Fewer calls: the joint model of a jury's votes, and what stopping early saves."""

from ._joint import fit_joint
from ._stopped import BOUND, StoppedEarly, stop_early

__all__ = ["BOUND", "StoppedEarly", "fit_joint", "stop_early"]
