"""Loads JailBreakV-28K: jailbreak texts and pictures for sixteen policies."""

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
    setting,
    text_of,
)

_FILES = {
    "full": ("JailBreakV_28K.csv", "JailBreakV_28K/JailBreakV_28K.csv"),
    "mini": ("mini_JailBreakV_28K.csv", "JailBreakV_28K/mini_JailBreakV_28K.csv"),
}
_TEXTS = {"jailbreak": "jailbreak_query", "redteam": "redteam_query"}
_COLUMNS = ("id", "jailbreak_query", "redteam_query", "policy", "image_path")


class _JailBreakV:
    name = "jailbreakv-28k"
    title = "JailBreakV-28K"
    license = "MIT"
    home = "https://huggingface.co/datasets/JailbreakV-28K/JailBreakV-28k"
    about = "28,000 jailbreak texts with pictures, or 280 of them, for 16 policies"
    needs = "the folder with JailBreakV_28K.csv and its pictures, or the CSV"
    settings = MappingProxyType(
        {
            "split": "full (default), or mini: the default where that alone is there",
            "text": "jailbreak (default), or redteam: the request that it wraps",
            "encoding": ENCODING,
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *chain(*_FILES.values())), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        text = _TEXTS[setting(options, "text", *_TEXTS)]
        _, file = needed_part(path, self.title, options, _FILES)

        def row(cells: Cells, _: int) -> Row:
            return Row(
                id=text_of(cells, "id"),
                text=text_of(cells, text),
                category=cells["policy"],
                intent=Intent.HARMFUL,
                images=(file.parent / text_of(cells, "image_path"),),
                underlying_request=cells["redteam_query"],
                labels=labels_of(
                    cells, "policy", "format", source="from", transfer="transfer_from_llm"
                ),
            )

        return csv_rows(path, file, row, columns=_COLUMNS, options=options)


LOADER: Loader = _JailBreakV()
