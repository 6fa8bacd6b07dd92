"""Loads MSTS: short texts that are unsafe only with their picture, in eleven languages."""

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
    picture_in,
    setting,
    text_of,
)

_LANGUAGES = (
    "english",
    "arabic",
    "chinese",
    "farsi",
    "french",
    "german",
    "hindi",
    "italian",
    "korean",
    "russian",
    "spanish",
)
_COLUMNS = ("hazard_category", "hazard_subcategory", "case_id", "prompt_text", "prompt_type")
_HAZARDS = ("hazard_category", "hazard_subcategory", "hazard_subsubcategory")
_TEXTS = "english_textonly.csv"
_PICTURES = ("data/unsafe_images", "unsafe_images", "data/images", "images")


class _Msts:
    name = "msts"
    title = "MSTS"
    license = "CC-BY-4.0"
    home = "https://github.com/paul-rottger/msts-multimodal-safety"
    about = "400 short English texts with 200 pictures, 200 texts in each of ten more languages"
    needs = "the repository's folder or its data/, where its script has fetched unsafe_images/"
    settings = MappingProxyType(
        {
            "language": f"english (default), {', '.join(_LANGUAGES[1:])}",
            "form": "picture (default), or text: the English texts that say what the picture shows",
            "encoding": ENCODING,
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *_places("english_multimodal.csv")), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        language = setting(options, "language", *_LANGUAGES)
        text_only = setting(options, "form", "picture", "text") == "text"
        name = f"{language}_{'textonly' if text_only else 'multimodal'}.csv"
        file = needed_file(path, self.title, *_places(name))
        folder = path if path.is_dir() else path.parent
        places = [folder / place for place in _PICTURES]
        # The repository's own images/ lists where they are, and holds none.
        pictures = next((place for place in places if any(place.glob("*_image_*"))), places[0])
        said = {} if text_only else _said_without_pictures(folder, options)

        def row(cells: Cells, _: int) -> Row:
            prompt = cells.get("prompt_id") or f"{text_of(cells, 'case_id')}_{cells['prompt_type']}"
            return Row(
                id=prompt if language == "english" else f"{language}_{prompt}",
                text=text_of(cells, "prompt_text"),
                category="/".join(cells[name] for name in _HAZARDS if cells.get(name)),
                intent=Intent.HARMFUL,
                images=() if text_only else (_picture(pictures, cells),),
                underlying_request=said.get(_case(cells)),
                labels={
                    "language": language,
                    **labels_of(
                        cells,
                        "prompt_type",
                        category="hazard_category",
                        subcategory="hazard_subcategory",
                        subsubcategory="hazard_subsubcategory",
                    ),
                },
            )

        columns = _COLUMNS if text_only else (*_COLUMNS, "unsafe_image_id")
        return csv_rows(path, file, row, columns=columns, options=options)


def _case(cells: Cells) -> str:
    return f"{cells['case_id']}/{cells['prompt_type']}"


def _said_without_pictures(folder: Path, options: LoaderOptions) -> dict[str, str]:
    """Return the English text-only versions by case, if they are there."""
    file = file_in(folder, *_places(_TEXTS))
    if not has_columns(file, *_COLUMNS) or file is None:
        return {}

    def row(cells: Cells, _: int) -> Row:
        return Row(_case(cells), text_of(cells, "prompt_text"), "", Intent.HARMFUL)

    rows = csv_rows(folder, file, row, columns=_COLUMNS, options=options)
    return {each.id: each.text for each in rows if isinstance(each, Row)}


def _picture(folder: Path, cells: Cells) -> Path:
    name = text_of(cells, "unsafe_image_id")
    return picture_in(folder, f"{name}.jpg", f"{name}.png")


def _places(name: str) -> tuple[str, str, str]:
    return f"data/prompts/{name}", f"prompts/{name}", name


LOADER: Loader = _Msts()
