"""The prompts: files beside this module, named in every record by their hash."""

import hashlib
from functools import cache
from pathlib import Path
from string import Template

PROMPTS = (
    "foreperson_summary",
    "juror_case",
    "juror_discussion",
    "juror_retry",
    "juror_rubric",
    "juror_task",
    "juror_transcript",
)
_FOLDER = Path(__file__).with_name("prompts")


@cache
def _source(name: str) -> bytes:
    return (_FOLDER / f"{name}.md").read_bytes()


@cache
def _template(name: str) -> Template:
    return Template(_source(name).decode("utf-8").replace("\r\n", "\n"))


def render(name: str, **fields: str) -> str:
    """Return a prompt with its fields filled in.

    Fields are filled in one pass: words put in are never searched for fields, so
    dollar signs and braces in them stay as they are.

    Args:
        name: One of `PROMPTS`.
        fields: What stands for each `$field` of the file.
    """
    return _template(name).substitute(fields)


def prompt_hashes() -> dict[str, str]:
    """Return the SHA-256 hex digest of each prompt file, by its name."""
    return {name: hashlib.sha256(_source(name)).hexdigest() for name in PROMPTS}
