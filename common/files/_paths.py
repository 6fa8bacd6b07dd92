"""Resolves paths in configs, and explains why a file cannot be written."""

from pathlib import Path

from .._errors import ConfigurationError, RecordError
from ..text import quoted


def resolve_path(folder: Path, name: str) -> Path:
    """Resolve a path in a config that lies in `folder`.

    Raises:
        ConfigurationError: It starts with the home directory of an unknown user.
    """
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"the path {quoted(name)} starts with an unknown home directory: write the full path"
        ) from None


def is_written_as_path(name: str) -> bool:
    """Return whether a name starts like a path (`/`, `./`, `../` or `~`)."""
    return name.startswith(("/", "./", "../", "~"))


def write_error(path: Path, error: OSError) -> RecordError:
    """Return the error for a file in a run directory that cannot be written."""
    return RecordError(
        f"{path}: cannot be written ({error.strerror}): free some space or fix the "
        "directory, then repeat the command."
    )
