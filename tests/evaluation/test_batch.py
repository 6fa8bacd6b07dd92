"""The files of an export, and the odd lines that servers write into those of an import."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.assembly import load_config
from safejury.assembly.servers import make_fleet
from safejury.evaluation import set_up
from safejury.evaluation.batch import Exported, Place, export_batch, open_run
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
Line = dict[str, Any]
URL = "http://127.0.0.1:9/v1"
FOLDER = Path("runs/first/batch")


def jurors(*models: str, **settings: object) -> list[dict[str, object]]:
    seats = ("clinician", "lawyer", "sceptic")
    return [
        {"persona": seat, "base_url": URL, "model": model} | settings
        for seat, model in zip(seats, models, strict=True)
    ]


def body_of(request: Line, reply: str = ballot("safe", 5)) -> Line:
    return json.loads(ScriptedReply(reply).body(request["body"], "batch-model"))


def test_each_model_has_a_file_and_the_manifest_lists_them(workplace: Any):
    config = workplace.recorded(jury__jurors=jurors("big", "small", "big"))
    ended = workplace.safejury("export-batch", config)
    assert ended.code == 0, ended.err
    manifest = json.loads((FOLDER / "batch.manifest.json").read_text())
    assert (manifest["requests"], manifest["cases"], manifest["run"]) == (9, 3, "first")
    listed = {file["model"]: file for file in manifest["files"]}
    assert {name: file["requests"] for name, file in listed.items()} == {"big": 6, "small": 3}
    for name, file in listed.items():
        path = FOLDER / file["file"]
        assert str(path) in ended.out.splitlines()
        assert file["bytes"] == path.stat().st_size
        assert {line["body"]["model"] for line in workplace.lines(path.as_posix())} == {name}


def test_files_are_split_where_a_provider_takes_no_more(workplace: Any):
    config = workplace.recorded(jury__jurors=jurors("big", "big", "big"))
    assert workplace.safejury("export-batch", config, "--max-requests", "4").code == 0
    parts = sorted(FOLDER.glob("*.jsonl"))
    assert [path.name[-12:] for path in parts] == [f"{n}-of-3.jsonl" for n in (1, 2, 3)]
    assert [len(workplace.lines(path.as_posix())) for path in parts] == [4, 4, 1]
    assert len({line["custom_id"] for line in workplace.lines()}) == 9
    # The next export leaves none of these behind.
    assert workplace.safejury("export-batch", config).code == 0
    assert [len(workplace.lines(path.as_posix())) for path in FOLDER.glob("*.jsonl")] == [9]
    assert workplace.safejury("export-batch", config, "--max-megabytes", "0.012").code == 0
    assert len(list(FOLDER.glob("*.jsonl"))) > 1
    assert all(path.stat().st_size <= 12_000 for path in FOLDER.glob("*.jsonl"))
    assert len(workplace.lines()) == 9


def test_a_request_that_no_file_can_hold_is_named(workplace: Any):
    config = workplace.recorded()
    ended = workplace.safejury("export-batch", config, "--max-megabytes", "0.001")
    ended.refused("q1/old/0/r0/clinician/a0", "bytes are more than a file may hold")
    assert not list(FOLDER.glob("*"))


def test_pictures_are_in_the_requests_as_they_are(workplace: Any, tmp_path: Path):
    Image.linear_gradient("L").save(tmp_path / "gray.png")
    query = {"id": "q1", "scenario": "cybersecurity.malware_generation", "text": "What is it?"}
    workplace.queries({**query, "intent": "harmful", "image": "gray.png"})
    assert workplace.safejury("export-batch", workplace.recorded()).code == 0
    for request in workplace.lines():
        picture, words = request["body"]["messages"][1]["content"]
        kind, _, data = picture["image_url"]["url"].partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data) == (tmp_path / "gray.png").read_bytes()
        assert words["type"] == "text"


def test_what_a_config_adds_to_requests_is_in_them_and_their_answers_are_found(
    workplace: Any, scripted: Start
):
    server = scripted(ballot("safe", 5))
    seats = jurors("big", "big", "big", base_url=server.base_url, request={"stop": "END"})
    config = workplace.recorded(jury__jurors=seats)
    assert workplace.safejury("export-batch", config).code == 0
    requests = workplace.lines()
    assert {request["body"]["stop"] for request in requests} == {"END"}
    answers = [
        {"custom_id": each["custom_id"], "response": {"status_code": 200, "body": body_of(each)}}
        for each in requests
    ]
    workplace.write_lines(answers)
    ended = workplace.safejury("import-batch", config, "answers.jsonl")
    assert ended.code == 0, ended.err
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert server.stats.calls == 0


def test_a_name_for_the_file_can_be_given(workplace: Any):
    config = workplace.recorded(jury__jurors=jurors("big", "big", "big"))
    ended = workplace.safejury("export-batch", config, "-o", "out/ask.jsonl")
    assert (ended.code, ended.out) == (0, "out/ask.jsonl\n")
    assert len(workplace.lines("out/ask.jsonl")) == 9
    assert json.loads(Path("out/ask.manifest.json").read_text())["requests"] == 9
    # An export replaces its own files, and no others.
    assert workplace.safejury("export-batch", config, "-o", "out/ask.jsonl").code == 0
    before = Path("queries.jsonl").read_text()
    ended = workplace.safejury("export-batch", config, "-o", "queries.jsonl")
    ended.refused("queries.jsonl: exists already", "--out")
    assert Path("queries.jsonl").read_text() == before
    workplace.safejury("export-batch", config, "-o", "queries.jsonl/x").refused("cannot be written")


def test_no_secret_is_written(workplace: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JURY_KEY", "a-key-that-nobody-may-read")
    url = "http://user:a-password-as-well@127.0.0.1:9/v1"
    seats = [
        {"persona": "lawyer", "base_url": url, "model": "m", "api_key_env": "JURY_KEY"},
    ]
    ended = workplace.safejury("export-batch", workplace.recorded(jury__jurors=seats))
    assert ended.code == 0, ended.err
    texts = [ended.out, ended.err, *(path.name for path in FOLDER.iterdir())]
    texts += [path.read_text() for path in FOLDER.iterdir()]
    for text in texts:
        assert "a-key-that" not in text
        assert "a-password" not in text


def test_what_a_model_does_not_take_is_left_out_and_recorded(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.recorded(server.base_url, jury__protocol="vote")
    untaken = [f"--without={name}" for name in ("temperature", "seed", "max_tokens", "system")]
    assert workplace.safejury("export-batch", config, *untaken).code == 0
    for request in workplace.lines():
        body = request["body"]
        assert body["max_completion_tokens"] == 512
        assert not {"temperature", "seed", "max_tokens"} & set(body)
        assert [message["role"] for message in body["messages"]] == ["user"]
    answers = [
        {"custom_id": line["custom_id"], "response": {"body": body_of(line)}}
        for line in workplace.lines()
    ]
    assert workplace.safejury("import-batch", config, workplace.write_lines(answers)).code == 0
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 0
    kept = [json.loads(row) for (row,) in workplace.stored("SELECT completion FROM calls")]
    assert len(kept) == 9
    for completion in kept:
        assert "answered by a batch" in completion["notes"]
        assert "seed was left out" in completion["notes"]
        assert completion["provider_model"] == "batch-model"


def test_half_the_price_is_counted_unless_said_otherwise(workplace: Any, scripted: Start):
    price = {"input": 1000.0, "output": 0.0}
    for factor, name in (("0.5", "first"), ("1", "second")):
        changes: dict[str, Any] = {"jury__protocol": "vote", "run__name": name}
        changes["jury__jurors"] = jurors("big", "big", "big", price=price)
        config = workplace.recorded(**changes)
        assert workplace.safejury("export-batch", config).code == 0
        answers = [
            {"custom_id": line["custom_id"], "response": {"body": body_of(line)}}
            for line in workplace.lines(f"runs/{name}/batch/*.jsonl")
        ]
        for line in answers:
            line["response"]["body"]["usage"] = {"prompt_tokens": 1000, "completion_tokens": 9}
        files = workplace.write_lines(answers)
        taken = workplace.safejury("import-batch", config, files, "--price-factor", factor)
        assert taken.code == 0
        assert workplace.safejury("run", config).code == 0
    costs = [workplace.report(f"runs/{n}")["targets"][0]["cost_usd"] for n in ("first", "second")]
    assert costs == pytest.approx([4.5, 9.0])  # 9 ballots of 1,000 tokens at $1 each


def test_jurors_that_no_batch_reaches_are_named(workplace: Any):
    seats = [*jurors("big", "big", "big")[:2], {"persona": "sceptic", "model": "anthropic/claude"}]
    ended = workplace.safejury("export-batch", workplace.recorded(jury__jurors=seats))
    assert ended.code == 0, ended.err
    assert "sceptic (anthropic/claude)" in ended.err
    assert len(workplace.lines()) == 6
    config = workplace.recorded(jury__jurors=seats[2:])
    workplace.safejury("export-batch", config).refused("no juror can be asked in a batch")


def test_lines_as_vllm_writes_them(workplace: Any, scripted: Start):
    server = scripted()
    config = workplace.recorded(server.base_url, jury__protocol="vote")
    workplace.safejury("export-batch", config)
    requests = workplace.lines()
    lines: list[Line] = [
        {
            "id": "vllm-1",
            "custom_id": line["custom_id"],
            "response": {"status_code": 200, "request_id": "vllm-2", "body": body_of(line)},
            "error": None,
        }
        for line in requests
    ]
    lines[0]["response"] = {"status_code": 400, "request_id": "vllm-3", "body": None}
    lines[0]["error"] = {"error": {"message": "too long for the model", "code": 400}}
    lines[1]["response"] = {"status_code": 400, "request_id": "vllm-4", "body": None}
    lines[1]["error"] = "no stream mode"
    ended = workplace.safejury("import-batch", config, workplace.write_lines(lines))
    assert ended.code == 0, ended.err
    assert "answers.jsonl:1: failed" in ended.err
    assert "HTTP 400: 'too long for the model'" in ended.err
    assert "no stream mode" in ended.err
    assert workplace.safejury("run", config).code == 0
    assert server.stats.calls == 2


def test_lines_that_nobody_should_write_end_nothing(workplace: Any):
    config = workplace.recorded()
    workplace.safejury("export-batch", config)
    request = workplace.lines()[0]
    named = request["custom_id"]
    odd: list[Line | bytes] = [
        b'\xef\xbb\xbf{"custom_id": 7}',
        b'{"custom_id": "\\ud800.0"}',
        b'{"custom_id": "' + b"x" * 17 * 2**20 + b'"}',
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        {"custom_id": named},
        {"custom_id": named, "response": {"status_code": None}},
        {"custom_id": named, "response": {"body": {"choices": []}}},
        {"custom_id": named, "response": {"body": "words"}},
        {"custom_id": named, "error": {"message": "\x1b[31mred"}},
        {"custom_id": f"{named}0", "response": {"body": body_of(request)}},
        {"custom_id": named, "response": {"body": body_of(request)}},
    ]
    ended = workplace.safejury("import-batch", config, workplace.write_lines(odd))
    assert ended.code == 0, ended.err
    assert "1 reply imported" in ended.err
    assert "11 lines rejected" in ended.err
    assert "\x1b" not in ended.err
    for number in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12):
        assert f"answers.jsonl:{number}: " in ended.err


def test_files_that_hold_no_answer(workplace: Any):
    config = workplace.recorded()
    Path("empty.jsonl").touch()
    workplace.safejury("import-batch", config, "empty.jsonl").refused("the files are empty")
    workplace.safejury("import-batch", config, "nowhere.jsonl").refused("nowhere.jsonl: cannot")
    workplace.safejury("import-batch", config, ".").refused("cannot be read")
    requests = workplace.safejury("export-batch", config).out.splitlines()[0]
    ended = workplace.safejury("import-batch", config, requests)
    ended.refused("failed", "no error message")


async def test_a_juror_on_a_managed_server_is_known_by_the_name_it_runs_under(workplace: Any):
    folder = workplace.path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    seats = [{"persona": "lawyer", "vllm": {"model": "./tiny", "gpus": 0}}]
    config = Path(workplace.recorded(jury__jurors=seats))
    setup = set_up(load_config(config), Path())
    spec = setup.jury.seats[0].model
    assert spec is not None
    fleet = await make_fleet(setup.servers, setup.directory, print)
    async with open_run(setup, ask=False) as opened:
        assert opened.jurors.open(spec).name == fleet.model(spec).name
    exported = await export_batch(setup, Place(Path("batch")))
    assert exported.requests == 3
    assert {line["body"]["model"] for line in workplace.lines("batch/*.jsonl")} == {spec.model}


async def test_an_export_that_is_cut_off_leaves_the_earlier_files_alone(workplace: Any):
    config = Path(workplace.recorded(jury__jurors=jurors("big", "big", "big")))
    setup = set_up(load_config(config), Path())
    place = Place(Path("batch"))
    await export_batch(setup, place)
    before = {path.name: path.read_bytes() for path in place.folder.iterdir()}

    def stop(done: Exported) -> None:
        if done.requests == 6:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await export_batch(setup, place, unsupported=frozenset({"seed"}), report=stop)
    assert {path.name: path.read_bytes() for path in place.folder.iterdir()} == before


def test_a_disk_that_is_full_leaves_no_part_behind(workplace: Any):
    config = workplace.recorded(dataset="responses", jury__jurors=jurors("big", "small", "big"))
    asked = ({"query_id": f"q{n}", "text": "Why?", "response": "Because."} for n in range(60))
    workplace.write_lines(asked, "responses.jsonl")
    ended = workplace.spawn("export-batch", config, largest_file=200_000)
    ended.refused("runs/first/batch: cannot be written (File too large)", "--out")
    assert list(FOLDER.iterdir()) == []


def test_an_address_that_is_none_is_one_line(workplace: Any):
    config = workplace.recorded("http://[::1")
    workplace.safejury("export-batch", config).refused("base_url", "is not an address")
