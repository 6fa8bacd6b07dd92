"""The layout of the paper's own set: tables, pictures and sounds, paired by row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .._errors import DatasetError
from .._nearest import quoted
from .._query import Intent
from .._taxonomy import load_taxonomy
from ..tables import CsvTable, RowError
from ._loader import Loader, LoaderOptions, Row, Unusable
from ._published import refuse_link

_FULL = ("SafeBench_Text", "text")
_MINI = ("MiniBench_Text", "minibench_final/text")
_PICTURES = ("img", "image", "images")
_VOICES = {
    "female": ("audio_data_female", "audio_female"),
    "male": ("audio_data_male", "audio_male"),
}


@dataclass(frozen=True, slots=True)
class _Media:
    """Folders `k/` of files that are numbered as the rows of table `k` are."""

    folder: Path
    suffix: str

    def of(self, table: int, row: int) -> Path:
        """Return the file of a row, which counts from 1; the files may count from 0."""
        within = self.folder / str(table)
        first = 0 if (within / f"0{self.suffix}").exists() else 1
        return within / f"{row - 1 + first}{self.suffix}"


class _SafeBench:
    name = "safebench"
    title = "SafeBench, the paper's set"
    licence = "as the set says"
    home = "https://huggingface.co/datasets/Zonghao2025/safebench"
    about = "23 tables of one column, pictures k/i.png and sounds k/i.wav, paired by row"
    needs = "the folder with SafeBench_Text/ or MiniBench_Text/, or one with 1.csv to 23.csv"
    settings = MappingProxyType(
        {
            "part": "full or mini, where the folder has both; full unless given",
            "voice": "female or male, to load the sounds as well; none unless given",
            "pictures": "yes, no, or the folder they are in; yes if there are any, unless given",
        }
    )
    maps = False

    def recognises(self, path: Path) -> bool:
        return path.is_dir() and any(
            (text / "1.csv").is_file() for text in (path, *_below(path, *_FULL, *_MINI))
        )

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        text = _text_folder(path, options.settings.get("part", "full"))
        pictures = _pictures(path, text, options.settings.get("pictures", "yes"))
        voice = _voice(path, text, options.settings.get("voice", "none"))
        return _rows(path, text, pictures, voice)


def _rows(
    path: Path, text: Path, pictures: _Media | None, voice: _Media | None
) -> Iterator[Row | Unusable]:
    categories = _categories(path, text)
    for table in _tables(text):
        refuse_link(path, text / f"{table}.csv")
        for row in CsvTable(text / f"{table}.csv", header=False).rows():
            where = f"{table}.csv, {row.place}"
            if isinstance(row.cells, RowError):
                yield Unusable(where, str(row.cells))
            elif len(row.cells) != 1:
                yield Unusable(where, f"has {len(row.cells)} fields, not one: is a quote missing?")
            else:
                yield Row(
                    id=f"{table}-{row.number}",
                    text=row.cells[0],
                    category=categories.get(table, str(table)),
                    intent=Intent.HARMFUL,
                    images=() if pictures is None else (pictures.of(table, row.number),),
                    audio=None if voice is None else voice.of(table, row.number),
                    where=where,
                )


def _text_folder(path: Path, part: str) -> Path:
    if part not in ("full", "mini"):
        raise DatasetError(f"the setting 'part' must be full or mini, not {quoted(part)}")
    wanted, others = (_FULL, _MINI) if part == "full" else (_MINI, _FULL)
    for text in (*_below(path, *wanted), path, *_below(path, *others)):
        if _tables(text):
            return text
    raise DatasetError(f"{path}: has no tables 1.csv to 23.csv; name {_SafeBench.needs}")


def _tables(text: Path) -> list[int]:
    if not text.is_dir():
        return []
    names = [file.stem for file in text.glob("*.csv")]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def _pictures(path: Path, text: Path, said: str) -> _Media | None:
    if said == "no":
        return None
    names = _PICTURES if said == "yes" else (said,)
    found = _folder(path, text, names)
    if found is None and said != "yes":
        raise DatasetError(f"{path}: has no folder {quoted(said)} for the pictures")
    return None if found is None else _Media(found, ".png")


def _voice(path: Path, text: Path, said: str) -> _Media | None:
    if said == "none":
        return None
    if said not in _VOICES:
        raise DatasetError(f"the setting 'voice' must be female, male or none, not {quoted(said)}")
    found = _folder(path, text, _VOICES[said])
    if found is None:
        raise DatasetError(f"{path}: has no folder {_VOICES[said][0]} for that voice")
    return _Media(found, ".wav")


def _folder(path: Path, text: Path, names: tuple[str, ...]) -> Path | None:
    """Return a folder beside the tables, or else in the set's."""
    places = (path,) if text == path else (text.parent, path)
    return next((p for place in places for p in _below(place, *names) if p.is_dir()), None)


def _below(path: Path, *names: str) -> list[Path]:
    return [path / name for name in names]


def _categories(path: Path, text: Path) -> dict[int, str]:
    """Return the categories by table: as `category.csv` says, else in the paper's order."""
    for folder in (text, path) if text == path else (text, text.parent, path):
        if (folder / "category.csv").is_file():
            refuse_link(path, folder / "category.csv")
            return dict(_named(folder / "category.csv"))
    return dict(enumerate((scenario.id for scenario in load_taxonomy().scenarios), 1))


def _named(path: Path) -> Iterator[tuple[int, str]]:
    for row in CsvTable(path, header=False).rows():
        if isinstance(row.cells, RowError):
            raise DatasetError(f"{path}, {row.place}: {row.cells}")
        numbers = [cell.strip() for cell in row.cells if cell.strip().isdecimal()]
        names = [cell.strip() for cell in row.cells if cell.strip() and cell.strip() not in numbers]
        if numbers and names:  # else a header
            yield int(numbers[0]), names[0]


LOADER: Loader = _SafeBench()
