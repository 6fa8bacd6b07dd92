"""The manifest of an export: what was written, for people and for the next export."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...common.files import private_folder, replacing
from ..plan import Setup
from ._batch import batch_chairs
from ._id import Untaken

if TYPE_CHECKING:
    from ._export import Exported
    from ._files import BatchFile

ENDPOINT = "/v1/chat/completions"


def write_manifest(path: Path, setup: Setup, done: "Exported", untaken: frozenset[Untaken]) -> None:
    """Write what an export wrote.

    Raises:
        OSError: The folder cannot be written.
    """
    written = {
        "safejury": version("safejury"),
        "run": setup.config.run.name,
        "endpoint": ENDPOINT,
        "requests": done.requests,
        "files": [_entry(file) for file in done.files],
        "cases": done.cases,
        "cases_without_response": dict(done.missing),
        "cases_not_heard": {str(kind): cases for kind, cases in done.unheard.items()},
        "answered_before": done.answered,
        "not_written": done.unwritable,
        "not_taken": sorted(untaken),
        "asked_live": [seat for seat, _ in asked_live(setup)],
    }
    private_folder(path.parent)
    with replacing(path, private=True) as file:
        file.write(f"{json.dumps(written, indent=2)}\n".encode())


def _entry(file: "BatchFile") -> dict[str, object]:
    return {
        "file": file.path.name,
        "model": file.model,
        "requests": file.requests,
        "bytes": file.size,
        "usd_live_at_most": file.usd,
    }


def asked_live(setup: Setup) -> list[tuple[str, str]]:
    """Return the seats that no batch reaches, and their models."""
    reached = {chair.info.seat for chair in batch_chairs(setup)}
    return [(info.seat, info.model) for info in setup.bench.infos if info.seat not in reached]


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
