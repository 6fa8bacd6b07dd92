"""Writes what a page shows first: what was asked and how, what to beware of, and the figures."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from ...datasets import load_taxonomy
from ..metrics import RunSummary, describe_cost
from ..record import protocol_of
from ..report import StoredRun, report_data, said_of
from ._figures import figure_names
from ._source import PageSource

Data = dict[str, Any]
_QUANTILES = (0.5, 0.95)
_LOG = "run.log"


def overview_data(source: PageSource) -> Data:
    """Return all that a page shows first, but for the charts.

    The figures of targets are those of `report --format json`, under the same names.
    """
    runs: list[Data] = []
    targets: list[Data] = []
    for number, (run, summary) in enumerate(zip(source.runs, source.summaries, strict=True)):
        runs.append(_run(source, run, summary))
        targets += _targets(number, run, summary)
    return {
        "safejury": _version(),
        "made": source.opened.isoformat(timespec="seconds"),
        "texts": source.options.texts,
        "by": source.options.by,
        "runs": runs,
        "targets": targets,
        "titles": _titles(),
        "count": source.count,
        **figure_names(source),
    }


def _version() -> str:
    from ... import __version__

    return __version__


def _run(source: PageSource, run: StoredRun, summary: RunSummary) -> Data:
    meta, info = run.reader.meta, msgspec.to_builtins(run.info, enc_hook=str)
    said = msgspec.to_builtins(said_of(run, summary, source.options.wanted))
    protocol = protocol_of(meta.identity)
    jury: dict[str, Any] = dict(meta.identity.get("jury", {}))
    foreperson = jury.get("foreperson")
    return {
        "name": info["name"] or run.directory.name,
        "safejury": info["safejury"],
        "planned": info["cases_planned"],
        "finished": info["cases_finished"],
        "unfinished": summary.unfinished,
        "embedded": run.uses_embedded,
        "notes": said["notes"],
        "warnings": said["warnings"],
        "comparability": [each["text"] for each in said["comparability"]],
        "digest": run.integrity.digest,
        "unchained": run.integrity.unchained,
        "begun": _begun(run.directory),
        "written": _written(run.directory),
        "seats": info["jury"],
        "foreperson": _model_of(foreperson),
        "protocol": {
            "name": meta.protocol,
            "rule": str(protocol.rule),
            "talk": protocol.talk,
            "stop": protocol.stop,
            "rounds": protocol.rounds,
            "turns": protocol.turns,
        },
        "rubric": info["rubric"] and info["rubric"]["name"],
        "systems": {name: each["sha256"] for name, each in info["systems"].items()},
        "models": info["models"],
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


def _begun(directory: Path) -> str | None:
    """Return when a run was begun, by the first line of its log."""
    try:
        with (directory / _LOG).open(encoding="utf-8") as log:
            return datetime.fromisoformat(log.readline()[:19]).isoformat()
    except (OSError, ValueError):
        return None


def _written(directory: Path) -> str | None:
    """Return when something was last written to a record."""
    times = [
        found.st_mtime
        for path in directory.glob("record.sqlite*")
        if path.suffix != "-shm" and (found := path.stat()).st_size
    ]
    return datetime.fromtimestamp(max(times)).isoformat(timespec="seconds") if times else None


def _targets(number: int, run: StoredRun, summary: RunSummary) -> Iterator[Data]:
    latencies = run.reader.pages().latencies()
    for target in cast("list[Data]", report_data({}, summary)["targets"]):
        seconds = latencies.get((target["target"], target["condition"]), ())
        yield {**target, "run": number, "latency": _quantiles(seconds)}


def _quantiles(seconds: Sequence[float]) -> Data | None:
    """Return the median and the 95th percentile, None where nothing was measured."""
    if not seconds:
        return None
    last = len(seconds) - 1
    middle, most = (seconds[round(share * last)] for share in _QUANTILES)
    return {"n": len(seconds), "median": middle, "p95": most}


def _titles() -> Data:
    """Return the titles of the bundled scenarios and categories, by id."""
    taxonomy = load_taxonomy()
    return {
        **{each.id: each.title for each in taxonomy.categories},
        **{each.id: each.title for each in taxonomy.scenarios},
    }
