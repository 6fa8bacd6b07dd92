"""Writes a report as CSV."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from ...agents import BallotOutcome, RemarkOutcome
from ...common.text import escape_formula
from ..metrics import (
    COST_COLUMNS,
    LABEL,
    NO_FACTS,
    Breakdown,
    ComparabilityFlag,
    GuardFigures,
    JurorBallots,
    Rate,
    RunFacts,
    RunSummary,
    TargetSummary,
    csv_columns,
    first_warnings,
)
from ..trust.talk import TalkFigures, TargetTalk
from ._health import health_warnings
from ._talk import NO_TALK, audit_cells, juror_cells, talk_cells
from ._words import NO_LABEL, Cell, ends
from .corrected import corrected_fields


def report_csv(
    summary: RunSummary,
    comparability: Sequence[ComparabilityFlag] = (),
    *,
    notes: Sequence[str] = (),
    facts: RunFacts = NO_FACTS,
    talk: TalkFigures = NO_TALK,
) -> str:
    """Write a row for each target, category, scenario and juror, and one for the run.

    Numbers are plain (shares in [0, 1]), and an empty cell means that nothing was measured. Text
    that a spreadsheet would run as a formula starts with `'`. Each row of an unfinished run says
    so. In the rows of a breakdown by label, `level` is the label's name.

    Args:
        summary: The figures of the run.
        comparability: What makes the targets hard to compare; goes into the rows of totals.
        notes: Sentences that the reader must see first; go with the warnings.
        facts: Other facts of the run.
        talk: What talking did; its columns are the last, and there only where there was any.
    """
    out = StringIO()
    rows = [
        row
        for target in summary.targets
        for row in _csv_rows(
            target, comparability, facts, summary.by, talk.targets.get(target.name)
        )
    ]
    warnings = [*first_warnings(summary), *notes, *health_warnings(summary, facts=facts)]
    if summary.spent is not None or warnings:
        row: dict[str, Cell] = {**dict.fromkeys(_CSV_COLUMNS), "level": "run"}
        row |= {} if summary.spent is None else csv_columns(summary.spent)
        row |= audit_cells(talk)
        rows.append({**row, "warnings": " ".join(warnings) or None})
    if summary.unfinished is not None:
        rows = [{**row, "unfinished": f"unfinished: {summary.unfinished}"} for row in rows]
    writer = csv.writer(out, lineterminator="\n")
    columns = list(dict.fromkeys([*_CSV_COLUMNS, *(name for row in rows for name in row)]))
    writer.writerow(columns)
    writer.writerows([escape_formula(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()


def _csv_rows(
    target: TargetSummary,
    comparability: Sequence[ComparabilityFlag],
    facts: RunFacts,
    by: str | None,
    talk: TargetTalk | None,
) -> Iterator[dict[str, Cell]]:
    flags = [flag.text for flag in comparability if target.target in flag.targets]
    yield {
        **_csv_row(target.name, "total", "", target),
        "left_out": facts.of(target).cases(target.planned or target.cases),
        **_rate("contested", target.contested),
        **_rate("initial_asr", target.initial_asr),
        "asr_complete": target.asr_complete.micro,
        **ends("asr_complete", target.asr_complete.interval),
        "asr_complete_n": target.asr_complete.n,
        "truncated_judged": target.truncated_judged,
        "image_unseen": _unseen(target, "image"),
        "audio_unheard": _unseen(target, "audio"),
        "calls": target.calls,
        "prompt_tokens": target.tokens.prompt,
        "cached_tokens": target.tokens.cached,
        "completion_tokens": target.tokens.completion,
        "cost_usd": target.cost_usd,
        "cost_usd_known": target.cost_usd_known,
        "server_gpu_hours": target.server_time and target.server_time.gpu_hours,
        "server_usd": target.server_time and target.server_time.usd,
        "estimated_calls": target.estimated.calls,
        "estimated_tokens": target.estimated.tokens,
        "estimated_cost_usd": target.estimated.usd,
        "intents_assumed": target.intents_assumed,
        "given_up": target.given_up,
        "asr_with_given_up": target.asr_with_given_up and target.asr_with_given_up.micro,
        "asked_differently": " ".join(flags) or None,
        "model": facts.models.get(target.target) or None,
        "rubric_sha256": facts.rubric and facts.rubric[1],
        "system_sha256": facts.systems.get(target.target),
        "foreperson_decided": target.foreperson.decided,
        "foreperson_unlike_majority": target.foreperson.differing,
        "foreperson_undecided": target.foreperson.undecided,
        "summaries_dropped": target.foreperson.summaries_dropped,
        **{f"turns_{outcome}": number for outcome, number in target.talk.items()},
        **talk_cells(talk),
    }
    for name, part in target.categories.items():
        yield _csv_row(target.name, "category", name, part)
    for name, part in target.scenarios.items():
        yield _csv_row(target.name, "scenario", name, part)
    if by is not None and by.startswith(LABEL):  # else the rows are there
        for group in target.groups:
            name = NO_LABEL if group.value is None else group.value
            yield _csv_row(target.name, by, name, group.figures)
    for name, ballots in target.jurors.items():
        moves = None if talk is None else talk.jurors.get(name)
        yield {**_csv_juror(target, name, ballots), **juror_cells(moves)}


def _csv_row(
    target: str, level: str, name: str, part: Breakdown | TargetSummary
) -> dict[str, Cell]:
    asr, sri = part.asr, part.sri
    return {
        **dict.fromkeys(_CSV_COLUMNS),
        "target": target,
        "level": level,
        "name": name,
        "planned": part.planned,
        "cases": part.cases,
        "verdicts": part.verdicts,
        "coverage": part.coverage,
        "asr_micro": asr.micro,
        "asr_macro": asr.macro,
        **ends("asr", asr.interval),
        **ends("asr_bound", asr.bounds),
        "asr_n": asr.n,
        "asr_unsafe": asr.unsafe,
        "asr_queries": asr.queries,
        **ends("asr_macro", asr.macro_interval),
        "sri_micro": sri.micro,
        "sri_macro": sri.macro,
        **ends("sri", sri.interval),
        "sri_n": sri.n,
        **ends("sri_macro", sri.macro_interval),
        "sri_mean_of_ballots": sri.mean_of_ballots,
        "harmful": part.harmful,
        "benign": part.benign,
        **corrected_fields(part),
        **_rate("over_refusal", part.over_refusal),
        **_rate("benign_unsafe", part.benign_unsafe),
    }


def _rate(name: str, rate: Rate) -> dict[str, Cell]:
    said = {name: rate.value, **ends(name, rate.interval)}
    return {**said, f"{name}_n": rate.n, f"{name}_queries": rate.queries}


def _unseen(target: TargetSummary, medium: str) -> float | None:
    """Return the share of votes cast without a medium or its words; None without such queries."""
    ways = target.media.get(medium, {})
    return ways.get("withheld", 0) / sum(ways.values()) if ways else None


def _csv_juror(target: TargetSummary, name: str, ballots: JurorBallots) -> dict[str, Cell]:
    guard = target.guards.get(name)
    return {
        **dict.fromkeys(_CSV_COLUMNS),
        "target": target.name,
        "level": "juror" if guard is None else "guard",
        "name": name,
        "ballots": ballots.asked,
        **{f"ballots_{outcome}": number for outcome, number in ballots.outcomes.items()},
        "ballots_kept": ballots.kept,
        "verdicts_lacking": ballots.verdicts_lacking,
        "verdicts_without_vote": ballots.verdicts_without_vote,
        "ballots_quoting": ballots.quoting,
        "ballots_misquoting": ballots.misquoting,
        **({} if guard is None else _csv_guard(guard)),
    }


def _csv_guard(guard: GuardFigures) -> dict[str, Cell]:
    return {
        "guard_unsafe": guard.unsafe,
        "guard_agreement": guard.pairwise,
        "guard_compared": guard.compared,
        "guard_unsafe_alone": guard.unsafe_alone,
        "guard_safe_alone": guard.safe_alone,
    }


_CSV_COLUMNS = (
    *("target", "level", "name", "unfinished", "planned", "cases", "verdicts", "coverage"),
    *("asr_micro", "asr_macro", "asr_low", "asr_high", "asr_n"),
    *("asr_bound_low", "asr_bound_high"),
    *("sri_micro", "sri_macro", "sri_low", "sri_high", "sri_n"),
    *("over_refusal", "over_refusal_low", "over_refusal_high", "over_refusal_n"),
    *("contested", "initial_asr", "benign_unsafe"),
    *("calls", "prompt_tokens", "cached_tokens", "completion_tokens"),
    *("cost_usd", "cost_usd_known"),
    *("estimated_calls", "estimated_tokens", "estimated_cost_usd"),
    *("asked_differently", "intents_assumed", "given_up", "asr_with_given_up"),
    *("rubric_sha256", "system_sha256"),
    *("harmful", "benign", "asr_unsafe", "asr_queries", "asr_macro_low", "asr_macro_high"),
    *("sri_macro_low", "sri_macro_high", "sri_mean_of_ballots", "over_refusal_queries"),
    *("benign_unsafe_low", "benign_unsafe_high", "benign_unsafe_n", "benign_unsafe_queries"),
    *("contested_low", "contested_high", "contested_n", "contested_queries"),
    *("initial_asr_low", "initial_asr_high", "initial_asr_n", "initial_asr_queries"),
    *("asr_complete", "asr_complete_low", "asr_complete_high", "asr_complete_n"),
    *("truncated_judged", "image_unseen", "audio_unheard", "left_out"),
    *("ballots", *(f"ballots_{outcome}" for outcome in BallotOutcome)),
    *("ballots_kept", "verdicts_lacking", "verdicts_without_vote"),
    *(*COST_COLUMNS, "warnings", "model"),
    *("ballots_quoting", "ballots_misquoting"),
    *("foreperson_decided", "foreperson_unlike_majority", "foreperson_undecided"),
    "summaries_dropped",
    *("guard_unsafe", "guard_agreement", "guard_compared"),
    *("guard_unsafe_alone", "guard_safe_alone"),
    *(f"turns_{outcome}" for outcome in RemarkOutcome),
)
