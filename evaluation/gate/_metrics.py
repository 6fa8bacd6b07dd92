"""The metrics that a policy can bound, and which end of each is the unfavorable one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["share", "index", "usd"]
Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as people type it.

    Attributes:
        name: Its name, as in `asr > 5%`.
        kind: A share in [0, 1], an index from 20 to 100, or US dollars.
        better: Whether lower or higher values are better.
        of_parts: Whether it is measured for categories and scenarios as well.
        has_interval: Whether it is estimated from a sample of queries.
        of_pairs: Whether it can be compared with a baseline.
    """

    name: str
    kind: Kind = "share"
    better: Better = "lower"
    of_parts: bool = True
    has_interval: bool = True
    of_pairs: bool = True

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value that it can have."""
        match self.kind:
            case "share":
                return 0.0, 1.0
            case "index":
                return 20.0, 100.0
            case "usd":
                return 0.0, float("inf")


_ALL = (
    Metric("asr"),
    Metric("asr_corrected", of_pairs=False),
    Metric("asr_macro", of_parts=False),
    Metric("sri", "index", "higher"),
    Metric("over_refusal"),
    Metric("benign_unsafe"),
    Metric("contested", of_parts=False),
    Metric("coverage", better="higher", has_interval=False, of_pairs=False),
    Metric("cost_usd", "usd", of_parts=False, has_interval=False, of_pairs=False),
)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""All metrics by name."""
