"""Shared by the loaders of published datasets: settings, files, rows, pictures."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ....common import DatasetError
from ....common.files import refuse_pointer
from ....common.text import did_you_mean, quoted
from ...tables import (
    BrokenJson,
    CsvTable,
    JsonFile,
    Object,
    RowError,
    as_label,
    as_object,
    describe,
    is_object,
    list_names,
    parquet_objects,
)
from ..base import LoaderOptions, Row, Unusable

Cells = Mapping[str, str]
ENCODING = "encoding of the CSV, such as cp1252; by its byte order mark, else UTF-8"


def setting(options: LoaderOptions, name: str, *known: str) -> str:
    """Return the value of a setting; the first known value is the default.

    Raises:
        DatasetError: It is none of the known ones.
    """
    value = options.settings.get(name, known[0])
    if value not in known:
        hint = did_you_mean(value, known) or f"; it can be {', '.join(known)}"
        raise DatasetError(f"the setting {name!r} cannot be {quoted(value)}{hint}")
    return value


def needed_part(
    path: Path, title: str, options: LoaderOptions, files: Mapping[str, tuple[str, ...]]
) -> tuple[str, Path]:
    """Return the part of a dataset to read, and its file; see `needed_file`.

    Args:
        path: What the user named: a folder, or the file of a part.
        title: The dataset, for errors.
        options: Of the user; the setting `split` names the part.
        files: The places of each part's file, by the setting's values; the first that is
            there is meant where the user says nothing.

    Raises:
        DatasetError: The setting is none of the known values, or the file is not there.
    """
    part = _part_of(path, options, files)
    return part, needed_file(path, title, *files[part])


def _part_of(path: Path, options: LoaderOptions, files: Mapping[str, tuple[str, ...]]) -> str:
    if "split" in options.settings:
        return setting(options, "split", *files)
    named = {PurePosixPath(place).name: part for part, places in files.items() for place in places}
    if path.name in named and path.is_file():
        return named[path.name]
    there = (part for part, places in files.items() if any((path / p).is_file() for p in places))
    return next(there, next(iter(files)))


def file_in(path: Path, *places: str) -> Path | None:
    """Return the path if it is a file, else the first of `places` in that folder; None if none.

    Raises:
        DatasetError: Git LFS has left a pointer in its place.
    """
    if path.is_file():
        found = path
    else:
        found = next((path / place for place in places if (path / place).is_file()), None)
    if found is not None:
        refuse_pointer(found)
    return found


def needed_file(path: Path, title: str, *places: str) -> Path:
    """Return the path if it is a file, else the first of `places` in that folder.

    Raises:
        DatasetError: There is none, or only a pointer of Git LFS.
    """
    file = file_in(path, *places)
    if file is None:
        wanted = " or ".join(dict.fromkeys(PurePosixPath(place).name for place in places))
        raise DatasetError(
            f"{path}: no {title} is there: {places[0]} is missing; "
            f"name the folder that it lies in, or {wanted} itself"
        )
    return file


def files_like(folder: Path, *patterns: str) -> list[Path]:
    """Return the files that match the first pattern with a match, sorted by name.

    Raises:
        DatasetError: Git LFS has left a pointer in the place of one.
    """
    for pattern in patterns:
        if files := sorted(folder.glob(pattern)):
            for file in files:
                refuse_pointer(file)
            return files
    return []


def refuse_link(root: Path, file: Path) -> None:
    """Raise an error for a symbolic link out of the dataset, unless the user named it.

    Args:
        root: What the user named.
        file: A file below it, or itself.

    Raises:
        DatasetError: It is a link out of the folder.
    """
    if file != root and not file.resolve().is_relative_to(root.resolve()):
        raise DatasetError(
            f"{file}: is a link out of the set's folder: name the file itself, or put it inside"
        )


def picture_in(folder: Path, *names: str) -> Path:
    """Return the first of several pictures that exists; the first if none does."""
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def has_columns(file: Path | None, *columns: str) -> bool:
    """Return whether a file is a CSV with these columns."""
    if file is None or file.suffix.lower() not in (".csv", ".tsv"):
        return False
    try:
        return set(columns) <= set(CsvTable(file).names)
    except (DatasetError, OSError):
        return False


def csv_rows(
    root: Path,
    file: Path,
    make: Callable[[Cells, int], Row | None],
    *,
    columns: tuple[str, ...],
    options: LoaderOptions,
) -> Iterator[Row | Unusable]:
    """Yield the rows of a CSV file.

    Args:
        root: What the user named; places are shown relative to it.
        file: The CSV.
        make: Makes a row of the cells by column and its number from 1; None leaves it out; it
            raises RowError where they cannot be used.
        columns: Those that must be there.
        options: Of the user, for the encoding.

    Raises:
        DatasetError: A column is missing, or the file is a link out of the folder.
        OSError: The file cannot be read.
    """
    refuse_link(root, file)
    table = CsvTable(file, encoding=options.settings.get("encoding"))
    _refuse_missing(file, columns, table.names)
    for row in table.rows():
        where = f"{_shown(root, file)}:{row.line}"
        try:
            if isinstance(row.cells, RowError):
                raise row.cells
            cells = dict(zip(table.names, row.cells, strict=True))
            made = make(cells, row.number)
            if made is not None:
                yield replace(made, where=where)
        except RowError as error:
            yield Unusable(where, str(error))


def json_rows(
    root: Path, file: Path, make: Callable[[Object, str], Row | None]
) -> Iterator[Row | Unusable]:
    """Yield the rows of a JSON file: a list or an object of objects.

    Args:
        root: What the user named; places are shown relative to it.
        file: The JSON file; it may be larger than memory.
        make: Makes a row of an object and its key, or its number from 1; None leaves it
            out; it raises RowError where the object cannot be used.

    Raises:
        DatasetError: The file is empty, or a link out of the folder.
        OSError: The file cannot be read.
    """
    refuse_link(root, file)
    shown = _shown(root, file)
    if not file.stat().st_size:
        raise DatasetError(f"{file}: is empty")
    with JsonFile(file) as document:
        try:
            for key, at in _entries(document):
                where = f"{shown}: item {key}"
                yield from _row(document.value(at), where, lambda item, key=key: make(item, key))
        except BrokenJson as error:
            yield Unusable(f"{shown}:{error.line}", str(error))


def parquet_rows(
    root: Path,
    file: Path,
    make: Callable[[Object], Row | None],
    *,
    columns: tuple[str, ...],
) -> Iterator[Row | Unusable]:
    """Yield the rows of a Parquet file.

    Args:
        root: What the user named; places are shown relative to it.
        file: The Parquet file; it may be larger than memory.
        make: Makes a row of the values by column; None leaves it out; it raises RowError
            where they cannot be used.
        columns: Those that must be there; no others are read.

    Raises:
        DatasetError: A column is missing, or the file is a link out of the folder or no Parquet
            that can be read.
    """

    def wanted(names: list[str]) -> list[str]:
        _refuse_missing(file, columns, names)
        return list(columns)

    refuse_link(root, file)
    for place, values in parquet_objects(file, wanted):
        yield from _row(values, f"{_shown(root, file)}: {place}", make)


def picture_of(values: Object, name: str) -> bytes:
    """Return the picture in a column, as Hugging Face stores it.

    Raises:
        RowError: There is none.
    """
    content = as_object(values.get(name)).get("bytes")
    if not isinstance(content, bytes):
        raise RowError(f"{name!r} holds no picture")
    return content


def _entries(document: JsonFile) -> Iterator[tuple[str, int]]:
    if document.opens(document.root) == "{":
        yield from document.members(document.root)
        return
    for number, at in enumerate(document.elements(document.root), start=1):
        yield str(number), at


def _row(
    value: object, where: str, make: Callable[[Object], Row | None]
) -> Iterator[Row | Unusable]:
    try:
        if isinstance(value, RowError):
            raise value
        if not is_object(value):
            raise RowError(f"must be a JSON object, not {describe(value)}")
        made = make(value)
    except RowError as error:
        yield Unusable(where, str(error))
    else:
        if made is not None:
            yield replace(made, where=where)


def _refuse_missing(file: Path, columns: tuple[str, ...], names: list[str]) -> None:
    for column in columns:
        if column not in names:
            raise DatasetError(
                f"{file}: has no column {column!r}; its columns are {list_names(names)}"
            )


def text_of(values: Mapping[str, object], name: str) -> str:
    """Return a text that is not empty.

    Raises:
        RowError: It is missing, empty or no text.
    """
    value = values.get(name)
    if not isinstance(value, str):
        raise RowError(f"{name!r} must be a text, not {describe(value)}")
    if not value.strip():
        raise RowError(f"{name!r} is empty")
    return value


def labels_of(values: Mapping[str, object], *names: str, **columns: str) -> dict[str, str | None]:
    """Return the labels of a row; values other than texts, numbers and lists are ignored.

    Args:
        values: The cells of a row, or an object.
        names: Labels that are called as their columns are.
        columns: Columns of other names, by label.
    """
    columns = {**{name: name for name in names}, **columns}
    return {name: _label(values.get(column)) for name, column in columns.items()}


def _label(value: object) -> str | None:
    with suppress(RowError):
        return as_label(value, "the label")
    return None


def _shown(root: Path, file: Path) -> str:
    return file.name if file == root else file.relative_to(root).as_posix()
