"""Loads SIUO: texts and pictures that are safe apart and unsafe together."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ...query import Intent
from ...tables import Object, identifier
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import file_in, json_rows, labels_of, needed_file, text_of

_PLACES = ("siuo_gen.json", "data/siuo_gen.json")


class _Siuo:
    name = "siuo"
    title = "SIUO"
    license = "as its page says"
    home = "https://github.com/sinwang20/SIUO"
    about = "167 texts with pictures of nine domains, safe apart and unsafe together"
    needs = "the folder with siuo_gen.json and images/, or that file"
    settings = MappingProxyType[str, str]({})
    maps = False

    def recognizes(self, path: Path) -> bool:
        file = file_in(path, *_PLACES)
        return file is not None and file.name == "siuo_gen.json"

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        file = needed_file(path, self.title, *_PLACES)

        def row(item: Object, _: str) -> Row:
            return Row(
                id=identifier(item.get("question_id"), "'question_id'"),
                text=text_of(item, "question"),
                category=text_of(item, "category"),
                intent=Intent.HARMFUL,
                images=(file.parent / "images" / text_of(item, "image"),),
                labels=labels_of(item, "category"),
            )

        return json_rows(path, file, row)


LOADER: Loader = _Siuo()
