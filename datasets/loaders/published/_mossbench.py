"""Loads MOSSBench: harmless questions whose picture provokes refusals."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ...query import Intent
from ...tables import Object, RowError, as_object, as_text, identifier, value_at
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import file_in, json_rows, labels_of, needed_file, text_of

_NAME = "information.json"
_FOLDERS = ("data/images_information", "images_information", "")
_PLACES = tuple(f"{folder}/{_NAME}".lstrip("/") for folder in _FOLDERS)


class _MossBench:
    name = "mossbench"
    title = "MOSSBench"
    license = "CC-BY-SA-4.0, and not for training"
    home = "https://github.com/xirui-li/MOSSBench"
    about = "300 harmless questions with pictures, of three kinds that tempt a model to refuse"
    needs = "the repository's folder, or its data/ with images_information/ and images/"
    settings = MappingProxyType[str, str]({})
    maps = False

    def recognizes(self, path: Path) -> bool:
        file = file_in(path, *_PLACES)
        return file is not None and file.name == _NAME

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        file = needed_file(path, self.title, *_PLACES)
        beside = file.parent.name != "images_information"
        folder = file.parent if beside else file.parent.parent

        def row(item: Object, key: str) -> Row:
            kind = as_text(value_at(item, "metadata.over"))
            if kind is None:
                raise RowError("'metadata.over' must be a text")
            return Row(
                id=identifier(item.get("pid", key), "'pid'"),
                text=text_of(item, "question"),
                category=kind,
                intent=Intent.BENIGN,
                images=(folder / text_of(item, "image"),),
                labels={
                    "type": kind,
                    **labels_of(
                        as_object(item.get("metadata")), "harm", "human", "child", "syn", "ocr"
                    ),
                },
            )

        return json_rows(path, file, row)


LOADER: Loader = _MossBench()
