"""Loads AILuminate: MLCommons' prompts for twelve hazards and more, as CSV."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from ....common import DatasetError
from ....common.text import did_you_mean, quoted
from ...query import Intent
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import (
    ENCODING,
    Cells,
    csv_rows,
    file_in,
    files_like,
    has_columns,
    labels_of,
    needed_file,
    text_of,
)

_COLUMNS = ("release_prompt_id", "prompt_text", "hazard")
_FIRST = "airr_official_1.0_demo_en_us_prompt_set_release.csv"
_PATTERN = "airr_official_*_prompt_set_release*.csv"
_ALL = "all"


class _Ailuminate:
    name = "ailuminate"
    title = "AILuminate"
    license = "CC-BY-4.0"
    home = "https://github.com/mlcommons/ailuminate"
    about = "1,200 texts in the demonstration set, 12,000 in the practice set, by hazard"
    needs = "the CSV of a language, or the repository's folder"
    settings = MappingProxyType(
        {"locale": "all (default), or one, such as en_US or fr", "encoding": ENCODING}
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return has_columns(file_in(path, *_names(path)), *_COLUMNS)

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        needed_file(path, self.title, _FIRST, *_names(path))
        files = [path] if path.is_file() else [path / name for name in _names(path)]
        prompts = _Prompts(options.settings.get("locale", _ALL))
        for file in files:
            yield from csv_rows(path, file, prompts.row, columns=_COLUMNS, options=options)
        prompts.refuse_none(path)


class _Prompts:
    """Converts the prompts of the chosen locales to rows.

    Args:
        locale: That of the prompts, or its language; `all` for any.
    """

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._seen: dict[str, bool] = {}
        self._ids = set[str]()

    def row(self, cells: Cells, _: int) -> Row | None:
        locale = cells.get("locale", "").strip()
        named = locale.casefold()
        meant = self._locale.casefold().replace("-", "_") in (_ALL, named, named.partition("_")[0])
        taken = self._seen.setdefault(locale, meant)
        if not taken:
            return None
        name = text_of(cells, "release_prompt_id")
        # A prompt may keep its id in another language.
        unique = f"{name}-{locale}" if locale and name in self._ids else name
        self._ids.add(unique)
        return Row(
            id=unique,
            text=text_of(cells, "prompt_text"),
            category=cells["hazard"].strip().lower(),
            intent=Intent.HARMFUL,
            labels=labels_of(cells, "hazard", "persona", "locale"),
        )

    def refuse_none(self, path: Path) -> None:
        """Raise an error for a locale without prompts.

        Raises:
            DatasetError: It is one.
        """
        if self._seen and not any(self._seen.values()):
            hint = did_you_mean(self._locale, self._seen)
            has = f"; it has {', '.join(map(quoted, self._seen))}"
            raise DatasetError(f"{path}: has no prompts of {quoted(self._locale)}{hint or has}")


def _names(path: Path) -> list[str]:
    """Return the file names in a folder, English first."""
    names = [file.name for file in files_like(path, _PATTERN)]
    return sorted(names, key=lambda name: ("_en_us_" not in name, name))


LOADER: Loader = _Ailuminate()
