"""Reads short text files: personas, rubrics, system prompts."""

from pathlib import Path

from .._errors import ConfigurationError

MOST_BYTES = 64 * 1024
"""Length of the largest file that is read, unless told otherwise."""


def read_text_file(path: Path, what: str, holds: str) -> str:
    """Return the text of a file; see `read_text_and_bytes`."""
    return read_text_and_bytes(path, what, holds)[0]


def read_text_and_bytes(
    path: Path, what: str, holds: str, *, most_bytes: int = MOST_BYTES
) -> tuple[str, bytes]:
    """Return the text of a file and its raw bytes.

    Args:
        path: The file.
        what: What it is called in errors, such as `persona file`.
        holds: What it should hold instead, for errors.
        most_bytes: Length of the largest file that is read.

    Raises:
        ConfigurationError: There is no such file, it is too large, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
        if len(raw) > most_bytes:
            raise ConfigurationError(
                f"{what} {str(path)!r} is larger than {most_bytes // 1024} KiB: name {holds}"
            )
        return raw.decode("utf-8-sig"), raw
    except FileNotFoundError:
        raise ConfigurationError(f"{what} {str(path)!r} does not exist") from None
    except OSError as error:
        raise ConfigurationError(f"{what} {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{what} {str(path)!r} is not UTF-8 text") from None
