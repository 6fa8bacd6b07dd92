"""What must be the same on all nodes of a run, told without importing what is heavy."""

import hashlib
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_FOLDERS = (
    *("agents", "assembly", "common", "datasets", "deliberation", "evaluation"),
    *("models", "targets"),
)
"""Those that a worker uses."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is installed on a node, and what its processes lack.

    Attributes:
        python: Version of Python.
        version: Version of safejury.
        sources: Hash of the code that a worker uses.
        unset: Environment variables of the run's keys that are not set.
    """

    python: str
    version: str
    sources: str
    unset: tuple[str, ...]


def facts_here(variables: Iterable[str] = ()) -> Facts:
    """Return what is installed here.

    Args:
        variables: Environment variables that are to hold keys.
    """
    unset = tuple(name for name in variables if not os.environ.get(name, "").strip())
    return Facts(platform.python_version(), version("safejury"), _hash_of_sources(), unset)


def _hash_of_sources() -> str:
    root, hashed = Path(__file__).resolve().parents[3], hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".yaml") and path.is_file():
                hashed.update(f"{path.relative_to(root)}\0".encode())
                hashed.update(path.read_bytes())
    return hashed.hexdigest()
