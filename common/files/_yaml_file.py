"""Reads YAML and keeps the line of every value, for precise error messages."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._errors import ConfigurationError, DatasetError
from ..text import quoted

if TYPE_CHECKING:
    import yaml

Step = str | int
T = TypeVar("T")


class YamlDocument:
    """A YAML document as plain data, with the line number of each key and item.

    Args:
        path: Where its text was read.
        text: The text.

    Attributes:
        path: Where it was read.
        data: Its content.

    Raises:
        ConfigurationError: It is not YAML, or has a key twice.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            self._node, self.data = _parse(text)
        except _Unreadable as error:
            where = path if error.line is None else f"{path}:{error.line}"
            raise ConfigurationError(f"{where}: {error.why}") from None

    def place(self, steps: Sequence[Step]) -> str:
        """Return `file:line` of a value, or of its closest parent in the file."""
        node = self._node
        line = node.start_mark.line + 1 if node else 1
        for step in steps:
            child = _child(node, step)
            if child is None:
                break
            line, node = child
        return f"{self.path}:{line}"


def read_yaml(path: Path, shape: type[T], what: str = "table") -> T:
    """Read a YAML file and convert it to `shape`.

    Args:
        path: The file, UTF-8.
        shape: What it must hold.
        what: What it is, for the message.

    Raises:
        DatasetError: It cannot be read or holds something else; the message says where.
    """
    import msgspec

    try:
        return msgspec.convert(_parse(path.read_text(encoding="utf-8-sig"))[1], shape)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, _Unreadable) as error:
        said = " ".join(str(error).split())
        raise DatasetError(f"{path}: is not a valid {what}: {said}") from error


class _Unreadable(Exception):
    def __init__(self, line: int | None, why: str) -> None:
        super().__init__(why if line is None else f"line {line}: {why}")
        self.line = line
        self.why = why


def _parse(text: str) -> "tuple[yaml.Node | None, object]":
    """Return the root node of a document, with line numbers, and its data."""
    import yaml

    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else cast(Any, loader).construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _Unreadable(line, f"not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _Unreadable(None, f"not YAML: {' '.join(str(error).split())}") from None


@cache
def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    fast: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Once(fast):
        """Rejects duplicate keys in a mapping, where YAML keeps the last one."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
            seen: set[object] = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in seen:
                    twice = f"the key {quoted(key.value)} is given twice"
                    raise _Unreadable(key.start_mark.line + 1, twice)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Once


def _child(node: "yaml.Node | None", step: Step) -> "tuple[int, yaml.Node] | None":
    """Return the line and the node of a key or an index."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = cast("yaml.Node", node.value[step])
        return item.start_mark.line + 1, item
    return None
