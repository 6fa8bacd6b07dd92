"""The summary as CSV and as Markdown."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

from ..agents import BallotOutcome
from ..deliberation import harmless_line
from ._intervals import Rate
from ._parity import ParityFlag
from ._report_health import health_warnings
from ._report_words import (
    ASKED_DIFFERENTLY,
    MISSING,
    Cell,
    coefficient,
    complete_words,
    cost,
    count,
    dollars,
    guarded,
    index,
    index_span,
    many,
    percent,
    points,
    ranked,
    span,
    title,
    unseen_media,
    verdicts_by_intent,
)
from ._spent import SPENT_COLUMNS, csv_columns, spent_words
from ._summary import Breakdown, FlipCounts, JurorBallots, RunSummary, TargetSummary
from ._thresholds import NO_FACTS, USUAL, RunFacts, Thresholds, first_warnings


def report_csv(
    summary: RunSummary, parity: Sequence[ParityFlag] = (), *, facts: RunFacts = NO_FACTS
) -> str:
    """Return one row for each target's total, categories, scenarios and jurors, and one of the run.

    Numbers are plain (shares in [0, 1]), and an empty cell means that nothing was measured. Text
    that a spreadsheet would run as a formula starts with `'`. Unfinished runs say so in each row.

    Args:
        summary: What the run found.
        parity: What makes the targets hard to compare; stands in the totals' rows.
        facts: What else is known of the run.
    """
    out = StringIO()
    rows = [row for target in summary.targets for row in _csv_rows(target, parity, facts)]
    warnings = [*first_warnings(summary), *health_warnings(summary, facts=facts)]
    if summary.spent is not None or warnings:
        row: dict[str, Cell] = {**dict.fromkeys(_CSV_COLUMNS), "level": "run"}
        row |= {} if summary.spent is None else csv_columns(summary.spent)
        rows.append({**row, "warnings": " ".join(warnings) or None})
    if summary.unfinished is not None:
        rows = [{**row, "unfinished": f"unfinished: {summary.unfinished}"} for row in rows]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    writer.writerows([guarded(cell) for cell in row.values()] for row in rows)
    return out.getvalue()


def _csv_rows(
    target: TargetSummary, parity: Sequence[ParityFlag], facts: RunFacts
) -> Iterator[dict[str, Cell]]:
    flags = [flag.text for flag in parity if target.target in flag.targets]
    yield {
        **_csv_row(target.name, "total", "", target),
        "left_out": facts.of(target).cases(target.planned or target.cases),
        **_rate("contested", target.contested),
        **_rate("initial_asr", target.initial_asr),
        "asr_complete": target.asr_complete.micro,
        **_ends("asr_complete", target.asr_complete.interval),
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
        "estimated_calls": target.estimated.calls,
        "estimated_tokens": target.estimated.tokens,
        "estimated_cost_usd": target.estimated.usd,
        "intents_assumed": target.intents_assumed,
        "given_up": target.given_up,
        "asr_with_given_up": target.asr_with_given_up and target.asr_with_given_up.micro,
        "asked_differently": " ".join(flags) or None,
        "rubric_sha256": facts.rubric and facts.rubric[1],
        "system_sha256": facts.systems.get(target.target),
    }
    for name, part in target.categories.items():
        yield _csv_row(target.name, "category", name, part)
    for name, part in target.scenarios.items():
        yield _csv_row(target.name, "scenario", name, part)
    for name, ballots in target.jurors.items():
        yield _csv_juror(target.name, name, ballots)


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
        **_ends("asr", asr.interval),
        **_ends("asr_bound", asr.bounds),
        "asr_n": asr.n,
        "asr_unsafe": asr.unsafe,
        "asr_queries": asr.queries,
        **_ends("asr_macro", asr.macro_interval),
        "sri_micro": sri.micro,
        "sri_macro": sri.macro,
        **_ends("sri", sri.interval),
        "sri_n": sri.n,
        **_ends("sri_macro", sri.macro_interval),
        "sri_mean_of_ballots": sri.mean_of_ballots,
        "harmful": part.harmful,
        "benign": part.benign,
        **_rate("over_refusal", part.over_refusal),
        **_rate("benign_unsafe", part.benign_unsafe),
    }


def _rate(name: str, rate: Rate) -> dict[str, Cell]:
    said = {name: rate.value, **_ends(name, rate.interval)}
    return {**said, f"{name}_n": rate.n, f"{name}_queries": rate.queries}


def _unseen(target: TargetSummary, medium: str) -> float | None:
    """Return the share of votes without a medium and what it says; None where none has it."""
    ways = target.media.get(medium, {})
    return ways.get("withheld", 0) / sum(ways.values()) if ways else None


def _csv_juror(target: str, name: str, ballots: JurorBallots) -> dict[str, Cell]:
    return {
        **dict.fromkeys(_CSV_COLUMNS),
        "target": target,
        "level": "juror",
        "name": name,
        "ballots": ballots.asked,
        **{f"ballots_{outcome}": number for outcome, number in ballots.outcomes.items()},
        "ballots_kept": ballots.kept,
        "verdicts_lacking": ballots.verdicts_lacking,
        "verdicts_without_vote": ballots.verdicts_without_vote,
    }


def _ends(name: str, interval: tuple[float, float] | None) -> dict[str, Cell]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


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
    *(*SPENT_COLUMNS, "warnings"),
)


def report_markdown(
    run_info: Mapping[str, object],
    summary: RunSummary,
    *,
    notes: Sequence[str] = (),
    parity: Sequence[ParityFlag] = (),
    wanted: Thresholds = USUAL,
    facts: RunFacts = NO_FACTS,
) -> str:
    """Return a report for a page or an issue.

    Args:
        run_info: Facts of the run, such as its name; shown as a list.
        summary: What the run found.
        notes: Sentences that the reader must see first.
        parity: What makes the targets hard to compare.
        wanted: What passes without a warning.
        facts: What else is known of the run.
    """
    lines = ["# Safety report", ""]
    lines += [f"- {_inline(key)}: {_inline(value)}" for key, value in run_info.items()]
    lines += [""] if run_info else []
    warnings = [*first_warnings(summary), *notes, *unseen_media(summary)]
    warnings += health_warnings(summary, wanted=wanted, facts=facts)
    lines += _listed("Read this first", warnings)
    lines += _listed(ASKED_DIFFERENTLY, [flag.text for flag in parity])
    lines += _leaderboard(ranked(summary))
    lines += _verdicts(ranked(summary))
    lines += _benign([target for target in ranked(summary) if target.benign])
    for target in ranked(summary):
        lines += _target_section(target)
    if summary.spent is not None:
        lines += ["## Spent", "", spent_words(summary.spent), ""]
    return "\n".join(lines).rstrip() + "\n"


def _listed(heading: str, said: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *(f"- {_inline(line)}" for line in said), ""] if said else []


def _leaderboard(targets: Iterable[TargetSummary]) -> list[str]:
    header = (
        "target|ASR %|95 % interval|n|queries|macro ASR %|95 % interval|SRI|95 % interval|"
        "macro SRI|SRI by means|coverage %|cost"
    )
    rows = [
        [
            target.name,
            *_asr(target),
            points(target.asr.macro),
            span(target.asr.macro_interval),
            index(target.sri.micro),
            index_span(target.sri.interval),
            index(target.sri.macro),
            index(target.sri.mean_of_ballots),
            points(target.coverage),
            cost(target),
        ]
        for target in targets
    ]
    reading = (
        "ASR: unsafe verdicts per harmful query, lower is safer; n: harmful cases with a verdict; "
        "queries: different ones among them; macro: mean of the categories. SRI: 20 to 100, "
        "higher is safer, from each case's median rating; by means: from its mean rating. "
        f"{MISSING}: nothing was measured."
    )
    return ["## Targets", "", *_table(header, rows), "", reading, ""]


def _asr(part: Breakdown | TargetSummary) -> list[str]:
    asr = part.asr
    return [points(asr.micro), span(asr.interval), count(asr.n), count(asr.queries)]


def _verdicts(targets: Iterable[TargetSummary]) -> list[str]:
    rows = [
        [target.name, *row.in_words()] for target in targets for row in verdicts_by_intent(target)
    ]
    header = "target|intent|cases|unsafe|safe|no verdict|gave up"
    return ["## Cases by verdict", "", *_table(header, rows), ""]


def _benign(targets: Sequence[TargetSummary]) -> list[str]:
    if not targets:
        return []
    header = "target|over-refusal %|95 % interval|n|queries|unsafe %|95 % interval|n|queries"
    rows = [
        [target.name, *_rate_words(target.over_refusal), *_rate_words(target.benign_unsafe)]
        for target in targets
    ]
    return ["## Benign queries", "", *_table(header, rows), ""]


def _rate_words(rate: Rate) -> list[str]:
    return [points(rate.value), span(rate.interval), count(rate.n), count(rate.queries)]


def _target_section(target: TargetSummary) -> list[str]:
    header = (
        "category and scenario|ASR %|95 % interval|n|queries|SRI|over-refusal %|n|"
        "benign unsafe %|n|coverage %|cases"
    )
    rows: list[list[str]] = []
    for category, part in target.categories.items():
        rows.append(_part_row(f"**{_inline(title(category))}**", part))
        rows += [
            _part_row(_inline(title(name)), scenario)
            for name, scenario in target.scenarios.items()
            if name.partition(".")[0] == category
        ]
    name = _inline(target.name)
    return [f"## {name}", "", *_table(header, rows, escaped=True), "", *_jury_lines(target), ""]


def _part_row(name: str, part: Breakdown) -> list[str]:
    return [
        name,
        *_asr(part),
        index(part.sri.micro),
        points(part.over_refusal.value),
        count(part.over_refusal.n),
        points(part.benign_unsafe.value),
        count(part.benign_unsafe.n),
        points(part.coverage),
        count(part.cases),
    ]


def _jury_lines(target: TargetSummary) -> list[str]:
    return [
        f"- Responses: {_counted(target.outcomes.responses)}",
        f"- Verdicts: {_counted(target.outcomes.verdicts)}",
        f"- Ballots: {_counted(target.outcomes.ballots)}",
        *([f"- Truncated: {complete_words(target)}"] if target.truncated_judged else []),
        *(_juror_line(name, ballots) for name, ballots in target.jurors.items()),
        _round_zero(target),
        _talking(target.flips),
        _spent(target),
    ]


def _juror_line(name: str, ballots: JurorBallots) -> str:
    missing = {
        outcome.value: ballots.outcomes[outcome]
        for outcome in BallotOutcome
        if outcome is not BallotOutcome.VERDICT and ballots.outcomes[outcome]
    }
    said = f", {_counted(missing)}" if missing else ""
    return (
        f"- Juror {_inline(name)}: {count(ballots.outcomes[BallotOutcome.VERDICT])} votes in "
        f"{many(ballots.asked, 'ballot')} of all rounds{said}; "
        f"{percent(ballots.kept)} not lost to failed calls or the budget, "
        f"{many(ballots.verdicts_without_vote, 'verdict lacks', 'verdicts lack')} its vote in a "
        f"round ({count(ballots.verdicts_lacking)} of them for such a loss)"
    )


def _round_zero(target: TargetSummary) -> str:
    return (
        f"- Round 0: ASR {_with_n(target.initial_asr)}, contested {_with_n(target.contested)}, "
        f"pairwise agreement {percent(target.agreement.pairwise)}, "
        f"Krippendorff's alpha {coefficient(target.agreement.alpha)} "
        f"(n = {count(target.agreement.cases)})"
    )


def _with_n(rate: Rate) -> str:
    return f"{percent(rate.value)} ({span(rate.interval)}, n = {count(rate.n)})"


def _talking(flips: FlipCounts) -> str:
    return (
        f"- Talking: cases discussed {count(flips.cases_discussed)}, jurors flipped to unsafe "
        f"{count(flips.to_unsafe)} and to safe {count(flips.to_safe)}, verdicts changed "
        f"{count(flips.verdicts_changed)}"
    )


def _spent(target: TargetSummary) -> str:
    tokens, charged = target.tokens, target.estimated
    text = (
        f"- Spent: calls {count(target.calls)}, prompt tokens {count(tokens.prompt)} "
        f"(cached {count(tokens.cached)}), completion tokens {count(tokens.completion)}, "
        f"cost {cost(target)}"
    )
    if not charged.calls:
        return text
    said = f"{count(charged.tokens)} tokens, {dollars(charged.usd)}"
    return f"{text}, counted by estimate beside it {many(charged.calls, 'call')} ({said})"


def _counted(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{count(number)} {_inline(title(name))}" for name, number in outcomes.items())


def _table(header: str, rows: Iterable[Sequence[str]], *, escaped: bool = False) -> list[str]:
    names = header.split("|")
    rule = ["---", *("---:" for _ in names[1:])]
    body = [row if escaped else [_inline(row[0]), *row[1:]] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *body)]


def _inline(value: object) -> str:
    """Return text that Markdown and HTML read as nothing but text."""
    text = MISSING if value is None else harmless_line(str(value))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*[]|#!" else c for c in text)
