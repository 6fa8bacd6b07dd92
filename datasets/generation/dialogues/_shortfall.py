"""What a stage says when it ends with less than was wanted."""

from ..._errors import ModelError, PanelRefusedError
from ._tally import Tally

_REASONS = {
    "generator_refused": "{} replies of the generator were refusals",
    "generator_filtered": "{} were filtered by its provider",
    "generator_unparsed": "{} could not be read",
    "refused_items": "{} single items were refusals",
    "judge_refused": "{} replies of judges were refusals",
    "judge_filtered": "{} of judges were filtered",
    "judge_unparsed": "{} of judges could not be read",
}


def check_shortfall(stage: str, tally: Tally, *, made: int, wanted: int, kept_in: str) -> None:
    """Say how it went wrong, where it did; what was made is on disk already.

    Args:
        stage: The stage's name.
        tally: What happened.
        made: How many items were made.
        wanted: How many were wanted.
        kept_in: File in which all that was said is listed.

    Raises:
        ModelError: Something is missing and calls failed: repeating may help.
        PanelRefusedError: Nothing was made at all.
    """
    if made >= wanted:
        return
    if tally.failed:
        raise ModelError(
            f"{stage}: {made} of {wanted} were made and {tally.failed} model calls failed, "
            f"the last one so: {tally.failure}; repeat the command, which asks for what is missing"
        )
    if made == 0:
        said = [
            words.format(tally.counts[name])
            for name, words in _REASONS.items()
            if tally.counts[name]
        ]
        why = ", ".join(said) or "nothing was left of what was proposed"
        raise PanelRefusedError(
            f"{stage}: not one of {wanted} could be made ({why}); "
            f"see {kept_in}, and name other models for the generator or the panel"
        )
