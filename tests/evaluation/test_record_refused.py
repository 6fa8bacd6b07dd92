"""Directories that a run cannot be kept in: one line, exit code 2, and nothing lost."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.datasets.jsonl import MINI
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


def test_a_directory_below_a_file(workplace: Any, scripted: Start):
    (workplace.path / "runs").write_text("in the way")
    server = scripted()
    workplace.safejury("run", workplace.config(server.base_url)).refused(
        "runs/first", "cannot be written", "choose another run.directory"
    )
    assert server.stats.calls == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_directory_that_the_system_refuses(workplace: Any):
    config = workplace.config(run__directory="/proc/safejury")
    workplace.safejury("run", config).refused("/proc/safejury/first", "cannot be written")


def test_a_record_that_is_something_else(workplace: Any):
    directory = workplace.path / "runs" / "first"
    directory.mkdir(parents=True)
    (directory / "record.sqlite").write_text("not a database at all, but long enough " * 50)
    workplace.safejury("run", workplace.config()).refused("record.sqlite", "not a record")
    workplace.safejury("report", "runs/first").refused("record.sqlite", "not a record")


def test_a_record_of_another_format(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    database = sqlite3.connect("runs/first/record.sqlite")
    with database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    database.close()
    workplace.safejury("run", config).refused("format 99", "another run.name")
    workplace.safejury("report", "runs/first").refused("format 99")


def test_a_record_that_was_cut_short(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    record = Path("runs/first/record.sqlite")
    os.truncate(record, record.stat().st_size // 2)
    ended = workplace.safejury("report", "runs/first", "--format", "json")
    ended.refused("record.sqlite")


def test_reports_where_there_is_no_run(workplace: Any):
    workplace.safejury("report", "runs/none").refused("there is no run here")
    workplace.safejury("show", "runs/none").refused("there is no run here")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"run__seed": 8}, "run.seed was 7 and is 8"),
        ({"jury__jurors__1__persona": "citizen"}, "jury.jurors[1].persona was"),
        ({"jury__protocol": "vote"}, "jury.protocol was"),
        ({"targets__0__model": "other"}, "targets[0].model was"),
    ],
)
def test_a_record_of_another_config_says_what_differs(
    change: dict[str, Any], said: str, workplace: Any, scripted: Start
):
    server = scripted()
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    calls, before = server.stats.calls, workplace.report()
    changed = workplace.config(server.base_url, **change)
    workplace.safejury("run", changed).refused("another configuration", said, "another run.name")
    assert server.stats.calls == calls
    assert workplace.report() == before


def test_another_dataset_or_other_recorded_responses_are_another_config(
    workplace: Any, scripted: Start
):
    server = scripted()
    (workplace.path / "r.jsonl").write_text('{"query_id": "q1", "response": "One."}\n')
    config = workplace.config(
        server.base_url, targets=[{"name": "recorded", "responses": "r.jsonl"}]
    )
    workplace.safejury("run", config, "--min-coverage", "0")
    (workplace.path / "r.jsonl").write_text('{"query_id": "q1", "response": "Two."}\n')
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    assert "'q1' was judged with another response of 'recorded' (q1/recorded/0)" in ended.err
    (workplace.path / "r.jsonl").write_text('{"query_id": "q1", "response": "One."}\n')
    workplace.queries({"id": "q1", "scenario": "bias", "text": "?", "intent": "benign"})
    assert (
        "'q1' was judged with another text (q1/recorded/0)" in workplace.safejury("run", config).err
    )


def test_a_run_of_pictures_that_an_earlier_version_drew(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    """The bundled set was drawn on the user's machine once, as the Pillow of that machine did."""
    config = workplace.config(scripted().base_url, dataset="mini", limit=1)
    drawn = Path(shutil.copytree(MINI.parent, workplace.path / "mini-drawn"))
    Image.new("RGB", (8, 8)).save(drawn / "pictures" / "mini-medical-advice-1.png")
    with monkeypatch.context() as patch:
        patch.setattr("safejury.datasets.jsonl._jsonl.MINI", drawn / "queries.jsonl")
        assert workplace.safejury("run", config).code == 0
    refused = workplace.safejury("run", config)
    refused.refused("with other pictures", "can be reported and shown, but not resumed")
    assert "put it back" not in refused.err
    assert len(workplace.report()["targets"]) == 1


def test_limits_may_change_between_a_run_and_its_repeat(workplace: Any, scripted: Start):
    server = scripted()
    assert workplace.safejury("run", workplace.config(server.base_url)).code == 0
    calls = server.stats.calls
    changed = workplace.config(
        server.base_url, limits__concurrency=2, targets__0__timeout=9.0, run__cache="cache.sqlite"
    )
    assert workplace.safejury("run", changed).code == 0
    assert server.stats.calls == calls


@pytest.mark.slow
def test_two_processes_on_one_run(workplace: Any, scripted: Start):
    """The second is refused while the first goes on to its end."""
    server = scripted(latency=0.3)
    config = workplace.config(server.base_url, limits__concurrency=1)
    with workplace.start("run", config) as first:
        while server.stats.calls < 2 and first.poll() is None:
            time.sleep(0.01)
        workplace.safejury("run", config).refused("another process is writing", "another run.name")
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert workplace.report()["targets"][0]["cases"] == 3
    assert len(server.requests) == len({str(body) for body in server.requests})


def test_the_lock_of_a_killed_process_is_free(workplace: Any, scripted: Start):
    server = scripted(latency=0.3)
    config = workplace.config(server.base_url)
    with workplace.start("run", config) as first:
        while server.stats.calls < 1 and first.poll() is None:
            time.sleep(0.01)
        first.kill()
    assert workplace.safejury("run", config).code == 0


def test_a_full_disk(workplace: Any, scripted: Start):
    """The size of files is limited, so that a write fails as it does on a full disk."""
    words = "word " * 4000

    def reply(body: dict[str, object]) -> str:
        return words if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply, latency=0.03)
    lines = [
        {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
        for n in range(30)
    ]
    workplace.queries(*lines)
    config = workplace.config(server.base_url, limits__concurrency=2)

    ended = workplace.spawn("run", config, largest_file=500_000)
    ended.refused("runs/first", "the record cannot be written", "free some space", "repeat")

    kept = set(workplace.stored("SELECT call_id FROM calls"))
    finished = workplace.stored("SELECT case_id FROM cases")
    closed = "SELECT case_id FROM entries WHERE kind = 'VerdictAnnounced'"
    assert set(finished) <= set(workplace.stored(closed))

    asked = len(server.requests)
    assert kept
    assert workplace.safejury("run", config).code == 0
    assert len(server.requests) - asked == 30 * 4 - len(kept)
    assert workplace.report()["targets"][0]["verdicts"] == 30


@pytest.mark.parametrize("removed", ["the directory", "its log", "replaced"])
def test_a_record_that_goes_while_it_is_written_ends_the_run(
    removed: str, workplace: Any, scripted: Start
):
    """At the next commit: SQLite would write on to files that nobody can open any more."""
    server = scripted(latency=0.03)
    workplace.queries(
        *(
            {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
            for n in range(200)
        )
    )
    config = workplace.config(server.base_url, limits__concurrency=4)
    directory = workplace.path / "runs" / "first"
    with workplace.start("run", config) as process:
        while server.stats.calls < 40 and process.poll() is None:
            time.sleep(0.01)
        match removed:
            case "the directory":
                shutil.rmtree(directory)
            case "its log":
                (directory / "record.sqlite-wal").unlink()
            case _:
                (directory / "record.sqlite").unlink()
        if removed == "replaced":
            (directory / "record.sqlite").touch()
        paid = server.stats.calls
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "runs/first: the record was removed or replaced" in said
    assert server.stats.calls - paid < 100  # of 760 that were left


@pytest.mark.parametrize("bytes_allowed", [100, 20_000, 45_000])
def test_a_disk_that_is_full_from_the_start(bytes_allowed: int, workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.config(server.base_url)

    workplace.spawn("run", config, largest_file=bytes_allowed).refused("runs/first")
    assert workplace.safejury("run", config).code == 0


def test_a_picture_that_does_not_fit(workplace: Any, scripted: Start):
    from PIL import Image

    Image.effect_noise((800, 800), 80).save(workplace.path / "p.png")
    line = {"id": "q", "scenario": "bias", "text": "?", "intent": "benign", "image": "p.png"}
    workplace.queries(line)
    config = workplace.config(scripted().base_url)

    ended = workplace.spawn("run", config, largest_file=400_000)
    ended.refused("media", "cannot store a medium")
    assert workplace.safejury("run", config).code == 0


def test_a_run_that_was_moved_is_read_where_it_lies(workplace: Any, scripted: Start):
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    shutil.move("runs/first", "elsewhere")
    assert workplace.report("elsewhere")["targets"][0]["cases"] == 3
    assert workplace.safejury("show", "elsewhere", "q1").code == 0


def test_control_characters_are_kept_and_shown_harmlessly(workplace: Any, scripted: Start):
    words = "zero \x00, escape \x1b[31m, bell \x07"

    def reply(body: dict[str, object]) -> str:
        return words if body["model"] == "target" else ballot("safe", 5)

    assert workplace.safejury("run", workplace.config(scripted(reply).base_url)).code == 0
    shown = workplace.safejury("show", "runs/first", "q1", "--reveal")
    assert shown.code == 0
    assert "escape" in shown.out
    assert not {"\x00", "\x1b", "\x07"} & set(shown.out)
