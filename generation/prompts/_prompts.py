"""Renders the prompts of the pipeline, and hashes them."""

from pathlib import Path

from ...common import PromptFolder

_FOLDER = PromptFolder(Path(__file__).parent)


def render(name: str, **fields: object) -> str:
    """Return a prompt with its fields filled in, without a line feed at its end.

    Args:
        name: A file of the folder `prompts`, without its ending.
        fields: What stands for each `$field` of the file.

    Raises:
        KeyError: A field of the file is missing.
    """
    return _FOLDER.render(name, **fields).rstrip("\n")


def prompt_hashes(*names: str) -> dict[str, str]:
    """Return the SHA-256 hex digest of each prompt file, by its name; of all without names."""
    return _FOLDER.hashes(names or _FOLDER.names)
