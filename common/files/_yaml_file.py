"""YAML files of a declared shape."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .._errors import DatasetError
from ..text import quoted

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

    fast: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Once(fast):
        """Refuses a key that stands twice in a mapping, where YAML lets the last one count."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
            seen: set[object] = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in seen:
                    twice = f"the key {quoted(key.value)} is given twice"
                    raise yaml.MarkedYAMLError(problem=twice, problem_mark=key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        content: object = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=Once)
        return msgspec.convert(content, shape)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise DatasetError(f"{path}: is no {what} that can be read: {said}") from error
