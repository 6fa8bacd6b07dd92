"""Writes a comparison as JSON, CSV or Markdown, and the queries that changed."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from io import StringIO
from typing import Any, Literal

from ...common.text import escape_formula
from ..report import inline, markdown_table
from ._figures import METRICS, ChangedQuery, Comparison, Metric, PairedTargets, RateDifference
from ._words import (
    BY_CATEGORY,
    LABELS,
    MINUS,
    change_by,
    changes_of,
    first_lines,
    missing_of,
    p_of,
    pair_name,
    side_name,
    size_of,
    span_of,
    unpaired_of,
    value_of,
    verdict_of,
)

ComparisonForm = Literal["json", "csv", "md"]
_CHANGED = (*(each.name for each in fields(ChangedQuery)), "forced")
_COLUMNS = (
    *("run_first", "target_first", "condition_first"),
    *("run_second", "target_second", "condition_second", "attack", "category", "metric", "n"),
    *("first", "second", "difference", "low", "high", "level", "p", "mid_p", "adjusted_p", "test"),
    *("higher_first", "higher_second", "detectable", "no_verdict", "bound_low", "bound_high"),
    *("is_shown", "safer", "forced"),
)
_HEADER = f"|A|B|B {MINUS} A|"


def written_comparison(
    comparison: Comparison,
    form: ComparisonForm,
    changed: Iterable[ChangedQuery] | None = None,
) -> Iterator[str]:
    """Yield a comparison in a form, piece by piece; it has no word of what was asked or answered.

    Args:
        comparison: The comparison.
        form: The form. `csv` has a row a metric and category, or with `changed` a row a query.
        changed: The queries that changed, which are written as they come; None to leave them out.
    """
    match form:
        case "json":
            yield from _json(comparison, changed)
        case "csv":
            columns = _COLUMNS if changed is None else _CHANGED
            rows = _rows(comparison) if changed is None else (asdict(one) for one in changed)
            yield from _csv(columns, rows, " ".join(comparison.forced))
        case "md":
            yield from (f"{line}\n" for line in _markdown(comparison, changed))


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data, as its JSON has it."""
    return {
        "level": comparison.level,
        "seed": comparison.seed,
        "forced": list(comparison.forced),
        "notes": list(comparison.notes),
        "pairs": [_pair_data(pair) for pair in comparison.pairs],
    }


def _pair_data(pair: PairedTargets) -> dict[str, Any]:
    data = asdict(pair)
    data["verdict"] = verdict_of(pair)
    data["rates"] = {metric: _rate_data(rate) for metric, rate in pair.rates.items()}
    data["categories"] = {
        name: {metric: _rate_data(rate) for metric, rate in part.items() if rate.n}
        for name, part in pair.categories.items()
    }
    return data


def _rate_data(rate: RateDifference) -> dict[str, Any]:
    return {**asdict(rate), "is_shown": rate.is_shown, "safer": rate.safer}


def _json(comparison: Comparison, changed: Iterable[ChangedQuery] | None) -> Iterator[str]:
    text = json.dumps(comparison_data(comparison), indent=2, allow_nan=False)
    if changed is None:
        yield f"{text}\n"
        return
    yield f'{text.removesuffix("}").rstrip()},\n  "cases": ['
    for number, one in enumerate(changed):
        yield f"{',' if number else ''}\n    {json.dumps(asdict(one))}"
    yield "\n  ]\n}\n"


def _csv(columns: Iterable[str], rows: Iterable[dict[str, object]], forced: str) -> Iterator[str]:
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = list(columns)
    writer.writerow(names)
    for row in rows:
        yield file.getvalue()
        file.seek(0)
        file.truncate()
        known = {**row, "forced": forced}
        writer.writerow([escape_formula(known[name]) for name in names])
    yield file.getvalue()


def _rows(comparison: Comparison) -> Iterator[dict[str, object]]:
    for pair in comparison.pairs:
        parts = [("", pair.rates), *pair.categories.items()]
        for category, rates in parts:
            for metric in METRICS:
                if metric in rates and (rates[metric].n or not category):
                    yield _row(pair, category, rates[metric])


def _row(pair: PairedTargets, category: str, rate: RateDifference) -> dict[str, object]:
    sides = {
        f"{key}_{which}": getattr(side, key)
        for which, side in (("first", pair.first), ("second", pair.second))
        for key in ("run", "target", "condition")
    }
    (low, high), bounds = rate.interval or (None, None), rate.bounds or (None, None)
    ends = {"low": low, "high": high, "bound_low": bounds[0], "bound_high": bounds[1]}
    sides["attack"] = pair.second.attack
    return {**sides, "category": category, **_rate_data(rate), **ends}


def _markdown(comparison: Comparison, changed: Iterable[ChangedQuery] | None) -> Iterator[str]:
    yield "# Comparison"
    for said in first_lines(comparison):
        yield ""
        yield f"> {inline(said)}"
    for pair in comparison.pairs:
        yield ""
        yield f"## {inline(pair_name(pair))}"
        yield ""
        yield f"- A: {inline(side_name(pair.first))}"
        yield f"- B: {inline(side_name(pair.second))}"
        yield f"- {unpaired_of(pair)}"
        yield ""
        yield f"**{verdict_of(pair)}**"
        for said in filter(None, [missing_of(pair), changes_of(pair)]):
            yield ""
            yield said
        yield ""
        rows = [(LABELS[metric], pair.rates[metric]) for metric in METRICS if pair.rates[metric].n]
        yield from _table(rows, comparison.level, ())
        for metric in BY_CATEGORY:
            yield from _by_category(pair, metric, comparison.level)
    if changed is not None:
        yield ""
        yield from _changed_lines(changed)


def _by_category(pair: PairedTargets, metric: Metric, level: float) -> Iterator[str]:
    rows = [(name, part[metric]) for name, part in pair.categories.items() if part[metric].n]
    if len(rows) < 2:
        return
    yield ""
    yield f"### {LABELS[metric]} by category"
    yield ""
    yield from _table(rows, level, ("p Holm",))


def _table(
    rows: Iterable[tuple[str, RateDifference]], level: float, added: tuple[str, ...]
) -> Iterator[str]:
    more = "".join(f"{name}|" for name in added)
    header = f"{_HEADER}{100 * level:g} % interval|p|{more}n|detectable|no verdict"
    yield from markdown_table(header, [_cells(name, row, bool(added)) for name, row in rows])


def _cells(name: str, row: RateDifference, adjusted: bool) -> list[str]:
    return [
        name.replace("_", " "),
        value_of(row.metric, row.first),
        value_of(row.metric, row.second),
        change_by(row.metric, row.difference),
        span_of(row.metric, row.interval),
        p_of(row.p),
        *([p_of(row.adjusted_p)] if adjusted else []),
        f"{row.n:,}",
        size_of(row.metric, row.detectable),
        f"{row.no_verdict:,}",
    ]


def _changed_lines(changed: Iterable[ChangedQuery]) -> Iterator[str]:
    yield "| changed | query | category | A | B |"
    yield "| --- | --- | --- | --- | --- |"
    for one in changed:
        words = (one.change, one.category, one.finding_first, one.finding_second)
        change, category, before, after = (inline(word.replace("_", " ")) for word in words)
        yield f"| {change} | {inline(one.query_id)} | {category} | {before} | {after} |"
