"""What a stage says when it ends with less than was wanted."""

from ...common import PanelRefusedError
from ..pipeline import StageContext
from ._dialogue_counts import MISSING_SCORES, DialogueCounts

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
    context: StageContext,
    stage: str,
    counts: DialogueCounts,
    *,
    made: int,
    wanted: int,
    kept_in: str,
    none_will_do: bool = False,
) -> None:
    """Say how it went wrong, where it did; what was made is on disk already.

    Args:
        context: Is told which judges left out scores, and which calls failed.
        stage: The stage's name.
        counts: What happened.
        made: How many items were made.
        wanted: How many were wanted.
        kept_in: File in which all that was said is listed.
        none_will_do: Whether none at all is a result too.

    Raises:
        ModelError: Calls failed and nothing was made at all, or they may go well another
            time and failures are not accepted.
        PanelRefusedError: Nothing was made at all, and no call failed.
    """
    for name, missing in counts.sorted().items():
        if name.startswith(MISSING_SCORES):
            judge = name.removeprefix(MISSING_SCORES)
            texts = "1 text" if missing == 1 else f"{missing} texts"
            context.progress.notify(f"{stage}: {judge} left out the scores of {texts}")
    empty = made == 0 and wanted > 0 and not none_will_do
    if counts.failed:
        counts.settle(
            context,
            stage,
            f"{made} of {wanted} were made and {counts.failed} model calls failed, the last one so",
            may_pass=counts.passing > 0,
            empty=empty,
        )
    if empty:
        raise PanelRefusedError(
            f"{stage}: not one of {wanted} could be made ({_why(counts)}); "
            f"see {kept_in}, and name other models for the generator or the panel"
        )


def _why(counts: DialogueCounts) -> str:
    said = [
        words.format(counts.counts[name]) for name, words in _REASONS.items() if counts.counts[name]
    ]
    return ", ".join(said) or "nothing was left of what was proposed"
