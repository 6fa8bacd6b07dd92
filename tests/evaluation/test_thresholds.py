"""What figures must rest on: the exit code, and what a report says of all that is missing."""

import csv
import io
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from case_results import SAFE
from PIL import Image

from safejury.evaluation import summarize
from safejury.evaluation.metrics import DEFAULT_THRESHOLDS, NO_FACTS, shortfalls
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Body = Mapping[str, object]
Said = str | ScriptedReply
FORMS = ("table", "md", "csv", "json")
DOWN = ScriptedReply("down", status=503)
KEPT = Path(__file__).with_name("record_format_2")


def said(workplace: Any, form: str, run: str = "runs/first", *options: str) -> Any:
    """Return how `report` ended, its output as one line."""
    ended = workplace.safejury("report", run, "--format", form, *options)
    return replace(ended, out=" ".join(ended.out.split()))


def csv_rows(workplace: Any, run: str = "runs/first") -> list[dict[str, str]]:
    ended = workplace.safejury("report", run, "--format", "csv")
    return list(csv.DictReader(io.StringIO(ended.out)))


def many_queries(workplace: Any, number: int) -> None:
    scenarios = ("bias", "ethics.bioethics", "physical_harm")
    workplace.queries(
        *(
            {
                "id": f"q{n}",
                "scenario": scenarios[n % 3],
                "text": f"Question {n}?",
                "intent": "benign" if n % 4 == 0 else "harmful",
            }
            for n in range(number)
        )
    )


def test_a_killed_run_is_unfinished_in_every_format(workplace: Any, scripted: Start) -> None:
    many_queries(workplace, 18)
    server = scripted(latency=0.05)
    config = workplace.config(
        server.base_url,
        jury__protocol="vote",
        limits={"attempts": 1, "concurrency": 2},
    )
    record = workplace.path / "runs/first/record.sqlite"
    with workplace.start("run", config) as process:
        finished = 0
        while finished < 2 and process.poll() is None:
            time.sleep(0.02)
            if record.exists():
                with closing(sqlite3.connect(record)) as database:
                    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                    counted = "SELECT count(*) FROM cases"
                    finished = database.execute(counted).fetchone()[0] if tables > 4 else 0
        process.kill()
        process.communicate()
    ((finished,),) = workplace.stored("SELECT count(*) FROM cases")
    assert 2 <= finished < 16

    for form in FORMS:
        ended = said(workplace, form)
        assert ended.code == 3
        assert f"unfinished: {finished} of 18" in ended.out
        assert f"Coverage is {100 * finished / 18:.0f} % for examined" in ended.err.splitlines()[-1]
        assert f"the run is unfinished ({finished} of 18 cases)" in ended.err.splitlines()[-1]
        assert said(workplace, form, "runs/first", "--min-coverage", "0").code == 0
    rows = csv_rows(workplace)
    assert {row["unfinished"] for row in rows} == {f"unfinished: {finished} of 18"}
    for level in ("total", "category", "scenario"):
        planned = sum(int(row["planned"]) for row in rows if row["level"] == level)
        assert planned == 18, level
    report = workplace.report()
    (target,) = report["targets"]
    assert (target["planned"], target["cases"]) == (18, finished)
    assert target["coverage"] == target["verdicts"] / 18
    # Harmful cases that are not finished may be safe, or not: 13 of 18 are harmful.
    unsafe, n = target["asr"]["unsafe"], target["asr"]["n"]
    bounds = [unsafe / 13, (unsafe + 13 - n) / 13]
    assert target["asr"]["bounds"] == pytest.approx(bounds)

    assert workplace.safejury("run", config).code == 0
    for form in FORMS:
        ended = said(workplace, form)
        assert (ended.code, "unfinished:" in ended.out) == (0, False)


def test_all_that_is_planned_is_what_there_is_in_the_end(workplace: Any, scripted: Start) -> None:
    """With epochs, and a condition that only a query with a picture has."""
    Image.new("RGB", (8, 8), "navy").save(workplace.path / "p.png")
    query = {"scenario": "bias", "text": "Why?", "intent": "harmful"}
    workplace.queries({"id": "q1", **query}, {"id": "q2", "image": "p.png", **query})
    server = scripted()
    changes = {"images": ["original", "black"], "run__epochs": 2}
    assert workplace.safejury("run", workplace.config(server.base_url, **changes)).code == 0
    targets = workplace.report()["targets"]
    assert [(each["condition"], each["planned"]) for each in targets] == [("", 4), ("black", 2)]
    for each in targets:
        assert each["planned"] == each["cases"]
        for part in (*each["categories"].values(), *each["scenarios"].values()):
            assert part["planned"] == part["cases"]


def test_a_dead_target_among_ten_fails(workplace: Any, scripted: Start) -> None:
    """Of all cases 95 % have a verdict."""

    def reply(body: Body) -> Said:
        if body["model"] == "target-9" and "Question 0?" in json.dumps(body):
            return DOWN
        return "An answer." if "target" in str(body["model"]) else ballot("safe", 5)

    many_queries(workplace, 2)
    url = scripted(reply).base_url
    targets = [{"name": f"t{n}", "base_url": url, "model": f"target-{n}"} for n in range(10)]
    config = workplace.config(url, targets=targets, jury__protocol="vote")
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    last = ended.err.splitlines()[-1]
    assert last.startswith("Coverage is 50 % for t9, below the minimum of 90 %: ")
    assert last.endswith(f"Then: safejury run {config} --retry-failed")
    report = said(workplace, "json")
    assert (report.code, "Coverage is 50 % for t9," in report.err) == (3, True)
    assert workplace.safejury("run", config, "--min-coverage", "0.5").code == 0


def test_each_condition_needs_its_verdicts() -> None:
    black = replace(SAFE, condition="black", finding=None)
    (line,) = shortfalls(summarize([*[SAFE] * 30, black, black]), DEFAULT_THRESHOLDS, NO_FACTS)
    assert line.startswith("Coverage is 0 % for mine [black], below the minimum of")


def test_a_share_never_looks_like_what_it_falls_short_of() -> None:
    """That is 896 of 1,000 and 8,999 of 10,000."""
    lost = replace(SAFE, finding=None)
    for verdicts, cases, text in ((896, 1000, "89.6 %"), (8999, 10_000, "89.99 %")):
        results = [*[SAFE] * verdicts, *[lost] * (cases - verdicts)]
        (line,) = shortfalls(summarize(results), DEFAULT_THRESHOLDS, NO_FACTS)
        assert line.startswith(f"Coverage is {text} for mine, below the minimum of 90 %")


def test_a_juror_lost_to_the_budget_is_named(workplace: Any, scripted: Start) -> None:
    """Only the sceptic's calls are dear: the cap lets through few of them."""

    def reply(body: Body) -> ScriptedReply:
        dear = body["model"] == "sceptic-model"
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        # The sceptic answers when the others are done.
        usage = {"prompt_tokens": 900, "completion_tokens": 100}
        return ScriptedReply(text, usage=usage, delay=0.05 if dear else 0)

    many_queries(workplace, 4)
    server = scripted(reply)
    jurors = [
        {"persona": name, "base_url": server.base_url, "model": f"{name}-model"}
        for name in ("clinician", "lawyer", "sceptic")
    ]
    config = workplace.config(
        server.base_url,
        jury__jurors=jurors,
        jury__protocol="vote",
        limits={"attempts": 1, "concurrency": 1, "max_tokens_total": 14_900},
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    jurors = workplace.report()["targets"][0]["jurors"]
    worst = min(jurors, key=lambda name: (jurors[name]["kept"], name))
    assert jurors[worst]["outcomes"]["budget_stop"] > 0
    last = ended.err.splitlines()[-1]
    assert last.startswith(
        f"The juror {worst} kept only {100 * jurors[worst]['kept']:.0f} % of its ballots"
    )
    assert "lost to the budget" in last
    assert "Raise limits.max_tokens_total or limits.max_cost_usd." in last
    assert last.endswith(f"Then: safejury run {config} --retry-failed")


def test_a_juror_that_is_lost_is_counted_in_every_format(workplace: Any, scripted: Start) -> None:
    """The others decide each case: all have a verdict, and coverage is whole."""

    def reply(body: Body) -> Said:
        if body["model"] == "sceptic-model" and "Question 0?" not in json.dumps(body):
            return DOWN
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    many_queries(workplace, 5)
    config = workplace.config(scripted(reply).base_url, jury__protocol="vote")
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    line = (
        "The juror sceptic kept only 20 % of its ballots on examined (4 lost to failed calls), "
        "below the minimum of 90 %. Fix the cause shown above. "
    )
    assert ended.err.splitlines()[-1] == f"{line}Then: safejury run {config} --retry-failed"
    assert workplace.safejury("run", config, "--min-panel", "0.2").code == 0

    top = (
        "examined: the juror sceptic cast 1 of 5 ballots (4 lost to failed calls), so that 4 "
        "verdicts lack its vote."
    )
    for form in FORMS:
        report = said(workplace, form)
        assert report.code == 3
        assert report.err.startswith(line)
        if form != "csv":
            assert top in report.out
            assert report.out.index(top) < report.out.index(
                "Models under test" if form != "json" else "asr"
            )
    rows = {row["name"]: row for row in csv_rows(workplace) if row["level"] == "juror"}
    assert rows.keys() == {"clinician", "lawyer", "sceptic"}
    row = rows["sceptic"]
    counted = (row["ballots"], row["ballots_transport_error"], row["verdicts_lacking"])
    assert (counted, row["ballots_kept"]) == (("5", "4", "4"), "0.2")
    juror = workplace.report()["targets"][0]["jurors"]["sceptic"]
    assert (juror["asked"], juror["kept"], juror["verdicts_lacking"]) == (5, 0.2, 4)
    assert juror["outcomes"]["verdict"] == 1


def test_ballots_that_are_no_votes_are_not_lost(workplace: Any, scripted: Start) -> None:
    """Refused, unreadable and abstaining ones are kept apart, and a retry is no use."""

    def reply(body: Body) -> Said:
        if body["model"] == "sceptic-model":
            return ScriptedReply(refusal="I will not judge this.")
        return "An answer." if body["model"] == "target" else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url, jury__protocol="vote")
    assert workplace.safejury("run", config).code == 0
    juror = workplace.report()["targets"][0]["jurors"]["sceptic"]
    assert (juror["kept"], juror["verdicts_lacking"], juror["outcomes"]["refused"]) == (1.0, 0, 3)
    table = said(workplace, "table").out
    assert "Ballots without a vote, all rounds" in table


def test_the_file_is_to_be_mended_where_the_failure_is_in_it(
    workplace: Any, scripted: Start
) -> None:
    rows = [{"query_id": f"q{n}", "text": "Why?", "response": "So." if n else ""} for n in range(4)]
    workplace.write_lines(rows)
    server = scripted(reply=ballot("safe", 5))
    arguments = ("answers.jsonl", "--jurors", "m", "--url", server.base_url)
    ended = workplace.safejury("judge", *arguments)
    assert ended.code == 3
    assert "A retry would not help" in ended.err.splitlines()[-1]
    for form in ("table", "md"):
        report = said(workplace, form, "runs/answers")
        assert "fix the file and judge it as a new run" in report.out
        assert "--retry-failed" not in report.out + report.err


@pytest.mark.parametrize("limit", [None, 2])
def test_rows_that_are_left_out_count_against_the_coverage(
    limit: int | None, workplace: Any, scripted: Start
) -> None:
    """Of 20 rows, 12 answer a query that has an answer."""
    rows = [{"query_id": f"q{n % 8}", "text": "Why?", "response": "So."} for n in range(20)]
    workplace.write_lines(rows)
    server = scripted(reply=ballot("safe", 5))
    arguments = ["answers.jsonl", "--jurors", "m", "--url", server.base_url]
    arguments += [] if limit is None else ["--limit", str(limit)]
    ended = workplace.safejury("judge", *arguments)
    assert ended.code == 3
    last = ended.err.splitlines()[-1]
    # A part of the file lacks in proportion: 2 of 8 queries, 3 of 12 rows.
    assert last.startswith("Coverage is 40 % for answers, below the minimum of 90 %: 12 of 20 ")
    assert last.endswith("Fix the files, or accept it with --allow-skipped.")
    assert workplace.safejury("judge", *arguments, "--allow-skipped").code == 0
    for form in FORMS:
        assert said(workplace, form, "runs/answers").code == 3
        allowed = said(workplace, form, "runs/answers", "--allow-skipped")
        assert allowed.code == 0
        if form != "csv":
            assert "12 of 20 recorded responses were skipped and in no figure" in allowed.out
    assert csv_rows(workplace, "runs/answers")[0]["left_out"] == ("12" if limit is None else "3")
    left_out = workplace.report("runs/answers")["run"]["left_out"]["answers"]
    assert (left_out["rows"], left_out["rows_used"]) == (12, 8)


def test_an_unfinished_run_of_an_earlier_version_says_what_it_knows(workplace: Any) -> None:
    """It kept the total alone: 12 cases of two targets that were asked alike."""
    shutil.copytree(KEPT, workplace.path / "old")
    with closing(sqlite3.connect("old/record.sqlite")) as database, database:
        database.execute("DELETE FROM cases WHERE case_id GLOB 'q[135]/second/*'")
    for form in FORMS:
        report = said(workplace, form, "old")
        assert (report.code, "unfinished: 9 of 12" in report.out) == (3, True)
        assert "Coverage is" in report.err
    first, second = workplace.report("old")["targets"]
    assert (first["planned"], first["coverage"]) == (6, pytest.approx(5 / 6))
    assert (second["planned"], second["cases"]) == (6, 3)
    assert second["coverage"] == second["verdicts"] / 6
    # Nobody knows in which scenarios the others are.
    assert second["asr"]["bounds"] is None
    assert {part["coverage"] for part in second["categories"].values()} == {None}
    assert None not in {part["coverage"] for part in first["categories"].values()}


def test_a_run_of_an_earlier_version_whose_targets_may_differ(workplace: Any) -> None:
    """With conditions nobody knows whose the other cases are: the total alone counts."""
    shutil.copytree(KEPT, workplace.path / "old")
    with closing(sqlite3.connect("old/record.sqlite")) as database, database:
        (text,) = database.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        identity = {**json.loads(text), "images": ["original", "black"]}
        database.execute("UPDATE meta SET value = ? WHERE key = 'identity'", [json.dumps(identity)])
        database.execute("UPDATE meta SET value = '24' WHERE key = 'total'")
    report = said(workplace, "json", "old", "--min-panel", "0")
    assert report.code == 3
    assert "unfinished: 12 of 24 cases. The figures cover only these; the targets" in report.out
    assert {target["planned"] for target in json.loads(report.out)["targets"]} == {None}
    assert {target["coverage"] for target in json.loads(report.out)["targets"]} == {None}
    low = said(workplace, "json", "old", "--min-panel", "0", "--min-coverage", "0.6")
    assert (low.code, low.err.startswith("Coverage is 38 %, below the minimum of 60 %")) == (
        3,
        True,
    )


def test_a_run_of_an_earlier_version_says_whose_ballots_were_lost(workplace: Any) -> None:
    """Its results do not: they are counted from the transcripts."""
    shutil.copytree(KEPT, workplace.path / "old")
    first, _ = workplace.report("old")["targets"]
    lawyer = first["jurors"]["lawyer"]
    assert (lawyer["outcomes"]["transport_error"], lawyer["verdicts_lacking"]) == (2, 0)
