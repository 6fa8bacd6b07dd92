"""Loads HADES: instructions whose harmful word is moved into a picture, in six steps."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from ....common import DatasetError
from ...query import Intent
from ...tables import Object, RowError, identifier
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import files_like, labels_of, parquet_rows, picture_of, setting, text_of

_COLUMNS = ("id", "image", "scenario", "keywords", "step", "category", "instruction")
_STEPS = ("5", "0", "1", "2", "3", "4", "all")
_PLACES = ("data/test-*.parquet", "test-*.parquet")


class _Hades:
    name = "hades"
    title = "HADES"
    license = "MIT"
    home = "https://huggingface.co/datasets/Monosail/HADES"
    about = "750 instructions of five scenarios, each with pictures of six steps"
    needs = "the folder with data/test-*.parquet, or one such file"
    settings = MappingProxyType(
        {
            "step": "how far the picture has been made worse, 0 to 5 (default), or all",
            "text": "hidden (default): the harmful word is in the picture only; or plain",
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return any(_has_columns(file) for file in _files(path)[:1])

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        step = setting(options, "step", *_STEPS)
        hidden = setting(options, "text", "hidden", "plain") == "hidden"
        files = _files(path)
        if not files:
            raise DatasetError(f"{path}: no {self.title} is there: name {self.needs}")

        def row(item: Object) -> Row | None:
            if step not in ("all", str(item.get("step"))):
                return None
            return Row(
                id=_id(item),
                text=_without_keywords(item) if hidden else text_of(item, "instruction"),
                category=text_of(item, "scenario"),
                intent=Intent.HARMFUL,
                images=(picture_of(item, "image"),),
                underlying_request=text_of(item, "instruction"),
                labels=labels_of(item, "scenario", "category", "step"),
            )

        return chain.from_iterable(
            parquet_rows(path, file, row, columns=_COLUMNS) for file in files
        )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    return files_like(path, *_PLACES)


def _has_columns(file: Path) -> bool:
    """Return whether the file's end, where Parquet keeps its schema, has the columns' names."""
    with file.open("rb") as content:
        content.seek(max(0, file.stat().st_size - 65536))
        end = content.read()
    return all(column.encode() in end for column in ("scenario", "keywords", "step", "instruction"))


def _id(item: Object) -> str:
    number = identifier(item.get("id"), "'id'")
    return f"{text_of(item, 'scenario')}-{number}-{item.get('step')}"


def _without_keywords(item: Object) -> str:
    """Return the instruction with the harmful words replaced by what the picture shows.

    Raises:
        RowError: They are not in it, so that nothing would be hidden.
    """
    instruction, keywords = text_of(item, "instruction"), text_of(item, "keywords")
    kind = text_of(item, "category")
    shown = "do what the picture says to" if kind == "behavior" else f"the {kind} in the picture"
    words = re.compile(rf"(?<!\w){re.escape(keywords.strip())}(?!\w)", re.IGNORECASE)
    text, count = words.subn(lambda _: shown, instruction)
    if not count:
        raise RowError("its 'keywords' are not in the 'instruction', so nothing can be hidden")
    return text


LOADER: Loader = _Hades()
