"""YAML with the line of every value, for errors that point at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml

from ...common import ConfigurationError
from ...common.text import quoted

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
        document._refuse_repeated_keys()
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

    def _refuse_repeated_keys(self) -> None:
        # By identity: an alias stands for the same node again, even within itself.
        nodes: dict[int, yaml.Node] = {}
        waiting = [] if self._node is None else [self._node]
        while waiting:
            node = waiting.pop()
            if id(node) in nodes:
                continue
            nodes[id(node)] = node
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                self._check_keys(node)
                waiting += (value for _, value in node.value)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise ConfigurationError(
                    f"{self.path}:{key.start_mark.line + 1}: the key {quoted(name)} is given twice."
                )
            seen.add(name)


def _child(node: yaml.Node | None, step: Step) -> tuple[int, yaml.Node] | None:
    """Return the line and the node that a key or an index leads to."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = cast(yaml.Node, node.value[step])
        return item.start_mark.line + 1, item
    return None
