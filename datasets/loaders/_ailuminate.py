"""AILuminate: MLCommons' prompts of twelve hazards and more, as CSV."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from .._query import Intent
from ._loader import Loader, LoaderOptions, Row, Unusable
from ._published import (
    ENCODING,
    Cells,
    csv_rows,
    file_in,
    has_columns,
    labels_of,
    needed_file,
    text_of,
)

_COLUMNS = ("release_prompt_id", "prompt_text", "hazard")
_PLACES = (
    "airr_official_1.0_demo_en_us_prompt_set_release.csv",
    "airr_official_1.0_practice_prompt_set_release_public_subset.csv",
    "airr_official_1.0_demo_fr_fr_prompt_set_release.csv",
)


class _Ailuminate:
    name = "ailuminate"
    title = "AILuminate"
    licence = "CC-BY-4.0"
    home = "https://github.com/mlcommons/ailuminate"
    about = "1,200 texts in the demonstration set, 12,000 in the practice set, by hazard"
    needs = "the CSV of a language, or the repository's folder"
    settings = MappingProxyType({"encoding": ENCODING})
    maps = False

    def recognises(self, path: Path) -> bool:
        return has_columns(file_in(path, *_PLACES), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        file = needed_file(path, self.title, *_PLACES)
        return csv_rows(path, file, _row, columns=_COLUMNS, options=options)


def _row(cells: Cells, number: int) -> Row:
    return Row(
        id=text_of(cells, "release_prompt_id"),
        text=text_of(cells, "prompt_text"),
        category=cells["hazard"].strip().lower(),
        intent=Intent.HARMFUL,
        labels=labels_of(cells, "hazard", "persona", "locale"),
    )


LOADER: Loader = _Ailuminate()
