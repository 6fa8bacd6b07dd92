"""Loads VLGuard: unsafe pictures, and safe ones with safe and unsafe instructions."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ...query import Intent
from ...tables import Object, RowError, as_list, as_object, first_text, identifier, value_at
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import file_in, json_rows, labels_of, needed_part, setting, text_of

_FILES = {
    "test": ("test.json", "data/test.json"),
    "train": ("train.json", "data/train.json"),
}


class _Part(NamedTuple):
    key: str
    """Of the instruction."""
    safe: bool
    """Whether its pictures are safe."""
    intent: Intent


_PARTS = {
    "unsafes": _Part("instruction", False, Intent.HARMFUL),
    "safe_unsafes": _Part("unsafe_instruction", True, Intent.HARMFUL),
    "safe_safes": _Part("safe_instruction", True, Intent.BENIGN),
}


class _VlGuard:
    name = "vlguard"
    title = "VLGuard"
    license = "as its page says; access is granted there"
    home = "https://huggingface.co/datasets/ys-zong/VLGuard"
    about = "3,000 pictures (2,000 to train, 1,000 to test) with safe and unsafe instructions"
    needs = "the folder with test.json and the unpacked test/ (or train.json and train/)"
    settings = MappingProxyType(
        {
            "split": "test (default), or train: the default where that alone is there",
            "part": "unsafes (default), safe_unsafes or safe_safes",
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        file = file_in(path, *chain(*_FILES.values()))
        if file is None or file.suffix.lower() != ".json":
            return False
        with file.open("rb") as start:
            return b'"instr-resp"' in start.read(65536)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        name = setting(options, "part", *_PARTS)
        part = _PARTS[name]
        _, file = needed_part(path, self.title, options, _FILES)
        folders = (file.parent / file.stem, file.parent / "VLGuard" / file.stem)
        folder = next(filter(Path.is_dir, folders), folders[0])

        def row(item: Object, _: str) -> Row | None:
            if not isinstance(item.get("safe"), bool):
                raise RowError("'safe' must be true or false")
            if item["safe"] is not part.safe:
                return None
            pairs = [as_object(pair) for pair in as_list(item.get("instr-resp"))]
            instruction = first_text(*(pair.get(part.key) for pair in pairs))
            if instruction is None:
                raise RowError(f"'instr-resp' holds no {part.key!r}")
            return Row(
                id=identifier(item.get("id"), "'id'"),
                text=instruction,
                category=_category(item),
                intent=part.intent,
                images=(folder / text_of(item, "image"),),
                labels={
                    "part": name,
                    **labels_of(
                        item, category="harmful_category", subcategory="harmful_subcategory"
                    ),
                },
            )

        return json_rows(path, file, row)


def _category(item: Object) -> str:
    """Return the category as `major/minor`; safe pictures have none."""
    names = (value_at(item, "harmful_category"), value_at(item, "harmful_subcategory"))
    return "/".join(name for name in names if isinstance(name, str))


LOADER: Loader = _VlGuard()
