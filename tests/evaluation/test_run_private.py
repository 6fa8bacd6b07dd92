"""What a run keeps is for its owner alone, however lax the user's umask is."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def lax() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(directory: Path) -> dict[str, str]:
    """Return what others may do something with, by name."""
    modes = {str(path): path.stat().st_mode for path in (directory, *directory.rglob("*"))}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


def test_a_run_is_its_owners_alone(workplace: Any, scripted: Start):
    """With a picture, rows that are left out, the files of a batch, an export and a report."""
    Image.new("RGB", (8, 8)).save("p.png")
    workplace.queries(
        {"id": "q1", "scenario": "bias", "text": "?", "intent": "benign", "image": "p.png"}
    )
    rows = ({"query_id": "q1", "response": "Yes."}, {"query_id": "unknown", "response": "No."})
    targets = [{"name": "old", "responses": workplace.write_lines(rows)}]
    config = workplace.config(scripted().base_url, targets=targets)
    assert workplace.safejury("export-batch", config).code == 0
    assert workplace.safejury("run", config, "--min-coverage", "0").code == 0
    export = ("--export", "runs/first/case.html")
    assert workplace.safejury("show", "runs/first", "q1", *export).code == 0
    assert workplace.safejury("report", "runs/first", "--min-coverage", "0").code == 0
    names = {path.name for path in Path("runs/first").rglob("*")}
    assert {"record.sqlite", "run.lock", "run.yaml", "media", "batch", "case.html"} <= names
    assert open_to_others(Path("runs/first")) == {}


def test_so_is_the_folder_of_all_runs_unless_it_was_there(workplace: Any, scripted: Start):
    url = scripted().base_url
    config = workplace.config(url, run__directory="all/of/them")
    assert workplace.safejury("run", config).code == 0
    assert open_to_others(Path("all")) == {}
    Path("runs").mkdir(mode=0o755)
    assert workplace.safejury("run", workplace.config(url)).code == 0
    assert list(open_to_others(Path("runs"))) == ["runs"]


def test_a_run_under_way_is_too(workplace: Any, scripted: Start):
    """SQLite's log and its index are there until the run ends."""
    config = workplace.config(scripted(latency=0.3).base_url)
    with workplace.start("run", config) as process:
        while not Path("runs/first/record.sqlite-wal").exists() and process.poll() is None:
            pass
        assert open_to_others(Path("runs/first")) == {}
        process.kill()


def test_a_record_that_others_could_read_is_closed_to_them(workplace: Any, scripted: Start):
    """One that an earlier version made; the folder keeps the mode that somebody gave it."""
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    for path in (Path("runs/first"), Path("runs/first/record.sqlite")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert workplace.safejury("run", config).code == 0
    assert list(open_to_others(Path("runs/first"))) == ["runs/first"]
