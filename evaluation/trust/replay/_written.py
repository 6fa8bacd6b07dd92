"""Writes a replay as text, JSON, CSV or JSON lines."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from io import StringIO
from typing import Any, Literal

from ....common import escape_line
from ....common.text import aligned, escape_formula, many, percent, span
from ...metrics import Rate
from ...trials import reported_name
from ._replay import ChangedFinding, Replay

ReplayForm = Literal["text", "json", "csv", "jsonl"]
SHOWN = 20
"""Changed cases that are shown as text, unless all are asked for."""
_COLUMNS = ("case_id", "target", "scenario", "before", "after", "why", "probability")


def written_replay(replay: Replay, form: ReplayForm, *, shown: int | None = SHOWN) -> str:
    """Return a replay in a form; it has no word of what was asked or answered.

    Args:
        replay: The replay.
        form: `text` and `json` have all figures, `csv` and `jsonl` only the changed cases, a row
            each.
        shown: Changed cases that text has at most; None for all.
    """
    match form:
        case "text":
            return "".join(f"{line}\n" for line in _text(replay, shown))
        case "json":
            return json.dumps(_data(replay), indent=2, allow_nan=False) + "\n"
        case "jsonl":
            return "".join(f"{json.dumps(_row(change))}\n" for change in replay.changes)
        case "csv":
            return _csv(replay.changes)


def _row(change: ChangedFinding) -> dict[str, object]:
    row = asdict(change)
    return {name: row[name] for name in _COLUMNS}


def _csv(changes: Iterable[ChangedFinding]) -> str:
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([escape_formula(cell) for cell in _row(change).values()] for change in changes)
    return file.getvalue()


def _data(replay: Replay) -> dict[str, Any]:
    return {
        "run": replay.run,
        "terms": list(replay.terms),
        "cases": replay.cases,
        "planned": replay.planned,
        "changed": len(replay.changes),
        "unknown": replay.unknown,
        "counts": [
            {"before": before, "after": after, "cases": cases}
            for (before, after), cases in replay.counts.items()
        ],
        "asr": [
            {
                "target": each.target,
                "condition": each.condition,
                "before": _rate(each.before),
                "after": _rate(each.after),
                "unknown": each.unknown,
            }
            for each in replay.targets
        ],
        "ballots": {**asdict(replay.asked), "share": replay.asked.share},
        "notes": list(replay.notes),
        "changes": [_row(change) for change in replay.changes],
    }


def _rate(rate: Rate) -> dict[str, object]:
    return {"value": rate.value, "interval": rate.interval, "n": rate.n, "unsafe": rate.count}


def _text(replay: Replay, shown: int | None) -> Iterator[str]:
    changed = len(replay.changes) - replay.unknown
    known = f", {replay.unknown:,} not known" if replay.unknown else ""
    of = "" if replay.cases == replay.planned else f" of {replay.planned:,}, finished so far"
    yield escape_line(f"{replay.run}: {many(replay.cases, 'case')}{of}, decided again.")
    yield escape_line(f"  {'; '.join(replay.terms) or 'nothing is different'}")
    yield f"{many(changed, 'finding')} changed{known}."
    moved = [(pair, n) for pair, n in replay.counts.items() if pair[0] != pair[1]]
    yield from aligned([(f"{old} -> {new}", f"{n:,}") for (old, new), n in moved])
    if replay.targets:
        yield ""
        yield from aligned([("attack success", "before", "now"), *_rates(replay)])
    asked = replay.asked
    if asked.after != asked.before:
        yield ""
        yield (
            f"Ballots: {asked.after:,} of {asked.before:,} ({percent(asked.share)}); in round 0 "
            f"{asked.first / asked.cases:.1f} of {asked.seats} jurors a case."
        )
    if replay.notes:
        yield ""
        yield from (f"Note: {escape_line(note)}" for note in replay.notes)
    some = replay.changes[:shown]
    if some:
        yield ""
        yield from aligned([_cells(change) for change in some])
    if more := len(replay.changes) - len(some):
        yield f"  and {more:,} more: --all shows them, --out FILE writes them."


def _cells(change: ChangedFinding) -> tuple[str, ...]:
    moved = f"{change.before} -> {change.after}"
    return escape_line(change.case_id), moved, escape_line(change.why)


def _rates(replay: Replay) -> Iterator[tuple[str, ...]]:
    for each in replay.targets:
        name = escape_line(reported_name(each.target, each.condition))
        unknown = f", {each.unknown:,} not known" if each.unknown else ""
        yield name, _said(each.before), f"{_said(each.after)}{unknown}"


def _said(rate: Rate) -> str:
    said = percent(rate.value)
    return f"{said} ({span(rate.interval)}; n {rate.n:,})" if rate.n else said
