"""Saves and reports the result of the stage `taxonomy`."""

from collections.abc import Sequence

from ...common.text import whole_percent
from ..items import TaxonomySettings
from ..pipeline import TAXONOMY, TAXONOMY_LOG
from ._items import Proposal
from ._model_calls import TaxonomyCalls

STAGE = "taxonomy"


def keep_proposals(calls: TaxonomyCalls, proposals: Sequence[Proposal]) -> None:
    """Save all proposals and counts, and report how the stage went."""
    context, counts = calls.context, calls.counts
    for state in ("kept", "voted_down", "passed_over", "unscored"):
        counts[state] = sum(one.state == state for one in proposals)
    context.folder.write(TAXONOMY_LOG, proposals)
    context.folder.count(STAGE, {k: n for k, n in counts.items() if n})
    notify = context.progress.notify
    notify(
        f"{STAGE}: {counts['proposed']} proposed, {counts['merged']} merged, "
        f"{counts['kept']} kept, {counts['voted_down']} voted down, "
        f"{counts['passed_over']} passed over, {counts['unscored']} unscored"
    )
    for purpose in ("propose", "merge", "score", "group", "write"):
        if problem := calls.missing_replies(purpose):
            notify(f"{STAGE}: {purpose}: {problem}")
    if counts["missing_votes"]:
        notify(f"{STAGE}: {counts['missing_votes']} votes are missing; see {TAXONOMY_LOG}")
    if counts["grouped_as_other"]:
        notify(f"{STAGE}: {counts['grouped_as_other']} scenarios are in the category `other`")
    if counts["general_guidelines"]:
        notify(
            f"{STAGE}: {counts['general_guidelines']} scenarios have a general guideline: "
            f"improve them in {TAXONOMY}"
        )


def check_calls(calls: TaxonomyCalls, *, empty: bool = False) -> None:
    """Check that no failed call may succeed if the command is repeated.

    Args:
        calls: Who was asked.
        empty: Whether there is no scenario at all.

    Raises:
        ModelError: Calls failed that may go well another time, and failures are not
            accepted or there is no scenario.
    """
    if calls.passing:
        failed = f"{calls.passing} model calls failed; last error"
        calls.settle(calls.context, STAGE, failed, may_pass=True, empty=empty)


def why_none(
    calls: TaxonomyCalls, proposals: Sequence[Proposal], settings: TaxonomySettings
) -> str:
    """Say why there is no scenario, and what to do about it."""
    if not proposals:
        said = calls.missing_replies("propose") or "its replies hold none"
        return f"the panel proposed no scenario: {said}; try other models, or `taxonomy: bundled`"
    if calls.counts["voted_down"]:
        lost, share = calls.counts["voted_down"], whole_percent(settings.votes)
        return (
            f"none of {lost} scenarios has {share} of the votes: lower `votes`, or try other "
            f"models; see {TAXONOMY_LOG}"
        )
    said = calls.missing_replies("score") or "its replies hold no votes and scores"
    return (
        f"the panel scored none of {calls.counts['unscored']} scenarios: {said}; "
        f"try other models; see {TAXONOMY_LOG}"
    )
