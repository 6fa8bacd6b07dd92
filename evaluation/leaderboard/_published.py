"""The table that the SafeBench paper published, to be set beside figures of one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

import msgspec

_FILE = Path(__file__).with_name("published.json")
_ROUNDING = 0.15
"""Points by which a printed average may differ from that of the printed categories."""
ANOTHER_JUDGE = (
    "The paper's figures are another judge's: another jury, other responses of the targets, and "
    "perhaps other queries. A difference is not an error of either; never average them, and never "
    "rank targets of one among those of the other."
)
"""What a reader must know before the two are set beside each other."""


class _Model(msgspec.Struct):
    group: str
    cells: tuple[tuple[float, float], ...]
    printed: tuple[float, float]


class _Table(msgspec.Struct):
    source: str
    queries: dict[str, int]
    models: dict[str, _Model]


@dataclass(frozen=True, slots=True)
class PublishedRates:
    """What the paper printed for a target, or for one category of it.

    Attributes:
        asr: Attack success rate in [0, 1].
        sri: Safety risk index.
        n: Queries.
    """

    asr: float
    sri: float
    n: int


@dataclass(frozen=True, slots=True)
class PublishedTarget:
    """A row of the published table.

    Attributes:
        name: The target, as the paper calls it.
        average: The printed averages, over the categories.
        categories: The same by category.
        notes: What does not add up in the print, a sentence each.
    """

    name: str
    average: PublishedRates
    categories: Mapping[str, PublishedRates]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """The paper's table.

    Attributes:
        source: Where it stands.
        targets: Its rows, by the name of the target.
    """

    source: str
    targets: Mapping[str, PublishedTarget]


@cache
def published_table() -> PublishedTable:
    """Return the table of the SafeBench paper (arXiv 2410.18927)."""
    table = msgspec.json.decode(_FILE.read_bytes(), type=_Table)
    return PublishedTable(
        table.source,
        {name: _target(name, model, table.queries) for name, model in table.models.items()},
    )


def _target(name: str, model: _Model, queries: Mapping[str, int]) -> PublishedTarget:
    asr, sri = model.printed
    notes: list[str] = []
    for what, printed, unit, at in (("ASR", asr, " %", 0), ("SRI", sri, "", 1)):
        mean = fmean(cell[at] for cell in model.cells)
        if abs(mean - printed) > _ROUNDING:
            notes.append(
                f"{name}: the paper prints an average {what} of {printed}{unit}, and its "
                f"categories give {mean:.1f}{unit}."
            )
    return PublishedTarget(
        name,
        PublishedRates(asr / 100, sri, sum(queries.values())),
        {
            category: PublishedRates(cell[0] / 100, cell[1], n)
            for (category, n), cell in zip(queries.items(), model.cells, strict=True)
        },
        tuple(notes),
    )
