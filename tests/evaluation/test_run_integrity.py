"""What a run keeps is never taken for what was not asked: other configs, other models."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.common import RecordError
from safejury.datasets import Intent, Query, read_media
from safejury.evaluation import open_record
from safejury.evaluation.trials import Exchange
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
SAID = {"protocol": "vote", "jury": "[]"}
"""What every record says of its run."""
FAKE_VLLM = Path(__file__).parents[1] / "targets" / "fake_vllm"
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def managed(workplace: Any) -> dict[str, Any]:
    """What a config says of a stand-in for a vLLM server."""
    folder = workplace.path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return {"model": "./tiny", "env": {"PYTHONPATH": str(FAKE_VLLM)}}


def opened(run: str = "runs/first") -> dict[str, dict[str, Any]]:
    """Return the cases as the jury saw them, by id."""
    with closing(sqlite3.connect(f"{run}/record.sqlite")) as database:
        rows = database.execute("SELECT case_id, body FROM entries WHERE kind = 'CaseOpened'")
        return {case_id: json.loads(body)["case"] for case_id, body in rows}


def kept(table: str, run: str = "runs/first") -> int:
    with closing(sqlite3.connect(f"{run}/record.sqlite")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_responses_kept_for_a_jury_that_never_came_are_not_used_by_another_config(
    workplace: Any, scripted: Start, managed: dict[str, Any]
) -> None:
    targets = [{"name": "it", "vllm": managed}]
    config = workplace.config(NOBODY, targets=targets)
    assert workplace.safejury("run", config).code == 2
    assert kept("answers") > 0
    assert kept("cases") == 0
    server = scripted()
    config = workplace.config(server.base_url, targets=targets, run__max_tokens=7)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert {case["response"]["max_tokens"] for case in opened().values()} == {7}


async def test_responses_wait_for_the_jury_of_their_own_config_alone(tmp_path: Path) -> None:
    query = Query("q", "ethics.bioethics", "How?", Intent.HARMFUL)
    answered = Exchange(query, Response(ResponseOutcome.ANSWERED, "Thus."))
    async with open_record(tmp_path, {"cap": 1}, SAID) as record:
        record.write_response("q/t/0", answered)
    for cap, expected in ((1, answered), (1, answered), (2, None), (1, None)):
        async with open_record(tmp_path, {"cap": cap}, SAID) as record:
            assert record.response("q/t/0") == expected


async def test_a_picture_that_changed_is_not_kept_under_the_name_of_the_first(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (4, 4), 0).save(path)
    first = path.read_bytes()
    query = Query(
        "q", "ethics.bioethics", "How?", Intent.HARMFUL, (read_media(path, kind="image"),)
    )
    async with open_record(tmp_path / "run", {}, {}) as record:
        Image.new("L", (4, 4), 9).save(path)
        with pytest.raises(RecordError, match=r"a\.png changed since the dataset was read"):
            record.keep_media(query)
        path.write_bytes(first)
        (kept,) = record.keep_media(query).images
    assert kept.read() == first


def test_a_model_whose_files_changed_in_the_middle_is_told(
    workplace: Any, scripted: Start, managed: dict[str, Any]
) -> None:
    server = scripted()
    config = workplace.config(server.base_url, targets=[{"name": "it", "vllm": managed}])
    assert workplace.safejury("run", config).code == 0
    assert workplace.report()["run"]["comparability"] == []
    with closing(sqlite3.connect("runs/first/record.sqlite")) as database, database:
        for table, column in (("entries", "case_id"), ("cases", "case_id"), ("calls", "call_id")):
            database.execute(f"DELETE FROM {table} WHERE {column} LIKE 'q1/%'")
    (workplace.path / "tiny" / "model.safetensors").write_bytes(b"other weights")
    assert workplace.safejury("run", config).code == 0
    (flag,) = workplace.report()["run"]["comparability"]
    assert flag["kind"] == "model"
    assert "in the course of the run it was asked as 2 models: tiny@vllm-" in flag["text"]


def test_a_result_without_its_verdicts_entry_is_heard_again(
    workplace: Any, scripted: Start, managed: dict[str, Any]
) -> None:
    server = scripted()
    config = workplace.config(server.base_url, targets=[{"name": "it", "vllm": managed}])
    assert workplace.safejury("run", config).code == 0
    # What a kill between two commits of an earlier version, which kept no chains, left behind.
    with closing(sqlite3.connect("runs/first/record.sqlite")) as database, database:
        database.execute(
            "DELETE FROM entries WHERE kind = 'VerdictAnnounced' AND case_id LIKE 'q1%'"
        )
        database.execute("DELETE FROM meta WHERE key IN ('sealed', 'bound')")
        database.execute("ALTER TABLE cases DROP COLUMN head")
    ended = workplace.spawn("run", config)  # it gives up after two minutes: it hung
    assert ended.code == 0, ended.err
    assert workplace.report()["run"]["cases_finished"] == 3
    announced = "SELECT count(*) FROM entries WHERE kind = 'VerdictAnnounced'"
    assert workplace.stored(announced) == [(3,)]


def test_other_words_of_ours_make_another_run(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workplace.config(scripted().base_url)
    assert workplace.safejury("run", config).code == 0
    assert workplace.safejury("run", config).code == 0
    monkeypatch.setattr("safejury.evaluation.plan._identity.NEUTRAL_TEXT", "Answer what you hear.")
    workplace.safejury("run", config).refused("another configuration: words was")


def test_an_empty_reply_is_asked_for_again_where_failures_are_retried(
    workplace: Any, scripted: Start
) -> None:
    said = ""

    def reply(body: Mapping[str, object]) -> str:
        return said if body["model"] == "target" else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url)
    for retry, outcome in ((), "error"), ((), "error"), (("--retry-failed",), "answered"):
        assert workplace.safejury("run", config, "--min-coverage", "0", *retry).code == 0
        outcomes = workplace.report()["targets"][0]["outcomes"]["responses"]
        assert {name: number for name, number in outcomes.items() if number} == {outcome: 3}
        said = "An answer."
