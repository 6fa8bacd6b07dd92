"""YAML files of a declared shape."""

from pathlib import Path
from typing import TypeVar

import msgspec

from ._errors import DatasetError

T = TypeVar("T")


def read_yaml(path: Path, shape: type[T], what: str = "table") -> T:
    """Return the content of a file.

    Args:
        path: The file, UTF-8.
        shape: What it must hold.
        what: What it is, for the message.

    Raises:
        DatasetError: It cannot be read or holds something else; the message says where.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content: object = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=loader)
        return msgspec.convert(content, shape)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise DatasetError(f"{path}: is no {what} that can be read: {said}") from error
