"""What becomes of a run's record where its config adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grown:
    """What is stored of a run when it is opened again.

    Attributes:
        identity: All settings that determine its results, those of kept cases included.
        meta: The other facts, likewise.
        unasked: Finished cases that its config asks no more: they stay.
        left: Targets with cases that the config names no more.
        stale: Cases whose kept responses, which no jury has judged, are to other questions now.
    """

    identity: Mapping[str, object]
    meta: Mapping[str, str]
    unasked: int = 0
    left: Sequence[str] = ()
    stale: Sequence[str] = ()
