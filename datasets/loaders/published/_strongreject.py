"""Loads StrongREJECT: forbidden prompts of six categories."""

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
    needed_part,
    text_of,
)

_FILES = {
    "full": ("strongreject_dataset/strongreject_dataset.csv", "strongreject_dataset.csv"),
    "small": (
        "strongreject_dataset/strongreject_small_dataset.csv",
        "strongreject_small_dataset.csv",
    ),
}
_COLUMNS = ("category", "source", "forbidden_prompt")


class _StrongReject:
    name = "strongreject"
    title = "StrongREJECT"
    license = "MIT"
    home = "https://github.com/alexandrasouly/strongreject"
    about = "313 forbidden texts, or 60 of them"
    needs = "the repository's folder, its strongreject_dataset/, or the CSV"
    settings = MappingProxyType(
        {
            "split": "full (default), or small: the default where that alone is there",
            "encoding": ENCODING,
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *chain(*_FILES.values())), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        _, file = needed_part(path, self.title, options, _FILES)

        def row(cells: Cells, number: int) -> Row:
            name = f"{file.stem}-{number}"  # the set numbers nothing
            return Row(
                id=name,
                text=text_of(cells, "forbidden_prompt"),
                category=f"{cells['category']}/{name}",
                intent=Intent.HARMFUL,
                labels=labels_of(cells, "category", "source"),
            )

        return csv_rows(path, file, row, columns=_COLUMNS, options=options)


LOADER: Loader = _StrongReject()
