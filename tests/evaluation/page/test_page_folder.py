"""The page of a run as a folder: what is in it, how it is written, and what is refused."""

import json
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shown_run import HOSTILE, make_run

from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]
ANY = ("--min-coverage", "0", "--min-panel", "0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run with all that a page shows, to be copied and not changed."""
    from workplace import Host, Workplace

    place = Workplace(tmp_path_factory.mktemp("shown"))
    host = Host()
    with pytest.MonkeyPatch.context() as narrow:
        narrow.chdir(place.path)
        run = make_run(place, host.scripted)
    host.close()
    return run


@pytest.fixture
def run(made: Path, workplace: Any) -> Any:
    """A directory with `runs/first`."""
    shutil.copytree(made, workplace.path / "runs" / "first")
    return workplace


def pieces(folder: Path) -> dict[str, Any]:
    """Return what the scripts of a page hand to it, by name."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "data").iterdir()):
        call = re.fullmatch(r'safejury\.piece\("([a-z0-9-]+)", (.*)\);\n', path.read_text("utf-8"))
        assert call is not None, path
        found[call[1]] = json.loads(call[2])
    return found


def test_a_page_has_the_figures_and_all_cases_of_a_run(run: Any) -> None:
    ended = run.safejury("report", "runs/first", "--html", "page", *ANY)
    assert ended.code == 0, ended.err
    assert "Wrote page/index.html: 16 cases, 3 pictures and sounds." in ended.err
    found = pieces(run.path / "page")
    assert found.keys() == {"overview", "figures", "index-0", "texts-0", "cases-0"}
    targets = {each["name"]: each for each in found["overview"]["targets"]}
    told = {each["name"]: each for each in run.report()["targets"]}
    assert targets.keys() == told.keys()
    assert all(targets[name]["asr"] == told[name]["asr"] for name in told)
    columns = found["index-0"]["columns"]
    assert found["index-0"]["count"] == len(found["cases-0"]["cases"]) == 16
    outcomes = [columns["verdict"]["values"][code] for code in columns["verdict"]["codes"]]
    queries = [columns["query_id"]["values"][code] for code in columns["query_id"]["codes"]]
    cases = found["cases-0"]["cases"]
    assert queries == [case["query"] for case in cases]
    assert outcomes == [
        next(e for e in case["entries"] if e["kind"] == "verdict")["finding"] or "no_verdict"
        for case in cases
    ]


def test_only_its_owner_may_read_a_page(run: Any) -> None:
    assert run.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    for path in [run.path / "page", *(run.path / "page").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_words_of_others_cannot_end_the_script_that_carries_them(run: Any) -> None:
    assert run.safejury("report", "runs/first", "--html", "page", *ANY).code == 0
    for path in (run.path / "page" / "data").iterdir():
        assert b"<" not in path.read_bytes()
    cases = pieces(run.path / "page")["cases-0"]["cases"]
    assert HOSTILE in {"".join(c["response"]["words"]) for c in cases if c["query"] == "q4"}
