"""Reports stages that made less than was wanted."""

from ...common import PanelRefusedError
from ..pipeline import StageContext
from ._dialogue_counts import MISSING_SCORES, DialogueCounts

_REASONS = {
    "generator_refused": "the generator refused {} times",
    "generator_filtered": "its provider filtered {} replies",
    "generator_unparsed": "{} replies were unparsable",
    "refused_items": "{} single items were refusals",
    "judge_refused": "judges refused {} times",
    "judge_filtered": "{} replies of judges were filtered",
    "judge_unparsed": "{} replies of judges were unparsable",
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
    """Report missing scores and failed calls, and fail if nothing was made.

    Args:
        context: Reports which judges left out scores, and which calls failed.
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
            context.progress.notify(f"{stage}: {judge} gave no scores for {texts}")
    empty = made == 0 and wanted > 0 and not none_will_do
    if counts.failed:
        counts.settle(
            context,
            stage,
            f"made {made} of {wanted}, {counts.failed} model calls failed; last error",
            may_pass=counts.passing > 0,
            empty=empty,
        )
    if empty:
        raise PanelRefusedError(
            f"{stage}: none of {wanted} could be made ({_why(counts)}); "
            f"see {kept_in}, and try other models for the generator or the panel"
        )


def _why(counts: DialogueCounts) -> str:
    said = [
        words.format(counts.counts[name]) for name, words in _REASONS.items() if counts.counts[name]
    ]
    return ", ".join(said) or "no proposal was left"
