"""Finds the dataset that a user names."""

from collections.abc import Mapping
from pathlib import Path

from ...common import DatasetError
from ...common.text import quoted
from ..jsonl import BadLineError, Dataset, load_dataset
from ..tables import is_document
from ._read import LoadedSet, load_set
from ._registry import BY_NAME, LOADERS, loader_for, loader_key, loader_named
from .base import Loader, naming_file
from .mappings import bundled_name

BUNDLED = ("mini",)
"""Names of the bundled sets."""
SET = "set.jsonl"
"""The query file in the folder of a made set."""
STAGES = "stages.json"
"""The file there that says which stages of it are made."""


def find_set(
    said: str,
    folder: Path | None = None,
    *,
    loader: str | None = None,
    mapping: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    categories: str | None = None,
    strict: bool = False,
    limit: int | None = None,
) -> Dataset | LoadedSet:
    """Load the dataset that a user names.

    Args:
        said: `mini`, a query file of ours or the folder of a made set, `LOADER:PATH`, or
            the path of a dataset whose format is detected.
        folder: Where relative paths start; the current directory unless given.
        loader: The loader's name, where `said` is a path alone.
        mapping: See `load_set`; with one, JSON lines are read as a plain table.
        settings: See `load_set`.
        categories: See `load_set`; a path is relative to `folder`. With one, JSON lines are
            read as a plain table.
        strict: See `load_set`; a query file of ours is always read strictly.
        limit: See `load_set`.

    Raises:
        DatasetError: The dataset does not exist, or is invalid.
    """
    named, place = split_loader(said)
    loader = loader or named
    if loader is None and place in BUNDLED:
        if mapping or settings or categories:
            raise DatasetError(
                f"{quoted(place)} is a bundled dataset: it takes no mapping, settings or categories"
            )
        return load_dataset(place, limit=limit)
    if loader is None and not mapping and not settings and not categories:
        with naming_file(said):
            own = _own(place, folder)
        if own is not None:
            return _ours(own, limit)
    path = Path(place) if loader and loader_key(loader) in BY_NAME else dataset_path(place, folder)
    with naming_file(said):
        reader = _reader(said, path, loader)
    if reader is None:
        return _ours(path, limit)
    return load_set(
        reader,
        path,
        mapping=mapping,
        settings=settings,
        categories=resolve_categories(categories, folder),
        strict=strict,
        limit=limit,
    )


def _own(place: str, folder: Path | None) -> str | Path | None:
    """Return the query file in our format that a name refers to, None for other datasets."""
    path = dataset_path(place, folder)
    _check_whole(path)
    if (path / SET).is_file():
        return path / SET
    if path.suffix.lower() == ".jsonl" or not path.exists():
        return path if _is_path(place) else place
    return None


def _reader(said: str, path: Path, loader: str | None) -> Loader | None:
    """Return the named loader, or the one that recognizes the path; None if none does."""
    reader = loader_for(path) if loader is None else loader_named(loader)
    if reader is None and path.is_dir():
        raise DatasetError(
            f"{quoted(said)}: no loader recognizes this dataset: name one as LOADER:PATH; "
            f"known are {', '.join(LOADERS)}"
        )
    return reader


def _check_whole(path: Path) -> None:
    """Raise an error for a generated dataset whose stages are not all done."""
    folder = path.parent if path.name == SET else path
    if (folder / STAGES).is_file() and not (folder / SET).exists():
        raise DatasetError(
            f"the set in {folder} is not whole yet: repeat the `safejury generate CONFIG` that "
            "makes it, without --until"
        )


def _ours(place: str | Path, limit: int | None) -> Dataset:
    try:
        return load_dataset(place, limit=limit)
    except BadLineError as error:
        if not error.foreign and not is_document(error.path):
            raise
        raise BadLineError(
            f"{error} (a table of another shape is read as jsonl:{place}, by a mapping of its keys "
            "such as text=prompt)",
            error.path,
            foreign=True,
        ) from error


def split_loader(said: str) -> tuple[str | None, str]:
    """Split `LOADER:PATH` into loader and path; the loader is None for a path alone."""
    name, colon, rest = said.partition(":")
    if colon and rest and loader_key(name) in LOADERS:
        return loader_key(name), rest
    return None, said


def dataset_path(place: str, folder: Path | None) -> Path:
    """Resolve a path relative to a folder.

    Raises:
        DatasetError: It starts with the home of an unknown user, or cannot be read.
    """
    try:
        path = (folder or Path()) / Path(place).expanduser()
        path.exists()
    except RuntimeError:
        raise DatasetError(
            f"the path {quoted(place)} starts with an unknown home directory: write the full path"
        ) from None
    except OSError as error:
        raise DatasetError(f"the path {quoted(place)} cannot be read: {error.strerror}") from error
    return path


def resolve_categories(said: str | None, folder: Path | None) -> str | Path | None:
    """Resolve a category map relative to a folder; the name of a bundled one stays.

    Raises:
        DatasetError: The path cannot be read.
    """
    return said if said is None or bundled_name(said) is not None else dataset_path(said, folder)


def _is_path(place: str) -> bool:
    return "/" in place or bool(Path(place).suffix)
