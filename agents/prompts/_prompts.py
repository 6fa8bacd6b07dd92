"""The prompts: files beside this module, named in every record by their hash."""

from pathlib import Path

from ...common import PromptFolder

PROMPTS = (
    "foreperson_summary",
    "juror_case",
    "juror_discussion",
    "juror_request",
    "juror_retry",
    "juror_rubric",
    "juror_task",
    "juror_transcript",
)
_FOLDER = PromptFolder(Path(__file__).parent)


def render(name: str, **fields: str) -> str:
    """Return a prompt with its fields filled in; see `PromptFolder.render`.

    Args:
        name: One of `PROMPTS`, or a part of a user's own rubric.
        fields: What stands for each `$field` of the file.
    """
    return _FOLDER.render(name, **fields)


def prompt_hashes() -> dict[str, str]:
    """Return the SHA-256 hex digest of each prompt file, by its name."""
    return _FOLDER.hashes(PROMPTS)
