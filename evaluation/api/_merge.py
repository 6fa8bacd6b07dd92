"""Runs of one jury as one, from Python."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ..record import merge_runs
from ._result import Result


def merge(
    runs: Iterable[str | Path], *, into: str | Path, prefer: Literal["first"] | None = None
) -> Result:
    """Join runs of one jury and protocol into one, such as those of several machines.

    The runs themselves stay as they are. What is merged already is not merged again, and a call
    that was stopped is repeated.

    Args:
        runs: The directories of the runs.
        into: The directory of the merged run: a new one, or a run, which then comes first.
        prefer: `first` takes a case that two runs have judged otherwise of the first of them.

    Returns:
        The merged run.

    Raises:
        ConfigurationError: A run is named twice, or `into` holds something else.
        RecordChangedError: A case is not as it was recorded.
        RecordError: A run cannot be read or written, the runs have different juries, one id means
            two queries, or two runs have judged a case otherwise.
    """
    merge_runs([Path(run) for run in runs], Path(into), prefer_first=prefer == "first")
    return Result(into)
