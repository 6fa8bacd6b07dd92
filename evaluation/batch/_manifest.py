"""What an export wrote: its manifest, written for people and read by the next export."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import cast

from ...common.files import private_folder, replacing
from ...targets import ResponseOutcome
from ..plan import RunPlan
from ._batch import batch_seats
from ._id import Untaken

ENDPOINT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class BatchFile:
    """One file of requests.

    Attributes:
        path: Where it lies.
        model: The model that all of them ask.
        requests: Number of lines.
        size: Length in bytes.
        usd: US dollars that live calls would cost at most, None where no price is known.
    """

    path: Path
    model: str
    requests: int
    size: int
    usd: float | None


@dataclass(slots=True)
class Exported:
    """What an export wrote, and what it had no need to write.

    Attributes:
        files: The files, in the order of the jury.
        cases: Cases gone through, those finished before left out.
        requests: Requests written.
        answered: Requests that the record has an answer to.
        missing: Cases without a response so far, by target.
        unheard: Cases without an answer of the target, which no juror hears.
        unwritable: Requests that no file can hold.
        problems: Why, the first ones.
    """

    files: list[BatchFile] = field(default_factory=list[BatchFile])
    cases: int = 0
    requests: int = 0
    answered: int = 0
    missing: Counter[str] = field(default_factory=Counter[str])
    unheard: Counter[ResponseOutcome] = field(default_factory=Counter[ResponseOutcome])
    unwritable: int = 0
    problems: list[str] = field(default_factory=list[str])


def write_manifest(path: Path, plan: RunPlan, done: Exported, untaken: frozenset[Untaken]) -> None:
    """Write what an export wrote.

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
        "cases_not_heard": {str(kind): cases for kind, cases in done.unheard.items()},
        "answered_before": done.answered,
        "not_written": done.unwritable,
        "not_taken": sorted(untaken),
        "asked_live": [seat for seat, _ in asked_live(plan)],
    }
    private_folder(path.parent)
    with replacing(path, private=True) as file:
        file.write(f"{json.dumps(written, indent=2)}\n".encode())


def _entry(file: BatchFile) -> dict[str, object]:
    return {
        "file": file.path.name,
        "model": file.model,
        "requests": file.requests,
        "bytes": file.size,
        "usd_live_at_most": file.usd,
    }


def asked_live(plan: RunPlan) -> list[tuple[str, str]]:
    """Return the seats that no batch reaches, and their models."""
    reached = {seat.info.seat for seat in batch_seats(plan)}
    return [(info.seat, info.model) for info in plan.jury.infos if info.seat not in reached]


def listed_files(path: Path) -> set[str]:
    """Return the names of an earlier export's files, none where nothing is known."""
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
