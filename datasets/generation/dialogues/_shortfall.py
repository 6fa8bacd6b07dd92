"""What a stage says when it ends with less than was wanted."""

from ..._errors import ModelError, PanelRefusedError
from .._workshop import Workshop
from ._tally import MISSING_SCORES, Tally

_REASONS = {
    "generator_refused": "{} replies of the generator were refusals",
    "generator_filtered": "{} were filtered by its provider",
    "generator_unparsed": "{} could not be read",
    "refused_items": "{} single items were refusals",
    "judge_refused": "{} replies of judges were refusals",
    "judge_filtered": "{} of judges were filtered",
    "judge_unparsed": "{} of judges could not be read",
}


def check_shortfall(
    workshop: Workshop,
    stage: str,
    tally: Tally,
    *,
    made: int,
    wanted: int,
    kept_in: str,
    none_will_do: bool = False,
) -> None:
    """Say how it went wrong, where it did; what was made is on disk already.

    Args:
        workshop: Is told which judges left out scores, and which calls nobody need repeat.
        stage: The stage's name.
        tally: What happened.
        made: How many items were made.
        wanted: How many were wanted.
        kept_in: File in which all that was said is listed.
        none_will_do: Whether none at all is a result too.

    Raises:
        ModelError: Calls failed that may go well another time, or something is missing
            for calls that failed.
        PanelRefusedError: Nothing was made at all.
    """
    for name, missing in tally.sorted().items():
        if name.startswith(MISSING_SCORES):
            judge = name.removeprefix(MISSING_SCORES)
            texts = "1 text" if missing == 1 else f"{missing} texts"
            workshop.progress.told(f"{stage}: {judge} left out the scores of {texts}")
    failed = f"{tally.failed} model calls failed, the last one so: {tally.failure}"
    if tally.passing or (tally.failed and made < wanted):
        raise ModelError(
            f"{stage}: {made} of {wanted} were made and {failed}; repeat the command, "
            "which asks for what is missing"
        )
    if tally.failed:
        workshop.progress.told(f"{stage}: {failed}; --again {stage} makes them once more")
    if made == 0 and wanted and not none_will_do:
        raise PanelRefusedError(
            f"{stage}: not one of {wanted} could be made ({_why(tally)}); "
            f"see {kept_in}, and name other models for the generator or the panel"
        )


def _why(tally: Tally) -> str:
    said = [
        words.format(tally.counts[name]) for name, words in _REASONS.items() if tally.counts[name]
    ]
    return ", ".join(said) or "nothing was left of what was proposed"
