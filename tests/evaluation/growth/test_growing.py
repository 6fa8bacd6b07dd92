"""A run takes more later: what is judged stays, and the rest is done as in a run from the start."""

import asyncio
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
from PIL import Image

import safejury as sj
from safejury.evaluation.record import RecordReader, cases_of, cases_sha256
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
KEPT = Path(__file__).parents[1] / "record_format_2"


@pytest.fixture
def server(workplace: Any, scripted: Start) -> ScriptedServer:
    workplace.queries(*queries(0, 6))
    return scripted(answer)


def run(workplace: Any, server: ScriptedServer, name: str = "first", **changes: Any) -> Any:
    """Run a config of one target unless `changes` say more."""
    changes.setdefault("targets", targets(server.base_url, "a"))
    config = workplace.config(server.base_url, run__name=name, **changes)
    return workplace.safejury("run", config, "--allow-skipped")


GROWN: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "a target": (lambda url: {"targets": targets(url, "a", "b")}, "1 target"),
    "a target before the others": (lambda url: {"targets": targets(url, "b", "a")}, "1 target"),
    "epochs": (lambda _: {"run__epochs": 3}, "2 epochs"),
    "all at once": (
        lambda url: {"targets": targets(url, "c", "a"), "scenarios": None, "run__epochs": 2},
        "1 target, 4 queries, 1 epoch",
    ),
}


@pytest.mark.parametrize("what", GROWN)
def test_a_grown_run_is_that_of_one_from_the_start(
    what: str, workplace: Any, server: ScriptedServer
) -> None:
    more, said = GROWN[what]
    begun: dict[str, Any] = {"scenarios": ["bias"]}
    assert run(workplace, server, **begun).code == 0
    before = len(server.requests)
    changes = begun | more(server.base_url)
    config = workplace.config(
        server.base_url, **{"targets": targets(server.base_url, "a"), **changes}
    )
    planned = workplace.safejury("run", config, "--plan").out
    assert f"growing: {said} more; 2 of " in planned
    assert len(server.requests) == before
    grown = run(workplace, server, **changes)
    assert grown.code == 0, grown.err
    assert f"growing: {said} more" in grown.err
    after = len(server.requests)
    assert run(workplace, server, "whole", **changes).code == 0
    assert after == len(server.requests) - after  # no call was made twice
    assert_alike(workplace, "runs/first", "runs/whole")
    whole = facts(workplace, "runs/whole")
    assert json.loads(facts(workplace)["identity"]) == json.loads(whole["identity"])

    again = run(workplace, server, **changes)
    assert "growing" not in again.err
    assert f"Grown 1 time: by {said} (" in " ".join(
        workplace.safejury("verify", "runs/first").out.split()
    )
    noted = " ".join(workplace.safejury("report", "runs/first", "--format", "md").out.split())
    assert f"Grown 1 time: by {said} (" in noted


def test_a_longer_file_that_holds_the_judged_queries(
    workplace: Any, server: ScriptedServer
) -> None:
    assert run(workplace, server).code == 0
    rows = queries(0, 9)
    workplace.queries(*rows[6:], *rows[:6])
    ended = run(workplace, server)
    assert "growing: 3 queries more" in ended.err
    assert run(workplace, server, "whole").code == 0
    assert_alike(workplace, "runs/first", "runs/whole")


@pytest.mark.parametrize(("limits", "asked"), [((2, 4, 12), 12), ((5, 7, 9), 9)])
def test_a_larger_limit_asks_what_was_asked_and_more(
    limits: tuple[int, ...], asked: int, workplace: Any, server: ScriptedServer
) -> None:
    """Evenly spread queries of one number are not always among those of a larger number."""
    workplace.queries(*queries(0, 12))
    for limit in limits:
        for _ in range(2):  # the second time nothing is left to do
            ended = run(workplace, server, limit=limit)
            assert ended.code == 0, ended.err
            assert workplace.stored("SELECT count(*) FROM cases") == [(limit,)]
    assert workplace.report()["run"]["cases_planned"] == asked
    # Less than what is judged takes nothing back.
    ended = run(workplace, server, limit=limits[0])
    assert ended.code == 0, ended.err
    assert workplace.stored("SELECT count(*) FROM cases") == [(asked,)]


def test_pictures_are_shown_in_one_more_way(workplace: Any, server: ScriptedServer) -> None:
    for number, color in enumerate(("red", "blue")):
        Image.new("RGB", (8, 8), color).save(workplace.path / f"p{number}.png")
    rows = queries(0, 2)
    workplace.queries(*({**row, "image": f"p{at}.png"} for at, row in enumerate(rows)))
    assert run(workplace, server).code == 0
    changes: dict[str, Any] = {"images": ["blur", "original"]}
    assert "growing: 1 condition more" in run(workplace, server, **changes).err
    assert run(workplace, server, "whole", **changes).code == 0
    assert_alike(workplace, "runs/first", "runs/whole")
    # A picture of which only the blurred one was shown is compared by what was shown.
    for name, ended in (("blurred", 0), ("blurred", 2)):
        found = run(workplace, server, name, images=["blur"])
        assert found.code == ended, found.err
        Image.new("RGB", (8, 8), "green").save(workplace.path / "p1.png")
    assert "'q01' was judged with other pictures (q01/a/0/blur:8)" in found.err


@pytest.mark.parametrize("dataset", ["queries.jsonl", "responses"])
def test_more_recorded_responses(dataset: str, workplace: Any, server: ScriptedServer) -> None:
    """More rows of a file, and another file: of a set, and of questions that the files ask."""
    rows = [
        {"query_id": row["id"], "response": f"Words {row['id']}.", "text": row["text"]}
        for row in queries(0, 6)
    ]
    old, new = ({"name": name, "responses": f"{name}.jsonl"} for name in ("old", "new"))
    workplace.write_lines([{**row, "response": "Other words."} for row in rows], "new.jsonl")

    def judged(name: str, lines: list[Any], *of: object, **changes: Any) -> Any:
        workplace.write_lines(lines, "old.jsonl")
        return run(workplace, server, name, dataset=dataset, targets=list(of), **changes)

    some = {"scenarios": ["bias"]} if dataset == "queries.jsonl" else {}
    begun = [rows[0], rows[3]]
    assert judged("first", begun, old, **some).code == 0
    lost = judged("first", begun[:1], old, new)
    assert lost.code == 2, lost.err
    ended = judged("first", [rows[5], *begun, *rows[1:3], rows[4], "no JSON"], old, new)
    assert ended.code == 0, ended.err
    assert "growing: 1 target, 4 queries more" in ended.err
    assert judged("whole", [rows[5], *begun, *rows[1:3], rows[4], "no JSON"], old, new).code == 0
    assert_alike(workplace, "runs/first", "runs/whole")
    # A file that is no more judged keeps its list of rows that could not be.
    assert judged("first", [], new).code == 0
    report = workplace.report()
    assert report["run"]["left_out"]["old"]["rows"] == 1
    if dataset == "queries.jsonl":
        assert "old.jsonl: 6 of 6 responses joined by id." in report["run"]["notes"]


def test_what_is_gone_from_the_config_stays_in_the_report(
    workplace: Any, server: ScriptedServer
) -> None:
    """So that nobody makes a target complete by leaving it out."""
    both = targets(server.base_url, "a", "b")
    assert run(workplace, server, targets=both[:1]).code == 0
    with closing(RecordReader(Path("runs/first"))) as reader:
        begun = cases_sha256(reader.meta.identity)
    ended = run(workplace, server, targets=both[1:], scenarios=["bias"])
    assert ended.code == 0, ended.err
    assert "no more in the config, and what is judged of it stays: 'a'" in ended.err
    found = {each["target"]: each for each in workplace.report()["targets"]}
    assert {name: (each["cases"], each["planned"]) for name, each in found.items()} == {
        "a": (6, 6),
        "b": (2, 2),
    }
    made = len(server.requests)
    again = run(workplace, server, targets=both[1:], scenarios=["bias"], run__audit_talk=0)
    assert (again.code, len(server.requests)) == (0, made)
    assert "8 cases in runs/first" in again.err
    assert run(workplace, server, targets=both).code == 0
    assert run(workplace, server, "whole", targets=both).code == 0
    assert_alike(workplace, "runs/first", "runs/whole")
    steps = json.loads(facts(workplace)["grown"])
    assert [step["added"] for step in steps] == ["1 target", "4 queries"]
    assert steps[0]["before"]["targets"] == ["a"]
    # A card made of labels of the run before is one of its own cases still.
    with closing(RecordReader(Path("runs/first"))) as reader:
        assert begun in cases_of(reader.meta)
        assert begun != cases_sha256(reader.meta.identity)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another text": ({"text": "Else?"}, "'q02' was judged with another text (q02/a/0)"),
    "another scenario": ({"scenario": "violence.physical_harm"}, "'q00' was judged"),
    "another intent": ({"intent": "benign"}, "with another intent"),
    "labels": ({"labels": {"kind": "x"}}, "with other labels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_judged_query_that_was_changed_is_refused(
    what: str, workplace: Any, server: ScriptedServer
) -> None:
    change, said = REFUSED[what]
    assert run(workplace, server).code == 0
    made = len(server.requests)
    rows = queries(0, 8)
    at = 0 if what == "another scenario" else 2
    rows[at] |= change
    workplace.queries(*rows)
    run(workplace, server, targets=targets(server.base_url, "b")).refused(said, "another run.name")
    assert len(server.requests) == made


def test_queries_that_are_gone_from_the_set_are_refused(
    workplace: Any, server: ScriptedServer
) -> None:
    assert run(workplace, server).code == 0
    workplace.queries(*queries(2, 8))
    ended = run(workplace, server)
    ended.refused("2 judged queries are no more in the set (such as 'q00')", "put back")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets__0__system": "Be brief."}, "systems.a was null"),
        ({"targets__0__temperature": 1.0}, "targets[1].temperature was null and is 1.0"),
        ({"run__max_tokens": 9}, "run.max_tokens was 1024 and is 9"),
        ({"run__seed": 9}, "run.seed was 7 and is 9"),
        ({"jury__protocol": "vote"}, "jury.protocol was"),
        ({"run__truncated": "judge"}, "run.truncated was null"),
    ],
)
def test_what_changes_the_meaning_is_refused_beside_what_adds(
    change: dict[str, Any], said: str, workplace: Any, server: ScriptedServer
) -> None:
    assert run(workplace, server).code == 0
    stored = facts(workplace)
    more = targets(server.base_url, "b", "a")
    for path, value in change.items():
        if path.startswith("targets__0__"):
            more[1][path.removeprefix("targets__0__")] = value
            change = {}
    run(workplace, server, targets=more, **change).refused(said, "another configuration")
    assert facts(workplace) == stored


def test_pictures_at_random_are_those_of_all_queries(
    workplace: Any, server: ScriptedServer
) -> None:
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(workplace.path / f"p{number}.png")
    rows = [{**row, "image": f"p{at}.png"} for at, row in enumerate(queries(0, 3))]
    workplace.queries(*rows[:2])
    assert run(workplace, server, images=["random"]).code == 0
    workplace.queries(*rows)
    run(workplace, server, images=["random"]).refused("`images: random`", "another run.name")


def test_a_run_of_an_earlier_version_is_refused_by_its_jury(
    workplace: Any, server: ScriptedServer
) -> None:
    """Its jurors had other prompts: what they say is not what ours say."""
    shutil.copytree(KEPT, workplace.path / "runs" / "first")
    run(workplace, server).refused("another configuration")


async def test_a_run_from_python_grows_before_it_is_finished(
    workplace: Any, scripted: Start
) -> None:
    """What a function answered waits for the jury, and is not asked for again."""
    slow, loop, heard = [True], asyncio.get_running_loop(), asyncio.Event()

    def says(body: Mapping[str, Any]) -> ScriptedReply:
        loop.call_soon_threadsafe(heard.set)
        return ScriptedReply(text=ballot("safe", 4), delay=60.0 if slow else 0.0)

    server = scripted(says)
    rows = queries(0, 3)
    calls = list[str]()

    async def product(query: sj.Query) -> str:
        calls.append(query.id)
        return f"An answer to {query.id}."

    jury = sj.Jury.of("clinician", model=sj.endpoint(server.base_url, "m"))
    said: dict[str, Any] = {"targets": product, "jury": jury, "name": "first"}
    run = asyncio.ensure_future(sj.evaluate(rows[:1], **said))
    await heard.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert workplace.stored("SELECT case_id FROM answers") == [("q00/product/0",)]
    slow.clear()
    result = await sj.evaluate(rows, **said)
    assert (result.summary.finished, result.is_finished, sorted(calls)) == (
        3,
        True,
        ["q00", "q01", "q02"],
    )
    # An answer to another question than now is none.
    more = await sj.evaluate([*rows, *queries(3, 4)], **said, epochs=2)
    assert more.summary.finished == 8
    assert "Grown 1 time: by 1 query, 1 epoch" in " ".join(more.notes)
    with pytest.raises(sj.RecordError, match="'q00' was judged with another text"):
        await sj.evaluate([{**rows[0], "text": "Else?"}, *rows[1:], *queries(3, 4)], **said)


@pytest.mark.slow
def test_a_kill_in_the_middle_of_growing_changes_nothing(workplace: Any, scripted: Start) -> None:
    """The same command goes on, wherever it was: before, while and after the record grew."""
    server = scripted(answer, latency=0.02)
    workplace.queries(*queries(0, 6))
    assert run(workplace, server).code == 0
    workplace.queries(*queries(0, 12))
    both = targets(server.base_url, "b", "a")
    config = workplace.config(server.base_url, targets=both, limits__concurrency=4)
    kills, draw = 0, random.Random(3)
    for most in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        with workplace.start("run", config) as process:
            time.sleep(draw.uniform(0, most))
            kills += process.poll() is None
            process.kill()
            process.communicate()
        assert workplace.safejury("verify", "runs/first").code == 0
    assert kills
    assert workplace.safejury("run", config).code == 0
    assert workplace.safejury("run", config, "--set", "run.name=whole").code == 0
    assert content(workplace, "runs/first") == content(workplace, "runs/whole")
    assert "Grown 1 time: by 1 target, 6 queries" in workplace.safejury("verify", "runs/first").out


def test_a_record_that_has_no_chains_grows(workplace: Any, server: ScriptedServer) -> None:
    """Such as earlier versions wrote; what is new has them."""
    assert run(workplace, server).code == 0
    with closing(sqlite3.connect("runs/first/record.sqlite")) as record, record:
        record.execute("ALTER TABLE cases DROP COLUMN head")
        record.execute("DELETE FROM meta WHERE key IN ('bound', 'sealed', 'planned', 'queries')")
    assert run(workplace, server, targets=targets(server.base_url, "a", "b")).code == 0
    verified = workplace.safejury("verify", "runs/first")
    assert verified.code == 0, verified.out
    assert "12 cases as recorded, 0 changed" in verified.out
    assert "6 cases without a chain (recorded by an earlier version)" in verified.out
    assert workplace.report()["run"]["cases_planned"] == 12


def test_a_batch_asks_for_the_new_cases_alone(workplace: Any, server: ScriptedServer) -> None:
    assert run(workplace, server).code == 0
    both = targets(server.base_url, "a", "b")
    config = workplace.config(server.base_url, targets=both)
    ended = workplace.safejury("export-batch", config, "--ask")
    assert ended.code == 0, ended.err
    asked = {line["custom_id"] for line in workplace.lines()}
    assert len(asked) == 6 * 3
    assert all("/b/0/" in each for each in asked)


def test_a_failed_case_of_a_target_that_is_gone_is_retried_when_it_is_back(
    workplace: Any, scripted: Start
) -> None:
    mended = False

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        lost = body["model"] == "a-model" and "Question 3?" in str(body["messages"])
        return ScriptedReply("overloaded", status=503) if lost and not mended else answer(body)

    server = scripted(reply)
    workplace.queries(*queries(0, 6))
    a, b = targets(server.base_url, "a", "b")
    failed = "SELECT case_id FROM cases WHERE response_outcome = 'error'"

    def again(*of: object) -> Any:
        config = workplace.config(server.base_url, targets=list(of))
        return workplace.safejury("run", config, "--retry-failed", "--min-coverage", "0.8")

    assert again(a).code == 0
    ended = again(b)
    assert ended.code == 0, ended.err
    assert "resuming: 6 of 12 cases done" in ended.err
    assert workplace.stored(failed) == [("q03/a/0",)]
    mended = True
    made = len(server.requests)
    assert again(b).code == 0
    assert len(server.requests) == made
    assert again(a, b).code == 0
    assert workplace.stored(failed) == []


def test_a_target_that_is_left_out_unfinished_is_seen_to_be_so(
    workplace: Any, scripted: Start
) -> None:
    """Else leaving it out would complete it; put back, it is finished."""
    most = [14]

    def slow(body: Mapping[str, Any]) -> ScriptedReply | str:
        return answer(body) if server.stats.calls <= most[0] else ScriptedReply(hang=True)

    server = scripted(slow)
    workplace.queries(*queries(0, 6))
    a, b = targets(server.base_url, "a", "b")
    config = workplace.config(server.base_url, targets=[a], limits__concurrency=1)
    with workplace.start("run", config) as process:
        while not workplace.kept("SELECT 1 FROM cases"):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    most[0] = 10_000
    ended = run(workplace, server, targets=[b])
    assert ended.code == 3
    assert "for a, below the minimum of 90 %" in ended.err
    found = {each["target"]: each for each in workplace.report()["targets"]}
    assert (found["a"]["planned"], found["b"]["planned"]) == (6, 6)
    assert found["a"]["cases"] < 6 == found["b"]["cases"]
    ended = run(workplace, server, targets=[a, b])
    assert ended.code == 0, ended.err
    assert {each["cases"] for each in workplace.report()["targets"]} == {6}
