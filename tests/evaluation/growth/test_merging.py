"""Runs of one jury become one: of other targets, other queries, or copies that went on."""

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from boards import answer, assert_alike, content, facts, queries, targets
from calibrated import QUICK
from PIL import Image

import safejury as sj
from safejury.testing import ScriptedReply, ScriptedServer

Start = Callable[..., ScriptedServer]


@pytest.fixture
def server(workplace: Any, scripted: Start) -> ScriptedServer:
    workplace.queries(*queries(0, 6))
    return scripted(answer)


def run(workplace: Any, server: ScriptedServer, name: str, *names: str, **changes: Any) -> None:
    """Run a config of some targets."""
    changes["targets"] = changes.get("targets") or targets(server.base_url, *names)
    config = workplace.config(server.base_url, run__name=name, **changes)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err


def merge(workplace: Any, *runs: str, into: str = "board", options: tuple[str, ...] = ()) -> Any:
    """Merge some runs."""
    return workplace.safejury(
        "merge", *(f"runs/{name}" for name in runs), "--into", f"runs/{into}", *options
    )


def test_a_leaderboard_is_begun_grown_and_merged(workplace: Any, server: ScriptedServer) -> None:
    """With one target, grown by a second, merged with a third: as if it had been one run."""
    run(workplace, server, "board", "a")
    run(workplace, server, "board", "a", "b")
    run(workplace, server, "elsewhere", "c")
    before = facts(workplace, "runs/board")
    said = merge(workplace, "elsewhere", options=("--dry-run",))
    assert "runs/elsewhere: 6 cases" in said.out
    assert "18 of 18 planned cases of 3 targets ('a', 'b', 'c') would be in runs/board" in said.out
    assert facts(workplace, "runs/board") == before
    ended = merge(workplace, "elsewhere")
    assert ended.code == 0, ended.err
    run(workplace, server, "whole", "a", "b", "c")
    assert_alike(workplace, "runs/board", "runs/whole")
    assert "Grown 2 times: by 1 target (" in workplace.safejury("verify", "runs/board").out
    # Again, nothing changes; and it goes on as any run does.
    again = merge(workplace, "elsewhere")
    assert "6 of them as in a run before" in again.out
    assert_alike(workplace, "runs/board", "runs/whole")
    made = len(server.requests)
    run(workplace, server, "board", "c", "b", "a")
    assert len(server.requests) == made
    workplace.queries(*queries(0, 8))
    for name in ("board", "whole"):
        run(workplace, server, name, "a", "b", "c", "d")
    assert_alike(workplace, "runs/board", "runs/whole")
    for command in (("show", "runs/board", "q00/c/0"), ("replay", "runs/board")):
        assert workplace.safejury(*command).code == 0


def test_runs_of_other_queries_and_epochs(workplace: Any, server: ScriptedServer) -> None:
    """Each machine has a part of the questions, with pictures of its own."""
    for number in range(4):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(workplace.path / f"p{number}.png")
    rows = [{**row, "image": f"p{at}.png"} for at, row in enumerate(queries(0, 4))]
    for name, of in (("one", rows[:2]), ("two", rows[2:]), ("whole", rows)):
        workplace.queries(*of)
        run(workplace, server, name, "a", run__epochs=2)
    ended = merge(workplace, "one", "two")
    assert ended.code == 0, ended.err
    assert_alike(workplace, "runs/board", "runs/whole")
    made = len(server.requests)
    run(workplace, server, "board", "a", run__epochs=2)
    assert len(server.requests) == made
    # A medium that is another, or gone, is said before anything is written.
    medium = next(Path("runs/two/media").iterdir())
    medium.write_bytes(b"other")
    merge(workplace, "one", "two", into="other").refused(medium.name, "other content than its name")
    shutil.rmtree("runs/two/media")
    lost = merge(workplace, "one", "two", into="other")
    lost.refused("runs/two", "its medium", "cannot be read", code=3)
    assert not Path("runs/other").exists()
    assert not list(Path("runs").glob(".*"))


def test_copies_of_a_run_that_went_on(workplace: Any, server: ScriptedServer) -> None:
    """What both have just so counts once, with what it cost."""
    run(workplace, server, "one", "a", scenarios=["bias"])
    shutil.copytree("runs/one", "runs/two")
    run(workplace, server, "one", "a", scenarios=["bias", "ethics.bioethics"])
    run(workplace, server, "two", "a", scenarios=["bias", "physical_harm"])
    ended = merge(workplace, "one", "two")
    assert ended.code == 0, ended.err
    assert "runs/two: 4 cases; 2 of them as in a run before" in ended.out
    run(workplace, server, "whole", "a")
    assert_alike(workplace, "runs/board", "runs/whole")


@pytest.mark.parametrize("usage", ["auto", None])
def test_a_case_that_was_judged_twice(usage: Any, workplace: Any, scripted: Start) -> None:
    """It is refused by name, or the first counts; and what the other cost was spent as well."""

    def reply(body: Mapping[str, Any]) -> ScriptedReply:
        return ScriptedReply(answer(body), usage=usage)

    server = scripted(reply)
    workplace.queries(*queries(0, 6))
    run(workplace, server, "one", "a")
    run(workplace, server, "two", "a", "b")
    merge(workplace, "one", "two").refused(
        "'q00/a/0' was judged in runs/one and, otherwise, in runs/two, one of 6 such cases",
        "--prefer first",
    )
    assert not Path("runs/board").exists()
    run(workplace, server, "three", "a")  # whose calls took as many tokens as those of the others
    names = ("one", "two", "three")
    for _ in range(2):
        ended = merge(workplace, *names, options=("--prefer", "first"))
        assert ended.code == 0, ended.err
        assert "6 judged otherwise in a run before, and left out" in ended.out
        report = workplace.report("runs/board")
        spent = [workplace.report(f"runs/{name}")["run"]["spent"]["total"] for name in names]
        assert report["run"]["cases_planned"] == report["run"]["cases_finished"] == 12
        assert report["run"]["spent"]["total"]["tokens"] == sum(it["tokens"] for it in spent)
        assert report["run"]["spent"]["total"]["replies"] == sum(it["replies"] for it in spent)
    kept = "SELECT head FROM cases WHERE case_id = 'q00/a/0'"
    assert workplace.stored(kept, run="runs/board") == workplace.stored(kept, run="runs/one")
    assert workplace.safejury("verify", "runs/board").code == 0


def test_a_copy_that_retried_what_failed_was_paid_once(workplace: Any, scripted: Start) -> None:
    """Of a case that both have otherwise, what was asked before the copy was made is the same."""
    is_down = [True]

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        fails = is_down and body["model"] == "lawyer-model" and "Question 3" in str(body)
        return ScriptedReply(status=500) if fails else answer(body)

    server = scripted(reply)
    workplace.queries(*queries(0, 12))
    run(workplace, server, "one", "a")
    shutil.copytree("runs/one", "runs/two")
    is_down.clear()
    config = workplace.config(
        server.base_url, run__name="two", targets=targets(server.base_url, "a")
    )
    assert workplace.safejury("run", config, "--retry-failed").code == 0
    whole = workplace.report("runs/two")["run"]["spent"]["total"]
    for number, order in enumerate((("one", "two"), ("two", "one"))):
        for _ in range(2):
            ended = merge(workplace, *order, into=f"board{number}", options=("--prefer", "first"))
            assert "1 judged otherwise" in ended.out
            assert workplace.report(f"runs/board{number}")["run"]["spent"]["total"] == whole


def test_what_was_asked_on_two_machines_was_paid_on_both(
    workplace: Any, server: ScriptedServer, scripted: Start
) -> None:
    """Even where one of them was killed before it finished a case, so that none differs."""
    run(workplace, server, "one", "a")

    def hangs(body: Mapping[str, Any]) -> ScriptedReply:
        return ScriptedReply(hang=True)

    silent = scripted(hangs).base_url
    of = targets(server.base_url, "a")
    config = workplace.config(
        server.base_url, run__name="two", targets=of, jury__jurors__0__base_url=silent
    )
    with workplace.start("run", config) as process:
        while len(workplace.kept("SELECT 1 FROM calls", run="runs/two")) < 18:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    for _ in range(2):
        ended = merge(workplace, "one", "two")
        assert ended.code == 0, ended.err
        one, two, both = (
            workplace.report(f"runs/{name}")["run"]["spent"]["total"]
            for name in ("one", "two", "board")
        )
        assert both["tokens"] == one["tokens"] + two["tokens"]
        assert both["replies"] == one["replies"] + two["replies"]


def test_runs_that_are_not_finished(workplace: Any, scripted: Start) -> None:
    """What one has begun and another has finished is finished; the rest goes on."""
    most = [0]

    def slow(body: Mapping[str, Any]) -> ScriptedReply | str:
        return answer(body) if server.stats.calls <= most[0] else ScriptedReply(hang=True)

    server = scripted(slow)
    workplace.queries(*queries(0, 6))
    for name, target in (("one", "a"), ("two", "b")):
        most[0] = server.stats.calls + 14
        of = targets(server.base_url, target)
        config = workplace.config(
            server.base_url, run__name=name, targets=of, limits__concurrency=1
        )
        with workplace.start("run", config) as process:
            while not workplace.kept("SELECT 1 FROM cases", run=f"runs/{name}"):
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
    shutil.copytree("runs/one", "runs/three")
    most[0] = 10_000
    run(workplace, server, "three", "a")
    for source in (("one", "two"), ("three",)):
        ended = merge(workplace, *source)
        assert ended.code == 0, ended.err
        report = workplace.report("runs/board")["run"]
        assert report["cases_planned"] == 12
        assert 0 < report["cases_finished"] < 12
    # What is begun here and finished elsewhere has the transcript of there.
    opened = "SELECT * FROM entries WHERE case_id = 'q05/a/0' AND number = 0"
    with closing(sqlite3.connect("runs/one/record.sqlite")) as record, record:
        found = workplace.stored(opened, run="runs/three")
        record.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", found)
    assert merge(workplace, "three", into="one").code == 0
    assert workplace.report("runs/one")["run"]["cases_finished"] == 6
    run(workplace, server, "board", "a", "b")
    run(workplace, server, "whole", "a", "b")
    one, two = (content(workplace, f"runs/{name}") for name in ("board", "whole"))
    assert (one["entries"], one["results"]) == (two["entries"], two["results"])
    assert workplace.safejury("verify", "runs/board").code == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another jury": ({"jury__protocol": "vote"}, "jury.protocol was"),
    "another cap": ({"run__max_tokens": 9}, "run.max_tokens was 1024 and is 9"),
    "another target of the name": ({"targets__0__temperature": 1.0}, "targets[0].temperature was"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_runs_that_are_not_alike_are_refused(
    what: str, workplace: Any, server: ScriptedServer
) -> None:
    change, said = REFUSED[what]
    run(workplace, server, "one", "a")
    of = targets(server.base_url, "a", "b")
    change = dict(change)
    if change.pop("targets__0__temperature", None):
        of[0]["temperature"] = 1.0
    run(workplace, server, "two", targets=of, **change)
    ended = merge(workplace, "one", "two")
    ended.refused("runs/two is no run of the jury and protocol of runs/one", said)
    assert not Path("runs/board").exists()


OTHERWISE: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({"text": "Something else?"}, "another text"),
    "request": ({"underlying_request": "Something else."}, "another request"),
    "intent": ({"intent": "benign"}, "another scenario or intent"),
    "labels": ({"labels": {"kind": "x"}}, "other labels"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_one_id_is_one_query(what: str, workplace: Any, server: ScriptedServer) -> None:
    change, said = OTHERWISE[what]
    run(workplace, server, "one", "a")
    rows = queries(0, 6)
    rows[3] |= change
    workplace.queries(*rows)
    run(workplace, server, "two", "b")
    merge(workplace, "one", "two").refused(
        f"runs/two: 'q03' is another query there than in runs/one: it has {said}"
    )


def test_what_cannot_be_merged_is_said(workplace: Any, server: ScriptedServer) -> None:
    run(workplace, server, "one", "a")
    merge(workplace, "one", "none").refused("runs/none", "there is no run here")
    merge(workplace, "one", "one").refused("runs/one is named twice")
    merge(workplace, "one", into="one").refused("runs/one is named twice")
    merge(workplace, "one").refused("there is only runs/one to merge")
    Path("runs/board").mkdir()
    Path("runs/board/notes.txt").touch()
    merge(workplace, "one", "one").refused("holds something else than a run")
    workplace.stored("SELECT 1 FROM cases", run="runs/one")
    shutil.copytree("runs/one", "runs/two")
    workplace.path.joinpath("runs/two/record.sqlite").write_bytes(b"no record" * 99)
    merge(workplace, "one", "two", into="other").refused("runs/two", "not a record")
    merge(workplace, "one", "one", into="two").refused("runs/two", "not a record")


def test_another_machine_has_other_addresses(
    workplace: Any, server: ScriptedServer, scripted: Start
) -> None:
    """The jury is the same by its models; of a target that both have, the first address stays."""
    run(workplace, server, "one", "a")
    run(workplace, scripted(answer), "two", "b")
    ended = merge(workplace, "one", "two")
    assert ended.code == 0, ended.err
    assert "runs/two: 6 cases; its models at other addresses" in ended.out
    identity = json.loads(facts(workplace, "runs/board")["identity"])
    assert identity["jury"]["jurors"][0]["base_url"] == server.base_url


def test_runs_are_merged_from_python(workplace: Any, server: ScriptedServer) -> None:
    run(workplace, server, "one", "a")
    run(workplace, server, "two", "b")
    board = sj.merge(["runs/one", Path("runs/two")], into="runs/board")
    assert [target.name for target in board.summary.targets] == ["a", "b"]
    assert "by merging 6 cases of one, 6 cases of two" in " ".join(board.notes)
    run(workplace, server, "three", "b")
    with pytest.raises(sj.RecordError, match="was judged in runs/board and, otherwise, in"):
        sj.merge(["runs/three"], into="runs/board")
    kept = sj.merge(["runs/three"], into="runs/board", prefer="first")
    assert kept.summary.finished == 12


@pytest.mark.slow
def test_a_kill_in_the_middle_of_merging(workplace: Any, server: ScriptedServer) -> None:
    """The same command goes on, into a new run and into one that is there."""
    workplace.queries(*queries(0, 30))
    run(workplace, server, "one", "a")
    run(workplace, server, "two", "b")
    shutil.copytree("runs/one", "runs/there")
    draw, kills = random.Random(5), 0
    for into, runs in (("board", ("one", "two")), ("there", ("two",))):
        before = None if into == "board" else content(workplace, "runs/one")
        for most in (0.02, 0.04, 0.06, 0.08, 0.1, 0.15):
            paths = (f"runs/{name}" for name in runs)
            with workplace.start("merge", *paths, "--into", f"runs/{into}") as process:
                time.sleep(draw.uniform(0, most))
                kills += process.poll() is None
                process.kill()
                process.communicate()
            if Path("runs", into).exists():
                assert workplace.safejury("verify", f"runs/{into}").code == 0
                cases = len(workplace.stored("SELECT 1 FROM cases", run=f"runs/{into}"))
                assert cases in ((30, 60) if before else (60,))
        assert merge(workplace, *runs, into=into).code == 0
    assert kills
    run(workplace, server, "whole", "a", "b")
    for into in ("board", "there"):
        assert_alike(workplace, f"runs/{into}", "runs/whole")
    assert not list(Path("runs").glob(".*"))
    # People label the cases of both targets, and a jury card is made of that.
    assert {one.target for one in sj.review_sample("runs/board", 40, intent="all")} == {"a", "b"}
    cases = [
        str(name) for (name,) in workplace.stored("SELECT case_id FROM cases", run="runs/board")
    ]
    rows = [{"case": it, "label": "unsafe" if n % 3 else "safe"} for n, it in enumerate(cases)]
    file = workplace.write_lines(rows, "labels.jsonl")
    ended = workplace.safejury("calibrate", "runs/board", "--labels", file, *QUICK)
    assert ended.code == 0, ended.err
