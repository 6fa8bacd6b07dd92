"""Writes what a page shows first: what was asked and how, what to beware of, and the figures."""

from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import Any, cast

import msgspec

from ...common import escape_line
from ...datasets import load_taxonomy
from ...deliberation import JuryCard
from ..figures import HEAT_BOUNDS
from ..metrics import RunSummary, describe_cost
from ..record import protocol_of
from ..report import StoredRun, report_data, said_of
from ..report.card import describe_labels, headline
from ._figures import figure_names
from ._source import PageSource

Data = dict[str, Any]
_LOG = "run.log"
_LAST_BYTES = 16_384


def overview_data(source: PageSource) -> Data:
    """Return all that a page shows first, but for the charts.

    The figures of targets are those of `report --format json`, under the same names.
    """
    runs = [
        _run(source, number, run, summary)
        for number, (run, summary) in enumerate(zip(source.runs, source.summaries, strict=True))
    ]
    return {
        "safejury": _version(),
        "made": source.opened.isoformat(timespec="seconds"),
        "texts": source.options.texts,
        "by": source.options.by,
        "runs": runs,
        "targets": _ranked(source),
        "titles": _titles(),
        "heat_bounds": HEAT_BOUNDS[1:-1],
        "notes": source.leaderboard.notes,
        "card": _card(source.leaderboard.card),
        "count": source.count,
        **figure_names(source),
    }


def _version() -> str:
    from ... import __version__

    return __version__


def _run(source: PageSource, number: int, run: StoredRun, summary: RunSummary) -> Data:
    meta, info = run.reader.meta, msgspec.to_builtins(run.info, enc_hook=str)
    said = msgspec.to_builtins(
        said_of(run, summary, source.options.wanted, errors=source.options.texts)
    )
    protocol = protocol_of(meta.identity)
    jury: dict[str, Any] = dict(meta.identity.get("jury", {}))
    foreperson = jury.get("foreperson")
    return {
        "name": escape_line(source.leaderboard.runs[number].name),
        "safejury": info["safejury"],
        "planned": info["cases_planned"],
        "notes": said["notes"],
        "warnings": said["warnings"],
        "comparability": [each["text"] for each in said["comparability"]],
        "digest": run.integrity.digest,
        **_times(run.directory),
        "seats": info["jury"],
        "foreperson": _model_of(foreperson),
        "protocol": {
            "name": meta.protocol,
            "rule": str(protocol.rule),
            "talk": protocol.talk,
        },
        "rubric": info["rubric"] and info["rubric"]["name"],
        "dataset": _dataset(info["dataset"]),
        "epochs": max((target.epochs for target in summary.targets), default=0),
        "conditions": sorted({target.condition for target in summary.targets if target.condition}),
        "cost": None if summary.spent is None else describe_cost(summary.spent),
        "talk": msgspec.to_builtins(run.talk(summary)),
    }


def _model_of(said: Any) -> str | None:
    """Return the model that a config gives the foreperson."""
    return cast("dict[str, Any]", said).get("model") if isinstance(said, dict) else None


def _dataset(said: Any) -> Data:
    """Return what is said of a set, without where it lies on the machine of the run."""
    known = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    return {
        "name": Path(str(known.get("path") or known.get("name") or "")).name,
        "sha256": known.get("sha256"),
    }


def _times(directory: Path) -> Data:
    """Return when a run was begun and when its log ends; nothing where it has none.

    The times of its files say less: a copy has others.
    """
    try:
        with (directory / _LOG).open("rb") as log:
            first = log.readline()
            log.seek(max(log.seek(0, SEEK_END) - _LAST_BYTES, 0))
            lines = log.read().splitlines()
    except OSError:
        return {"begun": None, "ended": None}
    stamps = [said for line in lines if (said := _time(line)) is not None]
    return {"begun": _time(first), "ended": stamps[-1] if stamps else None}


def _time(line: bytes) -> str | None:
    try:
        return datetime.fromisoformat(line[:19].decode()).isoformat()
    except ValueError:
        return None  # the rest of a traceback


def _ranked(source: PageSource) -> list[Data]:
    """Return the targets in the order of the leaderboard, under the names that they have there."""
    found: dict[tuple[str, str], Data] = {}
    board = source.leaderboard
    for number, summary in enumerate(source.summaries):
        for target in cast("list[Data]", report_data({}, summary)["targets"]):
            found[board.runs[number].name, target["name"]] = {**target, "run": number}
    return [
        {
            **found[row.run, row.summary.name],
            "name": row.name,
            "latency": msgspec.to_builtins(board.response_times(row)),
        }
        for row in board.rows
    ]


def _card(card: JuryCard | None) -> list[str] | None:
    """Return what a jury card says of the jury, in sentences; None without one."""
    return None if card is None else [describe_labels(card), headline(card)]


def _titles() -> Data:
    """Return the titles of the bundled scenarios and categories, by id."""
    taxonomy = load_taxonomy()
    return {
        **{each.id: each.title for each in taxonomy.categories},
        **{each.id: each.title for each in taxonomy.scenarios},
    }
