"""`safejury view` of runs that are not as one would wish, and of runs that change meanwhile."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from viewing import Viewed, viewing
from workplace import Workplace

from safejury.testing import ScriptedServer

Start = Callable[..., ScriptedServer]
PATIENCE_S = 60


@pytest.fixture
def run(workplace: Workplace, scripted: Start) -> Path:
    """A run of three cases."""
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    return workplace.path / "runs" / "first"


def _seen(view: Viewed) -> dict[str, Any]:
    said = view.get("data/revision.js").body.decode()
    return json.loads(said[said.index("{") : said.rindex("}") + 1])


def _until(view: Viewed, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look at the runs until they are as they should be."""
    until = time.monotonic() + PATIENCE_S
    while not told(seen := _seen(view)):
        assert time.monotonic() < until, seen
        time.sleep(0.05)
    return seen


def _overview(view: Viewed) -> dict[str, Any]:
    said = view.get("data/overview.js").body.decode()
    return json.loads(said[said.index("{") : said.rindex("}") + 1])


def test_where_there_is_no_run(workplace: Workplace) -> None:
    workplace.safejury("view", "runs/frist").refused("runs/frist", "no run here")


def test_a_run_of_another_version(workplace: Workplace, run: Path) -> None:
    with sqlite3.connect(run / "record.sqlite") as database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    database.close()
    workplace.safejury("view", "runs/first").refused("format 99")


def test_a_record_that_was_changed(workplace: Workplace, run: Path) -> None:
    with sqlite3.connect(run / "record.sqlite") as database:
        database.execute("UPDATE cases SET rating = 1")
    database.close()
    ended = workplace.spawn("view", "--no-open", "runs/first")
    assert ended.code == 3
    assert "3 cases were changed after they were recorded" in ended.err


def test_runs_of_different_juries(workplace: Workplace, run: Path, scripted: Start) -> None:
    config = workplace.config(scripted().base_url, jury__protocol="vote", run__name="second")
    assert workplace.safejury("run", config).code == 0
    ended = workplace.safejury("view", "runs/first", "runs/second")
    ended.refused("runs/second", "different juries", "runs/first")
    workplace.safejury("view", "runs/first", "./runs/first").refused("given twice")


def test_runs_of_one_jury_stand_side_by_side(workplace: Workplace, run: Path) -> None:
    shutil.copytree(run, "runs/second")
    with viewing(workplace, "runs/first", "runs/second") as view:
        assert _overview(view)["count"] == 6
        assert [run["finished"] for run in _seen(view)["runs"]] == [3, 3]


def test_a_record_that_is_removed_is_not_served_on_and_another_takes_its_place(
    workplace: Workplace, run: Path
) -> None:
    with viewing(workplace, run) as view:
        first = _overview(view)["revision"]
        run.rename(run.with_name("elsewhere"))
        gone = _until(view, lambda seen: seen["runs"][0]["phase"] == "gone")
        assert gone["revision"] == first
        assert view.get("").status == 200
        shutil.copytree(run.with_name("elsewhere"), run)
        back = _until(view, lambda seen: seen["revision"] > first)
        assert back["runs"] == [{"phase": "finished", "finished": 3, "planned": 3}]
        assert _overview(view)["revision"] == back["revision"]


def test_a_case_that_is_judged_anew_is_read_anew(workplace: Workplace, scripted: Start) -> None:
    """It is the last one from then on, and all others move up."""
    workplace.many(60)
    assert workplace.safejury("run", workplace.config(scripted().base_url)).code == 0
    with viewing(workplace, "runs/first") as view:
        assert _overview(view)["revision"] == 1
        first = _ids(view)
        with sqlite3.connect("runs/first/record.sqlite") as database:
            database.execute("INSERT OR REPLACE INTO cases SELECT * FROM cases WHERE rowid = 1")
        database.close()
        _until(view, lambda seen: seen["revision"] == 2)
        assert _ids(view)[:49] == first[1:]


def _ids(view: Viewed) -> list[str]:
    said = view.get("data/cases-0.js").body.decode()
    cases = json.loads(said[said.index("{") : said.rindex("}") + 1])["cases"]
    return [case["id"] for case in cases]


def test_a_record_that_turns_into_something_else_is_told(workplace: Workplace, run: Path) -> None:
    with viewing(workplace, run) as view:
        first = _overview(view)["revision"]
        for path in run.glob("record.sqlite*"):
            path.unlink()
        run.joinpath("record.sqlite").write_text("something else " * 500)
        seen = _until(view, lambda seen: seen["problem"] is not None)
        assert "not a record that can be read" in seen["problem"]
        assert seen["revision"] == first
        assert _overview(view)["revision"] == first


def test_a_picture_that_is_gone(workplace: Workplace, whole_run: Path) -> None:
    run = Path(shutil.copytree(whole_run, "runs/first"))
    (picture,) = (each for each in run.joinpath("media").iterdir() if _is_png(each))
    with viewing(workplace, run) as view:
        assert view.get(f"media/{picture.name}.png").status == 200
        elsewhere = picture.rename(workplace.path / "elsewhere")
        assert view.get(f"media/{picture.name}.png").status == 404
        picture.symlink_to(elsewhere)  # a link could lead anywhere
        assert view.get(f"media/{picture.name}.png").status == 404
        assert _overview(view)["count"] == 36


def _is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def test_a_run_that_begins_later(workplace: Workplace, scripted: Start) -> None:
    config = workplace.config(scripted().base_url)
    with viewing(workplace, "--wait", "runs/first") as view:
        assert b"Waiting for the run to begin" in view.get("").body
        assert _seen(view) == {
            "revision": 0,
            "runs": [{"phase": "waiting", "finished": 0, "planned": 0}],
            "problem": None,
        }
        assert view.get("data/overview.js").status == 404
        assert workplace.safejury("run", config).code == 0
        _until(view, lambda seen: seen["runs"][0]["phase"] == "finished")
        _until(view, lambda seen: seen["revision"] > 0 and _overview(view)["count"] == 3)
        assert b"assets/app.js" in view.get("").body


def test_what_is_read_does_not_hold_up_the_run_that_is_written(
    workplace: Workplace, run: Path
) -> None:
    """Its log can be begun anew, which needs that nobody reads an older state of the record."""
    with viewing(workplace, run) as view:
        assert _overview(view)["count"] == 3
        assert view.get("data/index-0.js").status == 200
        until = time.monotonic() + PATIENCE_S
        with sqlite3.connect(run / "record.sqlite", isolation_level=None) as database:
            database.execute("INSERT INTO calls VALUES ('one', 'more', 'call')")
            while database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                assert time.monotonic() < until
                time.sleep(0.1)
        database.close()
