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
OF_QUOTES = ("juror_misquoted", "juror_quotes")
"""Those for jurors that are asked for the words they rely on."""
FIRST_BALLOT_PROMPTS = (
    *("juror_case", "juror_request", "juror_retry", "juror_rubric", "juror_task"),
    *("juror_transcript", *OF_QUOTES),
)
"""Those of a ballot of round 0."""
_DECLINED = '"declined"'
OF_TALK = (
    "juror_revote",
    "juror_talk",
    "juror_turn",
    "juror_turn_reply",
    "juror_turn_retry",
    "juror_turn_words",
)
"""Those for jurors that speak with each other."""
OF_DECISION = ("foreperson_decision", "foreperson_retry")
"""Those for a foreperson that decides."""
OF_AUDIT = ("juror_reflection",)
"""Those for jurors that vote once more without having heard the others."""
_FOLDER = PromptFolder(Path(__file__).parent)


def render(name: str, **fields: str) -> str:
    """Return a prompt with its fields filled in; see `PromptFolder.render`.

    Args:
        name: One of `PROMPTS`, `OF_QUOTES`, `OF_TALK`, `OF_DECISION` or `OF_AUDIT`, or a part of a
            user's own rubric.
        fields: What stands for each `$field` of the file.
    """
    return _FOLDER.render(name, **fields)


def with_quotes(words: str) -> str:
    """Return words of ours on the keys of a ballot, with one more key: `quotes`.

    Args:
        words: How a ballot is written, or the keys that it has.
    """
    key = render("juror_quotes").strip()
    # In a list of keys alone, what goes into them has been said.
    named = key if f"{_DECLINED}: " in words else key.partition(":")[0]
    return words.replace(_DECLINED, f"{named}, {_DECLINED}", 1)


def prompt_hashes(
    *, quotes: bool = False, talk: bool = False, decides: bool = False, audits: bool = False
) -> dict[str, str]:
    """Return the SHA-256 hex digest of each prompt file, by its name.

    Args:
        quotes: Whether jurors are asked for the words that they rely on.
        talk: Whether they speak with each other.
        decides: Whether the foreperson's model decides.
        audits: Whether they vote again without having heard the others.
    """
    more = (
        (quotes, OF_QUOTES),
        (talk, OF_TALK),
        (decides, OF_DECISION),
        (audits, OF_AUDIT),
    )
    return _FOLDER.hashes((*PROMPTS, *(name for used, names in more if used for name in names)))
