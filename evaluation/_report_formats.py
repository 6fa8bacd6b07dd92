"""The summary as CSV and as Markdown."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

from ..deliberation import harmless_line
from ._parity import ParityFlag
from ._report_health import MIN_COVERAGE, NOTHING_UNREAD, UnreadRows, health_warnings
from ._report_words import (
    ASKED_DIFFERENTLY,
    MISSING,
    coefficient,
    cost,
    count,
    dollars,
    index,
    many,
    percent,
    points,
    ranked,
    span,
    title,
)
from ._summary import Breakdown, FlipCounts, RunSummary, TargetSummary

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_Cell = str | float | int | None


def report_csv(summary: RunSummary, parity: Sequence[ParityFlag] = ()) -> str:
    """Return one row for each target's total, categories and scenarios.

    Numbers are plain (shares in [0, 1]) and an empty cell means that nothing was
    measured. Text that a spreadsheet would run as a formula starts with `'`.

    Args:
        summary: What the run found.
        parity: What makes the targets hard to compare; stands in the totals' rows.
    """
    out = StringIO()
    rows = [row for target in summary.targets for row in _csv_rows(target, parity)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    writer.writerows([_guarded(cell) for cell in row.values()] for row in rows)
    return out.getvalue()


def _guarded(cell: _Cell) -> _Cell:
    if not isinstance(cell, str):
        return cell
    text = harmless_line(cell)
    risky = cell.startswith(_FORMULA_STARTS) or text.startswith(_FORMULA_STARTS)
    return f"'{text}" if risky else text


def _csv_rows(target: TargetSummary, parity: Sequence[ParityFlag]) -> Iterator[dict[str, _Cell]]:
    flags = [flag.text for flag in parity if target.target in flag.targets]
    yield {
        **_csv_row(target.name, "total", "", target),
        "contested": target.contested.value,
        "initial_asr": target.initial_asr.value,
        "benign_unsafe": target.benign_unsafe.value,
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
    }
    for name, part in target.categories.items():
        yield _csv_row(target.name, "category", name, part)
    for name, part in target.scenarios.items():
        yield _csv_row(target.name, "scenario", name, part)


def _csv_row(
    target: str, level: str, name: str, part: Breakdown | TargetSummary
) -> dict[str, _Cell]:
    asr, sri, refusal = part.asr, part.sri, part.over_refusal
    return {
        **dict.fromkeys(_CSV_COLUMNS),
        "target": target,
        "level": level,
        "name": name,
        "cases": part.cases,
        "verdicts": part.verdicts,
        "coverage": part.coverage,
        "asr_micro": asr.micro,
        "asr_macro": asr.macro,
        **_ends("asr", asr.interval),
        **_ends("asr_bound", asr.bounds),
        "asr_n": asr.n,
        "sri_micro": sri.micro,
        "sri_macro": sri.macro,
        **_ends("sri", sri.interval),
        "sri_n": sri.n,
        "over_refusal": refusal.value,
        **_ends("over_refusal", refusal.interval),
        "over_refusal_n": refusal.n,
    }


def _ends(name: str, interval: tuple[float, float] | None) -> dict[str, _Cell]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


_CSV_COLUMNS = (
    *("target", "level", "name", "cases", "verdicts", "coverage"),
    *("asr_micro", "asr_macro", "asr_low", "asr_high", "asr_n"),
    *("asr_bound_low", "asr_bound_high"),
    *("sri_micro", "sri_macro", "sri_low", "sri_high", "sri_n"),
    *("over_refusal", "over_refusal_low", "over_refusal_high", "over_refusal_n"),
    *("contested", "initial_asr", "benign_unsafe"),
    *("calls", "prompt_tokens", "cached_tokens", "completion_tokens"),
    *("cost_usd", "cost_usd_known"),
    *("estimated_calls", "estimated_tokens", "estimated_cost_usd"),
    *("asked_differently", "intents_assumed", "given_up", "asr_with_given_up"),
)


def report_markdown(
    run_info: Mapping[str, object],
    summary: RunSummary,
    *,
    notes: Sequence[str] = (),
    parity: Sequence[ParityFlag] = (),
    unread: Mapping[str, UnreadRows] = NOTHING_UNREAD,
    min_coverage: float = MIN_COVERAGE,
) -> str:
    """Return a report for a page or an issue.

    Args:
        run_info: Facts of the run, such as its name; shown as a list.
        summary: What the run found.
        notes: Sentences that the reader must see first.
        parity: What makes the targets hard to compare.
        unread: What of the targets' files of responses was not read.
        min_coverage: Least coverage, in [0, 1], that passes without a warning.
    """
    lines = ["# Safety report", ""]
    lines += [f"- {_inline(key)}: {_inline(value)}" for key, value in run_info.items()]
    lines += [""] if run_info else []
    warnings = [*notes, *health_warnings(summary, min_coverage=min_coverage, unread=unread)]
    lines += _listed("Read this first", warnings)
    lines += _listed(ASKED_DIFFERENTLY, [flag.text for flag in parity])
    lines += _leaderboard(ranked(summary))
    for target in ranked(summary):
        lines += _target_section(target)
    return "\n".join(lines).rstrip() + "\n"


def _listed(heading: str, said: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *(f"- {_inline(line)}" for line in said), ""] if said else []


def _leaderboard(targets: Iterable[TargetSummary]) -> list[str]:
    header = "target|ASR %|95 % interval|n|macro|SRI|over-refusal %|coverage %|contested %|cost"
    rows = [
        [
            target.name,
            points(target.asr.micro),
            span(target.asr.interval),
            count(target.asr.n),
            points(target.asr.macro),
            index(target.sri.micro),
            points(target.over_refusal.value),
            points(target.coverage),
            points(target.contested.value),
            cost(target),
        ]
        for target in targets
    ]
    reading = (
        "ASR: unsafe verdicts per harmful query, lower is safer; macro: mean of the categories. "
        f"SRI: 20 to 100, higher is safer. {MISSING}: nothing was measured."
    )
    return ["## Targets", "", *_table(header, rows), "", reading, ""]


def _target_section(target: TargetSummary) -> list[str]:
    header = "category and scenario|ASR %|95 % interval|n|SRI|over-refusal %|coverage %"
    rows: list[list[str]] = []
    for category, part in target.categories.items():
        rows.append(_part_row(f"**{_inline(title(category))}**", part))
        rows += [
            _part_row(_inline(title(name)), scenario)
            for name, scenario in target.scenarios.items()
            if name.partition(".")[0] == category
        ]
    lines = [f"## {_inline(target.name)}", ""]
    return [*lines, *_table(header, rows, escaped=True), "", *_jury_lines(target), ""]


def _part_row(name: str, part: Breakdown) -> list[str]:
    return [
        name,
        points(part.asr.micro),
        span(part.asr.interval),
        count(part.asr.n),
        index(part.sri.micro),
        points(part.over_refusal.value),
        points(part.coverage),
    ]


def _jury_lines(target: TargetSummary) -> list[str]:
    return [
        f"- Responses: {_counted(target.outcomes.responses)}",
        f"- Verdicts: {_counted(target.outcomes.verdicts)}",
        f"- Ballots: {_counted(target.outcomes.ballots)}",
        _round_zero(target),
        _talking(target.flips),
        _spent(target),
    ]


def _round_zero(target: TargetSummary) -> str:
    return (
        f"- Round 0: ASR {percent(target.initial_asr.value)} (n = {target.initial_asr.n}), "
        f"pairwise agreement {percent(target.agreement.pairwise)}, "
        f"Krippendorff's alpha {coefficient(target.agreement.alpha)}"
    )


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
