"""The manifest of an export, for people and for the next export."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import cast

from ...common.files import atomic_write, private_folder
from ...targets import ResponseOutcome
from ..plan import RunPlan
from ._batch import batch_seats
from ._id import Unsupported

ENDPOINT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class BatchFile:
    """One file of requests.

    Attributes:
        path: Its path.
        model: The model that all requests ask.
        requests: Number of lines.
        size: Size in bytes.
        usd: Maximum cost of live calls in US dollars, None where no price is known.
    """

    path: Path
    model: str
    requests: int
    size: int
    usd: float | None


@dataclass(slots=True)
class Exported:
    """The result of an export.

    Attributes:
        files: The files, in the order of the jury.
        cases: Number of unfinished cases.
        requests: Requests written.
        answered: Requests that have a reply in the record.
        missing: Cases without a response so far, by target.
        unjudged: Cases whose response is not judged, by its outcome.
        unwritable: Requests that cannot be written, such as those too long for a file.
        problems: Why the first of these cannot be written.
    """

    files: list[BatchFile] = field(default_factory=list[BatchFile])
    cases: int = 0
    requests: int = 0
    answered: int = 0
    missing: Counter[str] = field(default_factory=Counter[str])
    unjudged: Counter[ResponseOutcome] = field(default_factory=Counter[ResponseOutcome])
    unwritable: int = 0
    problems: list[str] = field(default_factory=list[str])


def write_manifest(
    path: Path, plan: RunPlan, done: Exported, unsupported: frozenset[Unsupported]
) -> None:
    """Write the manifest of an export.

    Raises:
        OSError: The folder cannot be written.
    """
    written = {
        "safejury": version("safejury"),
        "run": plan.options.name,
        "endpoint": ENDPOINT,
        "requests": done.requests,
        "files": [_entry(file) for file in done.files],
        "cases": done.cases,
        "cases_without_response": dict(done.missing),
        "cases_not_heard": {str(kind): cases for kind, cases in done.unjudged.items()},
        "answered_before": done.answered,
        "not_written": done.unwritable,
        "not_taken": sorted(unsupported),
        "asked_live": [seat for seat, _ in asked_live(plan)],
    }
    private_folder(path.parent)
    with atomic_write(path, private=True) as file:
        file.write(f"{json.dumps(written, indent=2)}\n".encode())


def _entry(file: BatchFile) -> dict[str, object]:
    return {
        "file": file.path.name,
        "model": file.model,
        "requests": file.requests,
        "bytes": file.size,
        "usd_live_at_max_cost": file.usd,
    }


def asked_live(plan: RunPlan) -> list[tuple[str, str]]:
    """Return the seats whose models have no batch API, with these models."""
    reached = {seat.info.seat for seat in batch_seats(plan)}
    return [(info.seat, info.model) for info in plan.jury.infos if info.seat not in reached]


def listed_files(path: Path) -> set[str]:
    """Read the file names from an earlier manifest, none if it cannot be read."""
    try:
        said: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    files = cast("dict[str, object]", said).get("files") if isinstance(said, dict) else None
    rows = cast("Sequence[object]", files) if isinstance(files, list) else ()
    names = (
        cast("dict[str, object]", row).get("file") if isinstance(row, dict) else None
        for row in rows
    )
    return {name for name in names if isinstance(name, str) and Path(name).name == name}
