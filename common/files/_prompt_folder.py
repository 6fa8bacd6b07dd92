"""Loads and renders the prompt files of a folder, and hashes them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from string import Template


class PromptFolder:
    """A folder of prompt templates, each a file `NAME.md` that is read once.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sources: dict[str, bytes] = {}
        self._templates: dict[str, Template] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all prompts in the folder, sorted."""
        return tuple(sorted(path.stem for path in self._path.glob("*.md")))

    def render(self, name: str, **fields: object) -> str:
        """Render a prompt with its fields filled in.

        Fields are filled in one pass: words put in are never searched for fields, so
        dollar signs and braces in them stay as they are.

        Args:
            name: A file of the folder, without its ending.
            fields: What stands for each `$field` of the file.

        Raises:
            KeyError: A field of the file is missing.
        """
        if name not in self._templates:
            text = self._source(name).decode("utf-8").replace("\r\n", "\n")
            self._templates[name] = Template(text)
        return self._templates[name].substitute(fields)

    def hashes(self, names: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 hex digest of each prompt's file, by the prompt's name."""
        return {name: hashlib.sha256(self._source(name)).hexdigest() for name in names}

    def _source(self, name: str) -> bytes:
        if name not in self._sources:
            self._sources[name] = (self._path / f"{name}.md").read_bytes()
        return self._sources[name]
