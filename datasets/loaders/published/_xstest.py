"""Loads XSTest: harmless prompts that look risky, and unsafe contrasts."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ...query import Intent
from ...tables import RowError, describe
from ..base import Loader, LoaderOptions, Row, Unusable
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

_PLACES = ("xstest_prompts.csv", "xstest_v2_prompts.csv")


class _XsTest:
    name = "xstest"
    title = "XSTest"
    license = "CC-BY-4.0"
    home = "https://github.com/paul-rottger/xstest"
    about = "450 texts: 250 harmless ones that look risky, 200 contrasts that are unsafe"
    needs = "the folder with xstest_prompts.csv, or that file"
    settings = MappingProxyType({"encoding": ENCODING})
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *_PLACES), "prompt", "type", "focus", "note")

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        file = needed_file(path, self.title, *_PLACES)
        return csv_rows(path, file, _row, columns=("prompt", "type"), options=options)


def _row(cells: Cells, number: int) -> Row:
    kind = text_of(cells, "type")
    return Row(
        id=cells.get("id") or cells.get("id_v2") or str(number),
        text=text_of(cells, "prompt"),
        category=kind,
        intent=intent_of(kind, cells.get("label", "")),
        labels=labels_of(cells, "type", "focus", "note"),
    )


def intent_of(kind: str, label: str) -> Intent:
    """Return the intent of a prompt: by its label, else by its type.

    Args:
        kind: The prompt's `type`.
        label: Its `label`, empty in the first releases and beside responses.

    Raises:
        RowError: It has a label, but one that is not known.
    """
    label = label.strip().casefold()
    if label not in ("", "safe", "unsafe"):
        raise RowError(f"'label' must be safe or unsafe, not {describe(label)}")
    unsafe = label == "unsafe" if label else kind.startswith("contrast_")
    return Intent.HARMFUL if unsafe else Intent.BENIGN


LOADER: Loader = _XsTest()
