"""Opens the dataset that a config or command names, and lists its skipped items."""

from pathlib import Path

from ...assembly.config import SetConfig
from ...datasets import Dataset, LoadedSet, find_set
from ...datasets.loaders import (
    BUNDLED,
    BY_NAME,
    dataset_path,
    resolve_categories,
    split_loader,
)
from ..trials import SKIPPED_ITEMS, write_skipped
from ._queries import QuerySet


def open_dataset(said: str | SetConfig, folder: Path) -> Dataset | LoadedSet:
    """Open the set that a config names.

    Args:
        said: What the config says of the dataset.
        folder: Where its relative paths start.

    Raises:
        DatasetError: There is no such set, or it cannot be used.
    """
    if isinstance(said, str):
        return find_set(said, folder)
    return find_set(
        said.path,
        folder,
        loader=said.loader,
        mapping=said.map,
        settings=said.settings,
        categories=said.categories,
        strict=said.strict,
        limit=said.limit,
    )


def dataset_label(said: str | SetConfig) -> str:
    """Return the name of a dataset in a run's record."""
    return said if isinstance(said, str) else f"{said.loader or 'set'}:{said.path}"


def with_absolute_path(said: str) -> str:
    """Return a set's name with an absolute path, for a config in another folder.

    Raises:
        DatasetError: The path begins with a home that is not known.
    """
    loader, place = split_loader(said)
    if place in BUNDLED or loader in BY_NAME:
        return said
    path = dataset_path(place, None).resolve()
    if loader is None and not path.exists():
        return said
    return str(path) if loader is None else f"{loader}:{path}"


def set_with_absolute_paths(said: SetConfig) -> SetConfig:
    """Return a set with absolute paths, for a config in another folder.

    Raises:
        DatasetError: A path begins with a home that is not known.
    """
    loader, path = split_loader(with_absolute_path(said.path))
    categories = categories_with_absolute_path(said.categories)
    return said.model_copy(
        update={"loader": said.loader or loader, "path": path, "categories": categories}
    )


def categories_with_absolute_path(said: str | None) -> str | None:
    """Return a map of categories with an absolute path; a bundled one has a name."""
    found = resolve_categories(said, None)
    return str(found.resolve()) if isinstance(found, Path) else found


def write_skipped_items(directory: Path, dataset: QuerySet) -> None:
    """Write the list of skipped items of a set; no file if there are none.

    Raises:
        RecordError: It cannot be written.
    """
    items = dataset.left_out() if isinstance(dataset, LoadedSet) else ()
    lines = ({"place": item.where, "why": item.why} for item in items)
    write_skipped(directory / SKIPPED_ITEMS, lines)
