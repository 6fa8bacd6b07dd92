"""Loads SafeBench as published: tables, pictures and audio, paired by row."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ....common import DatasetError
from ....common.files import refuse_pointer
from ....common.text import quoted
from ...query import NAIVE, Intent
from ...tables import CsvRow, CsvTable, RowError
from ...taxonomy import load_taxonomy
from ..base import Loader, LoaderOptions, Row, Unusable
from ..published import ENCODING, refuse_link
from ._files import NumberedFiles

_FULL = ("SafeBench_Text", "final_bench/text", "final_bench/text/text", "text", "text/text")
_MINI = ("MiniBench_Text", "minibench_final/text")
_PICTURES = ("img", "image", "images")
_VOICES = {
    "female": ("audio_data_female", "audio_female", "audio/audio_data_female"),
    "male": ("audio_data_male", "audio_male", "audio/audio_data_male"),
}


class _SafeBench:
    name = "safebench"
    title = "SafeBench, the paper's set"
    license = "as the set says"
    home = "https://huggingface.co/datasets/Zonghao2025/safebench"
    about = "23 tables of one column, pictures k/i.png and sounds k/i.wav, paired by row"
    needs = (
        "the folder with SafeBench_Text/, final_bench/ or MiniBench_Text/, or one with 1.csv to "
        "23.csv; the pictures unpacked beside them"
    )
    settings = MappingProxyType(
        {
            "part": "full or mini, where the folder has both; full unless given",
            "voice": "female, male, or both for `voices:`, to load sounds; none unless given",
            "pictures": "yes (default), no: the texts alone, or the folder they are in",
            "naive": "the folder of the pictures' first drawings, for `images: [naive]`",
            "encoding": ENCODING,
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return path.is_dir() and any(
            (text / "1.csv").is_file() for text in (path, *_below(path, *_FULL, *_MINI))
        )

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        text = _text_folder(path, options.settings.get("part", "full"))
        tables = _tables(text)
        for table in tables.values():
            refuse_link(path, table)
            refuse_pointer(table)
        pictures = _pictures(path, text, tables, options.settings.get("pictures", "yes"))
        said = options.settings.get("voice", "none")
        voices = {
            name: NumberedFiles.found(folder, ".wav", tables)
            for name in (_VOICES if said == "both" else ())
            if (folder := _voice(path, text, name)) is not None
        }
        voice = _voice(path, text, next(iter(_VOICES)) if said == "both" else said)
        first = options.settings.get("naive")
        naive = None if first is None else _named_folder(path, text, first)
        encoding = options.settings.get("encoding")
        whole = _Set(
            path,
            tables,
            _categories(path, text, encoding),
            None if pictures is None else NumberedFiles.found(pictures, ".png", tables),
            None if voice is None else NumberedFiles.found(voice, ".wav", tables),
            encoding,
            {
                **({} if naive is None else {NAIVE: NumberedFiles.found(naive, ".png", tables)}),
                **voices,
            },
        )
        return whole.rows()


@dataclass(frozen=True, slots=True)
class _Set:
    """The tables of a dataset with the folders of their pictures and audio.

    Attributes:
        folder: The set's folder.
        tables: The tables by their numbers.
        categories: The categories by the numbers of their tables.
        pictures: Files of the pictures, None for none.
        voice: Files of the sounds, None for none.
        encoding: That of the tables, None for what they say themselves.
        variants: Files for conditions.
    """

    folder: Path
    tables: dict[int, Path]
    categories: dict[int, str]
    pictures: NumberedFiles | None
    voice: NumberedFiles | None
    encoding: str | None
    variants: Mapping[str, NumberedFiles]

    def rows(self) -> Iterator[Row | Unusable]:
        """Yield the rows of all tables."""
        misfits = self._misfits()
        for number, file in self.tables.items():
            table, misfit = self._table(number), misfits.get(number)
            for row in table.rows():
                why = misfit or _why_not(row)
                where = f"{file.name}, {row.place}"
                if isinstance(row.cells, RowError) or why is not None:
                    yield Unusable(where, why or str(row.cells))
                else:
                    yield self._row(number, row.number, row.cells[0], where)
                if _may_be_several(row):
                    misfit = (
                        f"cannot be numbered, as lines {row.line} to {row.last} may be one row "
                        "or several"
                    )

    def _table(self, number: int) -> CsvTable:
        return CsvTable(self.tables[number], encoding=self.encoding, header=False)

    def _misfits(self) -> dict[int, str]:
        """Return the tables whose rows cannot be paired with files, and why."""
        media = [
            files
            for files in (self.pictures, self.voice, *self.variants.values())
            if files is not None
        ]
        if not media:
            return {}
        counts = {number: _count(self._table(number)) for number in self.tables}
        sure = {number: count for number, count in counts.items() if count is not None}
        misfits = dict[int, str]()
        for files in media:
            certain = files.is_certain(sure)
            for number, count in sure.items():
                if why := files.misfit(number, count, certain=certain):
                    misfits.setdefault(number, why)
        return misfits

    def _row(self, table: int, row: int, text: str, where: str) -> Row:
        return Row(
            id=f"{table}-{row}",
            text=text,
            category=self.categories.get(table, str(table)),
            intent=Intent.HARMFUL,
            images=() if self.pictures is None else (self.pictures.of(table, row),),
            audio=None if self.voice is None else self.voice.of(table, row),
            labels={"category": self.categories.get(table, str(table))},
            where=where,
            variants={name: files.of(table, row) for name, files in self.variants.items()},
        )


def _why_not(row: CsvRow) -> str | None:
    if isinstance(row.cells, RowError):
        return str(row.cells)
    if len(row.cells) != 1:
        return f"has {len(row.cells)} fields, not one: is a quote missing?"
    return None


def _count(table: CsvTable) -> int | None:
    """Return the number of rows in a table, None if unknown."""
    count = 0
    for row in table.rows():
        if _may_be_several(row):
            return None  # the rows before it are numbered well
        count = row.number
    return count


def _may_be_several(row: CsvRow) -> bool:
    return row.last > row.line and _why_not(row) is not None


def _text_folder(path: Path, part: str) -> Path:
    if part not in ("full", "mini"):
        raise DatasetError(f"the setting 'part' must be full or mini, not {quoted(part)}")
    wanted, others = (_FULL, _MINI) if part == "full" else (_MINI, _FULL)
    for text in (*_below(path, *wanted), path, *_below(path, *others)):
        if _tables(text):
            return text
    raise DatasetError(
        f"{path}: no {_SafeBench.title} is there: it has no tables 1.csv to 23.csv; name "
        f"{_SafeBench.needs}"
    )


def _tables(text: Path) -> dict[int, Path]:
    """Return the tables of a folder, sorted by number.

    Raises:
        DatasetError: Two have the same number.
    """
    files = text.glob("*.csv") if text.is_dir() else ()
    tables: dict[int, Path] = {}
    for file in sorted(files):
        if file.stem.isascii() and file.stem.isdecimal():
            first = tables.setdefault(int(file.stem), file)
            if first != file:
                raise DatasetError(
                    f"{text}: {first.name} and {file.name} are the same table: remove one of them"
                )
    return dict(sorted(tables.items()))


def _pictures(path: Path, text: Path, tables: Iterable[int], said: str) -> Path | None:
    if said == "no":
        return None
    found = _folder(path, text, _PICTURES) if said == "yes" else _named_folder(path, text, said)
    numbered = (place for place in _above(path, text) if any(_numbered(place, tables)))
    found = found or next(numbered, None)
    if found is None:
        raise DatasetError(
            f"{path}: has no pictures: unpack them as img/1/1.png and so on beside the tables, "
            "name their folder with --set pictures=FOLDER, or read the texts alone with "
            "--set pictures=no (`settings: {pictures: 'no'}` in a config)"
        )
    return found


def _named_folder(path: Path, text: Path, said: str) -> Path:
    found = _folder(path, text, (said,))
    if found is None:
        raise DatasetError(f"{path}: has no folder {quoted(said)} for the pictures")
    return found


def _numbered(folder: Path, tables: Iterable[int]) -> Iterator[Path]:
    """Yield pictures that lie in folders numbered like the tables."""
    for table in tables:
        yield from (folder / str(table)).glob("*.png")


def _voice(path: Path, text: Path, said: str) -> Path | None:
    if said == "none":
        return None
    if said not in _VOICES:
        raise DatasetError(
            f"the setting 'voice' must be female, male, both or none, not {quoted(said)}"
        )
    found = _folder(path, text, _VOICES[said])
    if found is None:
        raise DatasetError(f"{path}: has no folder {_VOICES[said][0]} for that voice")
    return found


def _folder(path: Path, text: Path, names: tuple[str, ...]) -> Path | None:
    """Return a folder beside the tables, else one above them within the dataset."""
    return next(
        (p for place in _above(path, text) for p in _below(place, *names) if p.is_dir()), None
    )


def _above(path: Path, text: Path) -> list[Path]:
    """Return the folders above the tables, up to the dataset's own."""
    above = [place for place in text.parents if place == path or path in place.parents]
    return above or [path]


def _below(path: Path, *names: str) -> list[Path]:
    return [path / name for name in names]


def _categories(path: Path, text: Path, encoding: str | None) -> dict[int, str]:
    """Return the category of each table: from `category.csv`, else in the paper's order."""
    for folder in (text, *_above(path, text)):
        if (folder / "category.csv").is_file():
            refuse_link(path, folder / "category.csv")
            return dict(_named(folder / "category.csv", encoding))
    return dict(enumerate((scenario.id for scenario in load_taxonomy().scenarios), 1))


def _named(path: Path, encoding: str | None) -> Iterator[tuple[int, str]]:
    for row in CsvTable(path, encoding=encoding, header=False).rows():
        if isinstance(row.cells, RowError):
            raise DatasetError(f"{path}, {row.place}: {row.cells}")
        numbers = [cell.strip() for cell in row.cells if cell.strip().isdecimal()]
        names = [cell.strip() for cell in row.cells if cell.strip() and cell.strip() not in numbers]
        if numbers and names:  # else a header
            yield int(numbers[0]), names[0]


LOADER: Loader = _SafeBench()
