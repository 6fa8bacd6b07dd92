"""Loads MM-SafetyBench: questions of 13 scenarios, their key phrase moved into a picture."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ....common import DatasetError
from ...query import Intent
from ...tables import Object, as_text, identifier
from ..base import Loader, LoaderOptions, Row, Unusable
from ._published import files_like, json_rows, parquet_rows, picture_of, setting, text_of


class _Form(NamedTuple):
    folder: str
    """Of the pictures, and the name of the Parquet file."""
    question: str
    """Key of the text that goes with them."""


_FORMS = {
    "sd_typo": _Form("SD_TYPO", "Rephrased Question"),
    "sd": _Form("SD", "Rephrased Question(SD)"),
    "typo": _Form("TYPO", "Rephrased Question"),
    "text": _Form("Text_only", "Question"),
}
_QUESTIONS = ("data/processed_questions/[01]?-*.json", "processed_questions/[01]?-*.json")
_PICTURES = ("data/imgs", "imgs", "MM-SafetyBench(imgs)")
_TABLES = ("data/*/{}.parquet", "*/{}.parquet")


class _MmSafetyBench:
    name = "mm-safetybench"
    title = "MM-SafetyBench"
    license = "CC-BY-NC-4.0"
    home = "https://github.com/isXinLiu/MM-SafetyBench"
    about = "1,680 questions of 13 scenarios, each with three pictures or as plain text"
    needs = (
        "the repository's folder with data/processed_questions/ and the pictures in data/imgs/, "
        "or that of Hugging Face's PKU-Alignment/MM-SafetyBench"
    )
    settings = MappingProxyType(
        {
            "form": "sd_typo (default), sd or typo: which picture; or text: the plain question",
        }
    )
    maps = False

    def recognizes(self, path: Path) -> bool:
        return bool(_question_files(path) or _tables(path, _FORMS["sd_typo"]))

    def rows(self, path: Path, options: LoaderOptions) -> Iterator[Row | Unusable]:
        form = _FORMS[setting(options, "form", *_FORMS)]
        if files := _question_files(path):
            pictures = next((path / p for p in _PICTURES if (path / p).is_dir()), None)
            for file in files:
                yield from _questions(path, file, pictures or path / _PICTURES[0], form)
            return
        tables = _tables(path, form)
        if not tables:
            raise DatasetError(f"{path}: no {self.title} is there: name {self.needs}")
        for table in tables:
            yield from _table(path, table, form)


def _question_files(path: Path) -> list[Path]:
    return files_like(path, *_QUESTIONS)


def _tables(path: Path, form: _Form) -> list[Path]:
    return files_like(path, *(table.format(form.folder) for table in _TABLES))


def _questions(path: Path, file: Path, pictures: Path, form: _Form) -> Iterator[Row | Unusable]:
    scenario = file.stem

    def row(item: Object, key: str) -> Row:
        picture = pictures / scenario / form.folder / f"{key}.jpg"
        return Row(
            id=f"{scenario}-{key}",
            text=text_of(item, form.question),
            category=scenario.partition("-")[2],
            intent=Intent.HARMFUL,
            images=() if form is _FORMS["text"] else (picture,),
            underlying_request=as_text(item.get("Question")),
            labels={"scenario": scenario.partition("-")[2], "form": form.folder.lower()},
        )

    return json_rows(path, file, row)


def _table(path: Path, file: Path, form: _Form) -> Iterator[Row | Unusable]:
    scenario = file.parent.name
    plain = {} if form is _FORMS["text"] else _plain_questions(path, file)
    columns = ("id", "question") if form is _FORMS["text"] else ("id", "question", "image")

    def row(item: Object) -> Row:
        number = identifier(item.get("id"), "'id'")
        return Row(
            id=f"{scenario}-{number}",
            text=text_of(item, "question"),
            category=scenario,
            intent=Intent.HARMFUL,
            images=(picture_of(item, "image"),) if "image" in columns else (),
            underlying_request=plain.get(number),
            labels={"scenario": scenario, "form": form.folder.lower()},
        )

    return parquet_rows(path, file, row, columns=columns)


def _plain_questions(path: Path, file: Path) -> dict[str, str]:
    """Return the questions without pictures by number, if their file lies beside the table."""
    beside = file.with_name(f"{_FORMS['text'].folder}.parquet")
    if not beside.is_file():
        return {}
    rows = _table(path, beside, _FORMS["text"])
    return {row.id.rpartition("-")[2]: row.text for row in rows if isinstance(row, Row)}


LOADER: Loader = _MmSafetyBench()
