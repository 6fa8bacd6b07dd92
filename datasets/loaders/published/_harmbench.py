"""Loads HarmBench: behaviors as text, with a context, or about a picture."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from ...query import Intent
from ...tables import RowError
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import (
    ENCODING,
    Cells,
    csv_rows,
    file_in,
    has_columns,
    labels_of,
    needed_part,
    picture_in,
    text_of,
)

_COLUMNS = ("Behavior", "SemanticCategory", "BehaviorID")
_FILES = {
    part: (f"data/behavior_datasets/{name}", f"behavior_datasets/{name}", name)
    for part, name in (
        ("text", "harmbench_behaviors_text_all.csv"),
        ("val", "harmbench_behaviors_text_val.csv"),
        ("test", "harmbench_behaviors_text_test.csv"),
        ("multimodal", "harmbench_behaviors_multimodal_all.csv"),
    )
}
_PICTURES = ("data/multimodal_behavior_images", "multimodal_behavior_images")


class _HarmBench:
    name = "harmbench"
    title = "HarmBench"
    license = "MIT"
    home = "https://github.com/centerforaisafety/HarmBench"
    about = "400 behaviors as text, some with a context, and 110 about a picture"
    needs = "the repository's folder or its data/; the CSV itself for behaviors as text"
    settings = MappingProxyType(
        {
            "split": "text, val or test (parts of text), or multimodal; the first that is there",
            "encoding": ENCODING,
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *chain(*_FILES.values())), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        _, file = needed_part(path, self.title, options, _FILES)
        folder = path if path.is_dir() else path.parent
        pictures = next((folder / place for place in _PICTURES if (folder / place).is_dir()), None)

        def row(cells: Cells, _: int) -> Row:
            name = text_of(cells, "BehaviorID")
            return Row(
                id=name,
                text=_text(cells),
                category=f"{cells['SemanticCategory']}/{name}",
                intent=Intent.HARMFUL,
                images=_images(cells, pictures or folder / _PICTURES[0]),
                underlying_request=_with_picture_described(cells),
                labels=labels_of(
                    cells,
                    category="SemanticCategory",
                    functional="FunctionalCategory",
                    tags="Tags",
                ),
            )

        return csv_rows(path, file, row, columns=_COLUMNS, options=options)


def _text(cells: Cells) -> str:
    behavior, context = text_of(cells, "Behavior"), cells.get("ContextString", "")
    return f"{context}\n\n---\n\n{behavior}" if context.strip() else behavior


def _with_picture_described(cells: Cells) -> str | None:
    """Return the behavior with the picture's description, as HarmBench's judge reads it."""
    names = ("RedactedImageDescription", "ImageDescription")
    shown = next((text for name in names if (text := cells.get(name, "").strip())), None)
    return None if shown is None else f"{_text(cells)}\n\nThe picture shows: {shown}"


def _images(cells: Cells, folder: Path) -> tuple[Path, ...]:
    name = cells.get("ImageFileName", "")
    if not name.strip():
        if "multimodal" in cells.get("Tags", ""):
            raise RowError("'ImageFileName' is empty")
        return ()
    # The table says .jpg of some pictures, but all of them are stored as .png.
    return (picture_in(folder, name, str(PurePosixPath(name).with_suffix(".png"))),)


LOADER: Loader = _HarmBench()
