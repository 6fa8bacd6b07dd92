"""What must be the same on all nodes of a run, told without importing what is heavy."""

import hashlib
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_FOLDERS = (
    *("agents", "assembly", "common", "datasets", "deliberation", "evaluation"),
    *("models", "targets"),
)
"""Those that a worker uses."""

_SAME = "install the same one on every node"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is installed on a node, and what its processes lack.

    Attributes:
        python: Version of Python.
        ray: Version of Ray.
        version: Version of safejury.
        sources: Hash of the code that a worker uses.
        unset: Environment variables of the run's keys that are not set.
    """

    python: str
    ray: str
    version: str
    sources: str
    unset: tuple[str, ...]

    def problems(self, found: object, node: str) -> list[str]:
        """Return why a node cannot have workers of a process with these facts.

        Args:
            found: The node's own facts, or why it has none.
            node: Its name.
        """
        if not isinstance(found, Facts):
            return [f"the node {node} has no usable safejury: {found}"]
        for name, there, here in (
            ("Python", _minor(found.python), _minor(self.python)),
            ("Ray", found.ray, self.ray),
            ("safejury", found.version, self.version),
        ):
            if there != here:
                other = f"{name} {there}, and this command is of {here}"
                return [f"the node {node} has {other}: {_SAME}"]
        if found.sources != self.sources:
            return [f"the node {node} has another safejury {self.version} than this one: {_SAME}"]
        return [
            f"the node {node} lacks the environment variable {name}: export it there before "
            "`ray start`"
            for name in found.unset
        ]


def facts_here(variables: Iterable[str] = ()) -> Facts:
    """Return what is installed here.

    Args:
        variables: Environment variables that are to hold keys.
    """
    unset = tuple(name for name in variables if not os.environ.get(name, "").strip())
    return Facts(platform.python_version(), _ray(), version("safejury"), _hash_of_sources(), unset)


def _ray() -> str:
    try:
        return version("ray")
    except PackageNotFoundError:
        return ""


def _minor(python: str) -> str:
    """Return a version of Python without what does not change how objects travel."""
    return ".".join(python.split(".")[:2])


def _hash_of_sources() -> str:
    root, hashed = Path(__file__).resolve().parents[3], hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".yaml") and path.is_file():
                hashed.update(f"{path.relative_to(root)}\0".encode())
                hashed.update(path.read_bytes())
    return hashed.hexdigest()
