"""Loads JailbreakBench: harmful behaviors, each with a benign one of the same theme."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from ...query import Intent
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import (
    ENCODING,
    Cells,
    csv_rows,
    file_in,
    has_columns,
    labels_of,
    needed_file,
    setting,
    text_of,
)

_COLUMNS = ("Goal", "Behavior", "Category")
_FILES = {
    Intent.HARMFUL: ("data/harmful-behaviors.csv", "harmful-behaviors.csv"),
    Intent.BENIGN: ("data/benign-behaviors.csv", "benign-behaviors.csv"),
}


class _JailbreakBench:
    name = "jailbreakbench"
    title = "JailbreakBench behaviors"
    license = "MIT"
    home = "https://huggingface.co/datasets/JailbreakBench/JBB-Behaviors"
    about = "100 harmful texts and 100 benign ones on the same themes"
    needs = "the folder with data/harmful-behaviors.csv and benign-behaviors.csv, or one of them"
    settings = MappingProxyType(
        {"split": "both (default), harmful or benign", "encoding": ENCODING}
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return any(has_columns(file_in(path, *places), *_COLUMNS) for places in _FILES.values())

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        split = setting(options, "split", "both", *_FILES)
        if path.is_file():
            benign = path.name.startswith("benign") if split == "both" else split == Intent.BENIGN
            return self._half(path, Intent.BENIGN if benign else Intent.HARMFUL, options)
        halves = [each for each in _FILES if split in ("both", each)]
        return chain.from_iterable(self._half(path, half, options) for half in halves)

    def _half(self, path: Path, intent: Intent, options: LoaderOptions) -> Iterator[Row | Unusable]:
        file = needed_file(path, self.title, *_FILES[intent])

        def row(cells: Cells, number: int) -> Row:
            return Row(
                id=f"{intent}-{cells.get('Index') or number}",
                text=text_of(cells, "Goal"),
                category=f"{cells['Category']}/{cells['Behavior']}",
                intent=intent,
                labels=labels_of(cells, category="Category", behavior="Behavior", source="Source"),
            )

        return csv_rows(path, file, row, columns=_COLUMNS, options=options)


LOADER: Loader = _JailbreakBench()
