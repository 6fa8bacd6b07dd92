"""The pipeline's prompts: files beside this module, whose hashes decide what is made anew."""

import hashlib
from functools import cache
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).with_name("prompts")


@cache
def _source(name: str) -> bytes:
    return (_FOLDER / f"{name}.md").read_bytes()


@cache
def _template(name: str) -> Template:
    return Template(_source(name).decode("utf-8").replace("\r\n", "\n"))


def render(name: str, **fields: object) -> str:
    """Return a prompt with its fields filled in, without a line feed at its end.

    Fields are filled in one pass: words put in are never searched for fields, so
    dollar signs and braces in them stay as they are.

    Args:
        name: A file of the folder `prompts`, without its ending.
        fields: What stands for each `$field` of the file.

    Raises:
        KeyError: A field of the file is missing.
    """
    return _template(name).substitute(fields).rstrip("\n")


def prompt_hashes(*names: str) -> dict[str, str]:
    """Return the SHA-256 hex digest of each prompt file, by its name; of all without names."""
    chosen = names or tuple(sorted(path.stem for path in _FOLDER.glob("*.md")))
    return {name: hashlib.sha256(_source(name)).hexdigest() for name in chosen}
