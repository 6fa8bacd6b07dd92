"""Paths that a config names, and files that cannot be written."""

from pathlib import Path

from .._errors import ConfigurationError, RecordError
from ..text import quoted


def beside(folder: Path, name: str) -> Path:
    """Return the path that a config in `folder` names.

    Raises:
        ConfigurationError: It begins with the home of somebody who is not there.
    """
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"the path {quoted(name)} begins with a home that is not known: write it out"
        ) from None


def is_written_as_path(name: str) -> bool:
    """Return whether a name that may be a path begins as one."""
    return name.startswith(("/", "./", "../", "~"))


def unwritable(path: Path, error: OSError) -> RecordError:
    """Return the error of a file in a run's directory that cannot be written."""
    return RecordError(
        f"{path}: cannot be written ({error.strerror}): free some space or mend the "
        "directory, then repeat the command."
    )
