"""What is kept and told of the making of a taxonomy."""

from collections.abc import Sequence

from ..items import TaxonomySettings
from ..pipeline import TAXONOMY, TAXONOMY_LOG
from ._items import Proposal
from ._model_calls import TaxonomyCalls

STAGE = "taxonomy"


def keep_proposals(calls: TaxonomyCalls, proposals: Sequence[Proposal]) -> None:
    """Write down all proposals, what was counted, and say how it went."""
    context, counts = calls.context, calls.counts
    for state in ("kept", "voted_down", "passed_over", "unscored"):
        counts[state] = sum(one.state == state for one in proposals)
    context.folder.write(TAXONOMY_LOG, proposals)
    context.folder.count(STAGE, {k: n for k, n in counts.items() if n})
    tell = context.progress.notify
    tell(
        f"{STAGE}: {counts['proposed']} proposed, {counts['merged']} merged, "
        f"{counts['kept']} kept, {counts['voted_down']} voted down, "
        f"{counts['passed_over']} passed over, {counts['unscored']} unscored"
    )
    for purpose in ("propose", "merge", "score", "group", "write"):
        if missing_replies := calls.missing_replies(purpose):
            tell(f"{STAGE}: {purpose}: {missing_replies}")
    if counts["missing_votes"]:
        tell(f"{STAGE}: {counts['missing_votes']} votes are missing; {TAXONOMY_LOG} says whose")
    if counts["grouped_as_other"]:
        tell(f"{STAGE}: {counts['grouped_as_other']} scenarios are in the category `other`")
    if counts["general_guidelines"]:
        tell(
            f"{STAGE}: {counts['general_guidelines']} scenarios have a general guideline: "
            f"write better ones into {TAXONOMY}"
        )


def check_calls(calls: TaxonomyCalls, *, empty: bool = False) -> None:
    """Check that no call is missing that a repeated command may bring.

    Args:
        calls: Who was asked.
        empty: Whether there is no scenario at all.

    Raises:
        ModelError: Calls failed that may go well another time, and failures are not
            accepted or there is no scenario.
    """
    if calls.passing:
        failed = f"{calls.passing} model calls failed, the last one so"
        calls.settle(calls.context, STAGE, failed, may_pass=True, empty=empty)


def why_none(
    calls: TaxonomyCalls, proposals: Sequence[Proposal], settings: TaxonomySettings
) -> str:
    if not proposals:
        said = calls.missing_replies("propose") or "its replies hold none"
        return f"the panel proposed no scenario: {said}; ask other models, or take `bundled`"
    if calls.counts["voted_down"]:
        return (
            f"none of {calls.counts['voted_down']} scenarios has {settings.votes:.0%} of the "
            f"votes: lower `votes`, or ask other models; {TAXONOMY_LOG} holds the votes"
        )
    said = calls.missing_replies("score") or "its replies hold no votes and scores"
    return (
        f"the panel scored none of {calls.counts['unscored']} scenarios: {said}; "
        f"ask other models; {TAXONOMY_LOG} holds the proposals"
    )
