"""Loads StrongREJECT: forbidden prompts of six categories."""

from collections.abc import Iterator
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
    part_of,
    text_of,
)

_FILES = {"full": "strongreject_dataset.csv", "small": "strongreject_small_dataset.csv"}
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
        files = [place for name in _FILES.values() for place in _places(name)]
        return has_columns(file_in(path, *files), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        files = {part: _places(name) for part, name in _FILES.items()}
        part = part_of(path, options, "split", files)
        file = needed_file(path, self.title, *files[part])

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


def _places(name: str) -> tuple[str, str]:
    return f"strongreject_dataset/{name}", name


LOADER: Loader = _StrongReject()
