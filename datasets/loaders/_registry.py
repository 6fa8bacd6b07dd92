"""Registers loaders by name, and finds the one for a path."""

from importlib import import_module
from pathlib import Path

from ...common import DatasetError
from ...common.text import did_you_mean, quoted
from .base import Loader

LOADERS: dict[str, str] = {
    "safebench": "safebench._safebench",
    "mm-safetybench": "published._mm_safetybench",
    "figstep": "published._figstep",
    "jailbreakv-28k": "published._jailbreakv",
    "vlguard": "published._vlguard",
    "hades": "published._hades",
    "msts": "published._msts",
    "siuo": "published._siuo",
    "mossbench": "published._mossbench",
    "xstest": "published._xstest",
    "harmbench": "published._harmbench",
    "strongreject": "published._strongreject",
    "jailbreakbench": "published._jailbreakbench",
    "ailuminate": "published._ailuminate",
    "hf": "plain._hugging_face",
    "jsonl": "plain._jsonl",
    "csv": "plain._csv",
    "parquet": "plain._parquet",
}
"""The module of each loader by the loader's name; it is imported when first used, and
holds the loader as `LOADER`. A path is offered to the loaders in this order, so plain
tables come last."""


BY_NAME = frozenset({"hf"})
"""Loaders whose path is the name of a set that lies elsewhere, not a path."""


def loader_key(name: str) -> str:
    """Normalize a loader's name: `mm-safetybench` for `MM_SafetyBench`."""
    return name.strip().casefold().replace("_", "-")


def loader_named(name: str) -> Loader:
    """Return the loader with a name.

    Raises:
        DatasetError: There is no loader with this name.
    """
    module = LOADERS.get(loader_key(name))
    if module is None:
        raise DatasetError(
            f"there is no loader {quoted(name)}"
            f"{did_you_mean(name, LOADERS) or '; known are ' + ', '.join(LOADERS)}"
        )
    return import_module(f"{__package__}.{module}").LOADER


def loader_for(path: Path) -> Loader | None:
    """Return the loader that recognizes a path as its dataset, None if none does.

    Of several for a file, the first is used: a plain table may be a published dataset.

    Raises:
        DatasetError: Several loaders recognize a folder, or a file needed to decide is a pointer
            of Git LFS.
    """
    loaders = (each for each in map(loader_named, LOADERS) if each.recognizes(path))
    first = next(loaders, None)
    if first is not None and path.is_dir() and (others := list(loaders)):
        ways = " or ".join(f"{each.name}:{path}" for each in (first, *others))
        raise DatasetError(f"{path}: has several datasets: write {ways}")
    return first
