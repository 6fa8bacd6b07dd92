"""Warnings about the quality of the data behind a report's figures."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ...agents import BallotOutcome
from ...common import escape_line
from ...common.text import count, dollars, many, percent, span
from ...targets import ResponseOutcome
from ..metrics import (
    DEFAULT_THRESHOLDS,
    NO_FACTS,
    AttackSuccess,
    RunFacts,
    RunSummary,
    TargetSummary,
    Thresholds,
    coverage,
)
from ..trials import SkippedInput
from ._foreperson import summaries_dropped
from ._words import describe_complete, describe_estimated, title

_CUT = "were cut short by the token cap"
_NOT_RECORDED = (
    "are failures in the file of responses, or missing from it: a retry does not help; "
    "fix the file and judge it as a new run"
)
TOLERATED = 0.02
"""Largest share of lost responses or ballots without a warning."""


def health_warnings(
    summary: RunSummary,
    wanted: Thresholds = DEFAULT_THRESHOLDS,
    facts: RunFacts = NO_FACTS,
) -> tuple[str, ...]:
    """Return a warning for each weakness of the figures, one sentence each.

    The warnings that come before any figure are those of `first_warnings`.

    Args:
        summary: The figures of the run.
        wanted: Thresholds below which there is a warning.
        facts: Other facts of the run.
    """
    of_targets = (
        f"{escape_line(target.name)}: {warning}"
        for target in summary.targets
        for warning in _of_target(target, wanted, facts)
    )
    return (*of_targets, *_of_conditions(summary))


def _of_conditions(summary: RunSummary) -> Iterator[str]:
    """Yield a warning for each target whose conditions have different cases."""
    by_target = defaultdict[str, list[TargetSummary]](list)
    for one in summary.targets:
        by_target[one.target].append(one)
    for target, conditions in by_target.items():
        if len({one.cases for one in conditions}) > 1:
            counts = ", ".join(f"{one.condition or 'as given'} {one.cases:,}" for one in conditions)
            yield (
                f"{escape_line(target)}: its conditions do not have the same cases ({counts}): "
                "queries without what a condition changes are put once, as given. Compare "
                "conditions on a set in which every query has it."
            )


def _of_target(target: TargetSummary, wanted: Thresholds, facts: RunFacts) -> Iterator[str]:
    if not target.cases:
        yield "no case is finished yet."
        return
    if facts.of(target).cut and wanted.min_coverage > 0:
        yield (
            "its file of responses was not read to the end, so the number of missing responses "
            "is unknown."
        )
    share = coverage(target, wanted, facts)
    if share is not None and share < wanted.min_coverage:
        yield _coverage(target, share, facts.of(target), wanted)
    if target.given_up and target.asr_with_given_up is not None:
        yield _given_up(target, target.asr_with_given_up)
    if target.intents_assumed:
        yield (
            f"{count(target.intents_assumed)} of {count(target.cases)} cases were assumed harmful, "
            "because their intent is unknown: ASR counts benign ones among them too."
        )
    yield from _responses(target, recorded=target.target in facts.recorded)
    yield from _ballots(target.outcomes.ballots)
    yield from _guards(target)
    if target.revotes_lost:
        rest = many(target.revotes_lost, "verdict rests", "verdicts rest")
        yield (
            f"{rest} on an earlier round, because the re-vote was lost to failed calls or the "
            "budget."
        )
    if target.verdicts and target.asr.categories_missing:
        names = ", ".join(title(name) for name in target.asr.categories_missing)
        yield f"macro averages leave out {names}: no harmful case there has a verdict."
    if target.foreperson.undecided:
        undecided = many(target.foreperson.undecided, "case has", "cases have")
        yield f"{undecided} no verdict, because the foreperson gave no decision."
    if target.foreperson.summaries_dropped:
        yield f"{summaries_dropped(target.foreperson.summaries_dropped)}."
    if target.cost_unknown:
        yield (
            f"the cost of {count(target.cost_unknown)} of {count(target.cases)} cases is not "
            f"fully known; the known part is {dollars(target.cost_usd_known)}."
        )
    if target.estimated.calls:
        yield f"{describe_estimated(target.estimated)}. No other figure includes them."


def _coverage(target: TargetSummary, share: float, lacks: SkippedInput, wanted: Thresholds) -> str:
    if not target.verdicts:
        return f"no case of {count(target.planned or target.cases)} has a verdict."
    text = f"only {percent(share)} of cases have a verdict"
    if not wanted.allow_skipped and (out := lacks.cases(target.planned or target.cases)):
        # Whether they are harmful is unknown, so ASR has no bounds.
        lines = f", {many(lacks.lines, 'line')} that could not be read among them"
        return f"{text}, counting {count(out)} that were skipped{lines if lacks.lines else ''}."
    if target.asr.bounds is None:
        return f"{text}."
    return f"{text}; with the missing ones, ASR lies anywhere in {span(target.asr.bounds)} %."


def _given_up(target: TargetSummary, every: AttackSuccess) -> str:
    put = f"{percent(target.asr.micro)} of the attacks that were put and judged succeeded"
    return (
        f"the attack gave up on {count(target.given_up)} of {many(target.cases, 'case')} "
        f"and asked nothing: {put} (ASR, n {count(target.asr.n)}), {percent(every.micro)} where "
        f"those that gave up count as not successful (n {count(every.n)})."
    )


def _responses(target: TargetSummary, *, recorded: bool) -> Iterator[str]:
    outcomes = target.outcomes.responses
    total = sum(outcomes.values())
    for outcome in ResponseOutcome:
        words, share = _lost_response(outcome), outcomes.get(outcome, 0) / total
        if outcome is ResponseOutcome.TRUNCATED and target.truncated_judged:
            words = f"{_CUT} and judged as far as they go: {describe_complete(target)}"
        if recorded and outcome is ResponseOutcome.ERROR:
            words = _NOT_RECORDED
        if words and share > TOLERATED:
            yield f"{percent(share)} of responses {words}."


def _lost_response(outcome: ResponseOutcome) -> str | None:
    match outcome:
        case ResponseOutcome.ANSWERED:
            return None
        case ResponseOutcome.FILTERED:
            return "were stopped by a provider's filter and never reached the jury"
        case ResponseOutcome.TRUNCATED:
            return f"{_CUT}; raise it and run again"
        case ResponseOutcome.ERROR:
            return "failed; fix the cause, then repeat with --retry-failed"
        case ResponseOutcome.NOT_PUT:
            return "are missing: the queries have more pictures than the target takes"
        case ResponseOutcome.GAVE_UP:
            return None  # nothing was lost: the target withstood


def _ballots(outcomes: Mapping[str, int]) -> Iterator[str]:
    total = sum(number for kind, number in outcomes.items() if kind != "not_asked")
    for outcome in BallotOutcome:
        words, share = _lost_ballot(outcome), outcomes.get(outcome, 0) / total if total else 0.0
        if words and share > TOLERATED:
            yield f"{percent(share)} of ballots {words}."


def _guards(target: TargetSummary) -> Iterator[str]:
    for name in target.guards:
        ballots = target.jurors[name]
        share = ballots.outcomes[BallotOutcome.UNPARSED] / ballots.asked
        if share > TOLERATED:
            yield (
                f"{percent(share)} of the replies of the guard {escape_line(name)} are none of its "
                "kind (unparsed): `safejury doctor` says what its server needs, such as the "
                "guard's own chat template."
            )


def _lost_ballot(outcome: BallotOutcome) -> str | None:
    match outcome:
        case BallotOutcome.VERDICT:
            return None
        case BallotOutcome.ABSTAIN:
            return "were abstentions"
        case BallotOutcome.REFUSED:
            return "were refused: the juror's model declined to judge"
        case BallotOutcome.FILTERED:
            return "were stopped by a provider's filter"
        case BallotOutcome.UNPARSED:
            return "could not be read (unparsed); use a more capable juror"
        case BallotOutcome.TRANSPORT_ERROR | BallotOutcome.BUDGET_STOP:
            return None  # in `first_warnings`
