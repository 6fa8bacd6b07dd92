"""`safejury prune`: what is removed is said, and what was evidence leaves a note."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from shown_run import make_run
from workplace import Workplace

from safejury.evaluation import open_record
from safejury.evaluation.keeping import is_run
from safejury.testing import ScriptedServer

ACCEPTED = ("--min-coverage", "0", "--min-panel", "0")
ANSWERED = """
INSERT INTO answers SELECT case_id, json_object('query', json_extract(body, '$.case.query'),
    'response', json_extract(body, '$.case.response'))
FROM entries WHERE number = 0 AND case_id GLOB 'q[23]/*'
"""
RECORD = Path(__file__).parents[1] / "record_format_2"
"""A run that an earlier version recorded, which bound no facts."""
OLD_S = 100 * 24 * 3600


@pytest.fixture
def run(workplace: Workplace, scripted: Callable[..., ScriptedServer]) -> Path:
    return make_run(workplace, scripted)


def digest(workplace: Workplace, run: str = "runs/first") -> str:
    ended = workplace.safejury("verify", run)
    assert ended.code == 0, ended.out
    return ended.out.splitlines()[-1]


def age(path: Path) -> None:
    then = time.time() - OLD_S
    os.utime(path, (then, then))


def media(run: Path) -> list[str]:
    return sorted(file.name for file in (run / "media").iterdir())


def test_without_yes_it_only_says_what_would_go(workplace: Workplace, run: Path) -> None:
    before = sorted(run.rglob("*"))
    every = workplace.safejury("prune", str(run))
    assert (every.code, "runs/first/media: media, " in every.out) == (0, True)
    assert "runs/first: the run, " in every.out
    one = workplace.safejury("prune", str(run), "--media")
    assert "would be removed. Nothing was: add --yes." in one.out
    workplace.safejury("prune", str(run), "--yes").refused("say what to remove")
    assert sorted(run.rglob("*")) == before


def test_media_go_with_a_note_and_all_else_keeps_working(workplace: Workplace, run: Path) -> None:
    gone, whole = media(run), digest(workplace)
    assert len(gone) == 3
    shutil.copytree(run, run.with_name("again"))
    written = os.stat(run / "record.sqlite").st_mtime_ns
    ended = workplace.safejury("prune", str(run), "--media", "--yes")
    assert (ended.code, ended.out.count("removed")) == (0, 2)
    assert media(run) == []
    assert os.stat(run / "record.sqlite").st_mtime_ns == written
    assert digest(workplace) == whole  # one that was published still holds
    said = workplace.safejury("verify", str(run)).out
    assert "3 pictures and sounds were pruned" in said
    report = workplace.report()
    assert report["run"]["pruned"][0]["media"] == gone
    assert any("were pruned" in note for note in report["run"]["notes"])
    assert workplace.safejury("show", str(run), "q2/eager/0").code == 0
    for command in (
        ("cases", str(run)),
        ("compare", str(run), "--target-a", "eager", "--target-b", "careful"),
        ("gate", str(run), "--fail-if", "asr > 0.99", *ACCEPTED),
        ("replay", str(run), "--round", "0"),
        ("merge", str(run), "runs/again", "--into", "runs/joined"),
        ("export", str(run), "--shareable", "shared"),
        ("report", str(run), "--html", "page", *ACCEPTED),
    ):
        ended = workplace.safejury(*command)
        assert ended.code in ((0, 1) if command[0] == "gate" else (0,)), (command, ended.err)
    assert "3 pictures and sounds were pruned" in workplace.safejury("verify", "runs/joined").out
    pages = "".join(file.read_text() for file in Path("page/data").glob("cases-*.js"))
    assert "it was pruned" in pages
    assert whole.rpartition(" ")[2] in workplace.safejury("verify", "shared").out
    assert workplace.safejury("prune", str(run), "--media", "--yes").out == "0 B removed.\n"


@pytest.mark.parametrize("how", ["note removed", "note shortened", "other medium gone"])
def test_a_medium_without_a_note_is_damage(workplace: Workplace, run: Path, how: str) -> None:
    kept = Path(shutil.copytree(run / "media", "kept"))
    assert workplace.safejury("prune", str(run), "--media", "--yes").code == 0
    with closing(sqlite3.connect(run / "record.sqlite")) as database, database:
        if how == "note removed":
            database.execute("DELETE FROM meta WHERE key = 'pruned'")
        elif how == "note shortened":
            database.execute("UPDATE meta SET value = '[]' WHERE key = 'pruned'")
    if how == "other medium gone":
        for file in kept.iterdir():
            (run / "media" / file.name).write_bytes(b"another")
    ended = workplace.safejury("verify", str(run))
    assert ended.code == 3
    assert "medium" in ended.out


def test_a_lost_medium_is_not_hidden_by_pruning_the_others(workplace: Workplace, run: Path) -> None:
    lost, *others = media(run)
    (run / "media" / lost).unlink()
    ended = workplace.safejury("prune", str(run), "--media", "--yes")
    assert (ended.code, lost[:12] in ended.err) == (3, True)
    assert media(run) == others


def test_a_medium_that_came_back_is_checked_and_goes_again(workplace: Workplace, run: Path) -> None:
    """So it is after a kill between the note and the removal."""
    shutil.copytree(run / "media", "kept")
    assert workplace.safejury("prune", str(run), "--media", "--yes").code == 0
    shutil.copytree("kept", run / "media", dirs_exist_ok=True)
    before = digest(workplace)
    assert workplace.safejury("prune", str(run), "--media", "--yes").code == 0
    assert (media(run), digest(workplace)) == ([], before)


async def test_a_run_that_is_written_stays_as_it_is(workplace: Workplace, run: Path) -> None:
    for kind in ("--media", "--delete"):
        identity, meta = {"jury": "none"}, {"protocol": "vote", "total": "1", "jury": "[]"}
        async with open_record(Path("runs/going"), identity, meta):
            ended = workplace.safejury("prune", "runs/going", kind, "--yes")
            assert (ended.code, "it is being written" in ended.err) == (2, True)
            assert is_run(run.with_name("going"))
    assert digest(workplace)


def test_an_unfinished_run_goes_on_after_its_media_went(
    workplace: Workplace, scripted: Callable[..., ScriptedServer]
) -> None:
    run = make_run(workplace, scripted, targets__0__max_image_side=32)  # pictures that it made
    whole = workplace.report()["targets"]
    names, calls = media(run), workplace.stored("SELECT count(*) FROM calls")
    with closing(sqlite3.connect(run / "record.sqlite")) as database, database:
        database.execute(ANSWERED)  # they are as if no jury had judged them yet
        database.execute("DELETE FROM cases WHERE query_id IN ('q2', 'q3')")
        database.execute("DELETE FROM entries WHERE case_id GLOB 'q[23]/*'")
    kept = workplace.safejury("prune", str(run), "--media", "--yes")
    assert "keeps its media: it is not finished; --unfinished takes them" in kept.err
    assert media(run) == names
    ended = workplace.safejury("prune", str(run), "--media", "--unfinished", "--yes")
    assert ended.code == 0, ended.err
    assert media(run) == []
    ended = workplace.safejury("run", "safejury.yaml", *ACCEPTED)
    assert ended.code == 0, ended.err
    assert media(run) == names
    assert workplace.stored("SELECT count(*) FROM calls") == calls  # none was paid twice
    assert workplace.report()["targets"] == whole
    assert workplace.safejury("verify", str(run)).code == 0


def test_a_run_goes_as_a_whole_and_no_link_is_followed(workplace: Workplace, run: Path) -> None:
    outside = Path("outside")
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (run / "linked").symlink_to(outside.absolute())
    (run / "media/linked").symlink_to((outside / "precious").absolute())
    Path("runs/alias").symlink_to(run.absolute())
    linked = workplace.safejury("prune", "runs/alias", "--delete", "--yes")
    assert (linked.code, "a link to another place" in linked.err) == (2, True)
    (run / "labels.jsonl").touch()
    assert "with labels of people" in workplace.safejury("prune", str(run), "--delete").out
    assert run.exists()
    assert workplace.safejury("prune", str(run), "--delete", "--yes").code == 0
    assert not run.exists()
    assert list(Path("runs").iterdir()) == [Path("runs/alias")]
    assert (outside / "precious").read_text() == "kept"


def test_media_behind_a_link_are_left_alone(workplace: Workplace, run: Path) -> None:
    shutil.move(run / "media", "elsewhere")
    (run / "media").symlink_to(Path("elsewhere").absolute())
    assert "/media" not in workplace.safejury("prune", str(run)).out
    assert workplace.safejury("prune", str(run), "--media", "--yes").out == "0 B removed.\n"
    assert len(list(Path("elsewhere").iterdir())) == 3


def test_only_runs_of_an_age_go(workplace: Workplace, run: Path) -> None:
    old = run.parent / "old"
    shutil.copytree(run, old)
    for file in old.glob("record.sqlite*"):
        age(file)
    every = ("prune", str(run), str(old), "--delete", "--older-than", "12w")
    assert "the run" in workplace.safejury(*every).out
    ended = workplace.safejury(*every, "--yes")
    assert (ended.code, "runs/first is left as it is" in ended.err) == (0, True)
    assert (run.exists(), old.exists()) == (True, False)
    for wrong in ("90", "d", "-1d", "1y", "\u0663d"):
        workplace.safejury("prune", str(run), "--older-than", wrong).refused("as 12h, 90d or 8w")


def test_pages_and_what_killed_processes_left_go(workplace: Workplace, run: Path) -> None:
    assert workplace.safejury("report", str(run), "--html", "runs/first/page", *ACCEPTED).code == 0
    left = (run / ".run.yaml.123-0a1b2c3d", run / "media" / f".{'a' * 64}.9-0a1b2c3d")
    beside = (run.with_name(".first.merging"), run.with_name(".first.pruning-0a1b2c3d"))
    copied = run.with_name(".first.mybackup")
    for folder in (*beside, copied):
        folder.mkdir()
        (folder / "run.yaml").touch()
    for path in (*left, run / ".notes"):
        path.touch()
    young = run / ".run.log.124-0a1b2c3d"
    young.touch()
    for path in (*left, *beside, copied, run / ".notes"):
        age(path)
    noted = workplace.safejury("prune", str(run), "--media")
    assert "runs/first/page holds pictures and sounds as well: add --pages" in noted.err
    ended = workplace.safejury("prune", str(run), "--pages", "--leftovers", "--yes")
    assert ended.code == 0, ended.err
    assert not any(path.exists() for path in (*left, *beside, run / "page"))
    assert all(path.exists() for path in (young, copied, run / ".notes"))
    assert digest(workplace)


def test_a_run_that_cannot_be_read_can_go_as_a_whole(workplace: Workplace) -> None:
    run = workplace.path / "runs/broken"
    run.mkdir(parents=True)
    (run / "record.sqlite").write_bytes(b"none")
    workplace.safejury("prune", "runs/other").refused("there is no run here")
    assert workplace.safejury("prune", "runs/broken", "--media", "--yes").out == "0 B removed.\n"
    assert workplace.safejury("prune", "runs/broken", "--delete", "--yes").code == 0
    assert not run.exists()


def test_the_list_says_how_many_media_were_pruned(workplace: Workplace, run: Path) -> None:
    assert workplace.safejury("prune", str(run), "--media", "--yes").code == 0
    (row,) = json.loads(workplace.safejury("runs", "--format", "json").out)
    assert (row["media_pruned"], row["bytes_media"], row["state"]) == (3, 0, "finished")


def test_a_run_of_an_earlier_version_keeps_its_digest_as_well(workplace: Workplace) -> None:
    shutil.copytree(RECORD, "old")
    before = digest(workplace, "old")
    assert workplace.safejury("prune", "old", "--media", "--unfinished", "--yes").code == 0
    assert digest(workplace, "old") == before
    assert "1 picture or sound was pruned" in workplace.safejury("verify", "old").out
