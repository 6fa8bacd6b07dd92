"""YAML with the line of every value, for errors that point at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml

from ..datasets import ConfigurationError

Step = str | int


class Document:
    """A YAML file as plain data, with the line of each key and item.

    Attributes:
        path: Where it was read.
        data: Its content.
    """

    def __init__(self, path: Path, node: yaml.Node | None, data: object) -> None:
        self.path = path
        self.data = data
        self._node = node

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file.

        Raises:
            ConfigurationError: It is not there, not UTF-8, not YAML, or has a key twice.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise ConfigurationError(
                f"{path}: there is no such file: `safejury init` writes a config to start from."
            ) from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path}: not UTF-8 text.") from None
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be read ({error.strerror}).") from None
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            document = cls(path, node, yaml.safe_load(text))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigurationError(f"{path}:{line}: not YAML: {error.problem}.") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ConfigurationError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
        document._refuse_repeated_keys(node)
        return document

    def place(self, steps: Sequence[Step]) -> str:
        """Return `file:line` of the deepest part of a path that is in the file."""
        node, line = self._node, 1
        for step in steps:
            child = _child(node, step)
            if child is None:
                break
            line, node = child
        return f"{self.path}:{line}"

    def _refuse_repeated_keys(self, node: yaml.Node | None) -> None:
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._refuse_repeated_keys(item)
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ConfigurationError(
                    f"{self.path}:{key.start_mark.line + 1}: the key {name!r} is given twice."
                )
            seen.add(name)
            self._refuse_repeated_keys(value)


def _child(node: yaml.Node | None, step: Step) -> tuple[int, yaml.Node] | None:
    """Return the line and the node that a key or an index leads to."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = cast(yaml.Node, node.value[step])
        return item.start_mark.line + 1, item
    return None
