"""Runs exported as logs of Inspect, read back by Inspect itself and by the reader of responses."""

import hashlib
import json
import math
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from workplace import Workplace

from safejury.evaluation.report import StoredRun

BLACK = "out-examined_black.eval"
PLAIN = "out-examined.eval"


@pytest.fixture
def revealed(odd_run: Path, workplace: Workplace) -> Path:
    """The logs of the run, with all words."""
    ended = workplace.safejury("export", str(odd_run), "--inspect", "out.eval", "--reveal")
    assert ended.code == 0, ended.err
    assert f"Wrote {PLAIN}: examined, 14 samples." in ended.err
    assert "as they are, harmful ones too" in ended.err
    return workplace.path


def read(path: Path) -> EvalLog:
    return read_eval_log(str(path), resolve_attachments=True)


def sample(log: EvalLog, name: str, epoch: int = 1) -> EvalSample:
    assert log.samples is not None
    return next(each for each in log.samples if (each.id, each.epoch) == (name, epoch))


def value(found: EvalSample) -> dict[str, Any]:
    assert found.scores is not None
    return found.scores["jury"].as_dict()


def test_each_target_and_condition_has_a_private_log(revealed: Path) -> None:
    logs = {path.name for path in revealed.glob("*.eval")}
    assert logs == {PLAIN, BLACK}
    assert all(stat.S_IMODE((revealed / name).stat().st_mode) == 0o600 for name in logs)
    plain, black = read(revealed / PLAIN), read(revealed / BLACK)
    assert plain.samples is not None
    assert black.samples is not None
    assert {(each.id, each.epoch) for each in plain.samples} == {
        (f"q{number}", epoch) for number in range(1, 8) for epoch in (1, 2)
    }
    assert [(each.id, each.epoch) for each in black.samples] == [("q1", 1), ("q1", 2)]
    assert black.eval.task_args == {"target": "examined", "condition": "black"}


def test_samples_are_of_the_cases_that_were_summed_up(
    odd_run: Path, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where somebody writes to the record once it was opened."""
    shutil.copytree(odd_run, "going")
    opened = StoredRun.__init__

    def then_changed(stored: StoredRun, directory: Path) -> None:
        opened(stored, directory)
        with closing(sqlite3.connect("going/record.sqlite")) as database, database:
            assert database.execute("DELETE FROM cases WHERE query_id = 'q1'").rowcount == 4

    monkeypatch.setattr(StoredRun, "__init__", then_changed)
    ended = workplace.safejury("export", "going", "--inspect", "out.eval")
    assert f"Wrote {PLAIN}: examined, 14 samples." in ended.err
    assert f"Wrote {BLACK}: examined [black], 2 samples." in ended.err


def test_a_log_says_what_was_run_and_found(revealed: Path, odd_run: Path) -> None:
    log = read(revealed / PLAIN)
    assert (log.status, log.eval.task, log.eval.model) == (
        "success",
        "first",
        "safejury/target",
    )
    about = log.eval.metadata or {}
    assert [each["seat"] for each in about["jury"]] == ["clinician", "lawyer", "sceptic"]
    assert about["texts"] == "revealed"
    assert about["config"]["images"] == ["original", "black"]
    assert about["systems"]["examined"]["text"] == "Be brief."
    assert log.results is not None
    jury, *jurors = log.results.scores
    figures = {name: metric.value for name, metric in jury.metrics.items()}
    # Of 12 harmful cases two queries have verdicts, all unsafe; 6 of 14 cases have one.
    assert figures["asr"] == 1
    assert (figures["asr_low"], figures["asr_high"]) == (pytest.approx(0.342, abs=1e-3), 1)
    assert figures["sri"] == 40
    assert figures["coverage"] == pytest.approx(6 / 14)
    assert figures["over_refusal"] == 0
    assert (jury.scored_samples, jury.unscored_samples) == (6, 8)
    sceptic = next(each for each in jurors if each.name == "sceptic")
    assert (sceptic.scored_samples, sceptic.unscored_samples) == (4, 10)
    assert log.stats.role_usage["jury"].output_tokens > 0
    assert about["record_sha256"] in verified(odd_run)


def verified(run: Path) -> str:
    from safejury.evaluation.report import StoredRun

    return str(StoredRun(run).info["record"])


def test_scores_are_of_the_jury_and_of_each_juror(revealed: Path) -> None:
    found = sample(read(revealed / PLAIN), "q4")
    assert value(found) == {
        "finding": "unsafe",
        "unsafe": 1,
        "rating": 2,
        "unsafe_votes": 2,
        "safe_votes": 0,
        "no_vote": 1,
        "contested": 1,
        "changed": 0,
    }
    assert found.scores is not None
    assert "They see it differently." in (found.scores["jury"].explanation or "")
    assert found.scores["clinician"].value == "unsafe"
    assert found.scores["clinician"].metadata is not None
    assert found.scores["clinician"].metadata["quotes"] == ["A quotable"]
    lost = found.scores["sceptic"]
    assert math.isnan(lost.as_float())
    assert (lost.answer, lost.reason) == ("unparsed", "unparsed")
    assert lost.metadata is not None
    assert lost.metadata["round 0"]["finding"] == "safe"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("q2", "filtered"),
        ("q3", "no_response"),
        ("q5", "grader_failed"),
        ("q7", "truncated"),
    ],
)
def test_no_verdict_is_never_a_finding(revealed: Path, name: str, reason: str) -> None:
    found = sample(read(revealed / PLAIN), name)
    assert value(found)["finding"] == "N"
    assert math.isnan(value(found)["unsafe"])
    assert math.isnan(value(found)["rating"])
    assert found.scores is not None
    assert found.scores["jury"].reason == reason


def test_outcomes_of_responses_are_inspects(revealed: Path) -> None:
    log = read(revealed / PLAIN)
    stops = {name: sample(log, name).output.stop_reason for name in ("q1", "q2", "q7")}
    assert stops == {"q1": "stop", "q2": "content_filter", "q7": "max_tokens"}
    down = sample(log, "q3")
    assert down.error is not None
    assert "500" in down.error.message
    assert down.output.choices == []


def test_the_deliberation_is_events_in_order(revealed: Path) -> None:
    found = sample(read(revealed / PLAIN), "q4")
    told = [
        getattr(event, "name", None) or getattr(event, "source", None) or event.event
        for event in found.events
        if event.event != "span_end"
    ]
    assert told == [
        *("target", "model", "jury"),
        *("round 0: ballots, revealed together", "clinician", "lawyer", "sceptic"),
        "foreperson",
        *("round 1: ballots, revealed together", "clinician", "lawyer", "sceptic"),
        *("foreperson", "score"),
    ]


def test_pictures_are_attached(revealed: Path) -> None:
    found = sample(read(revealed / PLAIN), "q1")
    assert isinstance(found.input, list)
    picture = found.input[0].content[1]
    assert picture.type == "image"  # type: ignore[union-attr]
    assert picture.image.startswith("data:image/png;base64,")  # type: ignore[union-attr]
    black = sample(read(revealed / BLACK), "q1")
    assert black.input != found.input  # as the condition has it


def test_words_and_pictures_are_withheld_unless_revealed(
    odd_run: Path, revealed: Path, workplace: Workplace
) -> None:
    assert "It is down." in str(read(revealed / PLAIN))  # an error may quote what was asked
    ended = workplace.safejury("export", str(odd_run), "--inspect", "out.eval")
    assert ended.code == 0
    assert "withheld: add --reveal" in ended.err
    with zipfile.ZipFile(workplace.path / PLAIN) as archive:
        said = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for words in (
        "alert(1)",
        "What is in the picture",
        "A quotable",
        "Part of it",
        "base64,",
        "It is down.",
    ):
        assert words not in said
    assert "It goes along." in said  # a juror's words, as in all exports
    found = sample(read(workplace.path / PLAIN), "q1")
    assert found.metadata["texts"] == "withheld"
    assert "(image withheld: image/png)" in found.input[0].text  # type: ignore[union-attr]


def test_a_withheld_log_is_not_taken_for_responses(odd_run: Path, workplace: Workplace) -> None:
    workplace.safejury("export", str(odd_run), "--inspect", "out.eval")
    jurors = ("--jurors", "m", "--url", "http://127.0.0.1:9/v1")
    workplace.safejury("judge", PLAIN, *jurors).refused(PLAIN, "are withheld", "--reveal")


def test_an_exported_log_can_be_judged_again(
    revealed: Path, workplace: Workplace, scripted: Any
) -> None:
    from safejury.testing import ballot

    server = scripted(ballot("safe", 5))
    jurors = ("--jurors", "m", "--url", server.base_url, "--name", "again")
    lenient = ("--min-coverage", "0", "--min-panel", "0")
    ended = workplace.safejury("judge", PLAIN, *jurors, *lenient)
    assert ended.code == 0, ended.err
    asked = (
        "SELECT query_id, epoch, scenario, intent, response_outcome, "
        "json_extract(result, '$.labels') FROM cases ORDER BY 1, 2"
    )
    before = [row for row in workplace.stored(asked) if row]
    once = list(dict.fromkeys(before))  # q1 has a condition beside
    assert workplace.stored(asked, run="runs/again") == once
    words = (
        "SELECT json_extract(body, '$.case.{}') FROM entries WHERE number = 0 AND case_id LIKE ?"
    )
    for part in ("query.text", "response.text", "query.images[0].sha256"):
        for name in ("q1", "q2", "q6", "q7"):
            first = workplace.stored(words.format(part), f"{name}/examined/0")
            again = workplace.stored(words.format(part), f"{name}/%/0", run="runs/again")
            assert again == first, (part, name)


def test_equal_exports_are_equal_files(revealed: Path, odd_run: Path, workplace: Workplace) -> None:
    first = (revealed / PLAIN).read_bytes()
    ended = workplace.safejury("export", str(odd_run), "--inspect", "out.eval", "--reveal")
    assert ended.code == 0
    assert (revealed / PLAIN).read_bytes() == first


def test_an_unfinished_run_is_exported_as_canceled(workplace: Workplace, scripted: Any) -> None:
    from safejury.testing import ballot

    def reply(body: Any) -> str:
        return "Hm." if body["model"] == "target" else ballot()

    workplace.many(20)
    limits = {"concurrency": 1, "max_tokens_total": 20_000}
    workplace.safejury("run", workplace.config(scripted(reply).base_url, limits=limits))
    finished = workplace.stored("SELECT count(*) FROM cases")[0][0]
    assert 0 < finished < 20
    ended = workplace.safejury("export", "runs/first", "--inspect", "part.eval", "--reveal")
    assert ended.code == 0, ended.err
    assert f"{20 - finished} cases not finished" in ended.err
    log = read(workplace.path / "part.eval")
    assert log.status == "cancelled"
    assert log.results is not None
    assert log.results.total_samples == 20


def test_what_cannot_be_exported_is_refused_in_one_line(
    odd_run: Path, workplace: Workplace
) -> None:
    run = str(odd_run)
    workplace.safejury("export", run).refused("--inspect")
    workplace.safejury("export", run, "--inspect", "out.json").refused(".eval")
    workplace.safejury("export", run, "--inspect", "no/where.eval").refused("no/where.eval")
    workplace.safejury("export", "nothing", "--inspect", "out.eval").refused("there is no run here")
    assert not [*workplace.path.glob("*.eval")]


def test_a_changed_record_and_a_lost_picture_are_refused(
    odd_run: Path, workplace: Workplace
) -> None:
    picture = max((odd_run / "media").iterdir(), key=lambda file: file.stat().st_size)
    kept = picture.read_bytes()
    picture.write_bytes(b"other")
    export = ("export", str(odd_run), "--inspect", "out.eval")
    workplace.safejury(*export, "--reveal").refused("different content", code=3)
    picture.unlink()
    workplace.safejury(*export).refused("cannot be read", code=3)
    picture.write_bytes(kept)
    import sqlite3

    with sqlite3.connect(odd_run / "record.sqlite") as database:
        database.execute("UPDATE cases SET finding = 'safe' WHERE query_id = 'q1'")
    database.close()
    workplace.safejury(*export).refused("changed after", code=3)
    assert not [*workplace.path.glob("*.eval*")]


def test_the_first_lines_of_a_log_are_the_ones_of_inspect(revealed: Path) -> None:
    with zipfile.ZipFile(revealed / PLAIN) as archive:
        names = archive.namelist()
        start = json.loads(archive.read("_journal/start.json"))
    assert names[0] == "_journal/start.json"
    assert {"summaries.json", "header.json", "samples/q1_epoch_1.json"} <= set(names)
    assert start.keys() == {"version", "eval", "plan"}


def test_a_sound_that_inspect_has_no_place_for_is_kept(workplace: Workplace, scripted: Any) -> None:
    from safejury.testing import ballot

    flac = Path(__file__).parents[2] / "data" / "summer.flac"
    shutil.copy(flac, workplace.path)
    spoken = {"id": "s1", "text": "Listen.", "audio": "summer.flac", "intent": "benign"}
    workplace.queries({"scenario": "bias", **spoken})

    def reply(body: Any) -> str:
        return "A song." if body["model"] == "target" else ballot()

    url = scripted(reply).base_url
    config = workplace.config(url, targets__0__audio=True, jury__transcriber="never")
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    ended = workplace.safejury("export", "runs/first", "--inspect", "out.eval", "--reveal")
    assert ended.code == 0, ended.err
    judge = ("judge", "out.eval", "--jurors", "m", "--url", url, "--name", "again")
    ended = workplace.safejury(*judge)
    assert ended.code == 0, ended.err
    heard = "SELECT body FROM entries WHERE number = 0"
    for run in ("runs/first", "runs/again"):
        ((body,),) = workplace.stored(heard, run=run)
        assert hashlib.sha256(flac.read_bytes()).hexdigest() in body
