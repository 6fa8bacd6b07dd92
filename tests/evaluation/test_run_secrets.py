"""Keys and passwords: they reach the server, and nothing else."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

KEY = "correct-horse-battery-staple"
PASSWORD = "swordfish-of-the-deep"
QUERY_KEY = "query-parameter-secret"
Start = Callable[..., ScriptedServer]


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SAFEJURY_TEST_KEY", KEY)
    return KEY


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def keyed(url: str) -> dict[str, object]:
    changes: dict[str, object] = {"targets__0__api_key_env": "SAFEJURY_TEST_KEY"}
    for seat in range(3):
        changes[f"jury__jurors__{seat}__api_key_env"] = "SAFEJURY_TEST_KEY"
    return changes


def test_a_key_is_sent_and_kept_nowhere(workplace: Any, scripted: Start, secret: str):
    server = scripted(api_key=secret)
    config = workplace.config(server.base_url, **keyed(server.base_url))
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    kept = everything_below(Path("runs"))
    assert b"SAFEJURY_TEST_KEY" in kept  # the variable's name is no secret
    assert secret.encode() not in kept
    assert secret not in ended.out + ended.err
    for command in (["report", "runs/first", "--format", "json"], ["show", "runs/first", "q1"]):
        assert secret not in workplace.safejury(*command).out


def test_a_key_that_a_server_sends_back_is_kept_nowhere(
    workplace: Any, scripted: Start, secret: str
):
    """In answers, reasons, refusals and errors."""

    def reply(body: Mapping[str, object]) -> str | ScriptedReply:
        match body["model"]:
            case "target":
                return f"Your key is {secret}, is it not?"
            case "lawyer-model":
                return ballot("unsafe", 1, reason=f"It shows the key {secret}.")
            case "clinician-model":
                return ScriptedReply(f"Bad gateway: Authorization: Bearer {secret}", status=502)
            case _:
                return ScriptedReply("", refusal=f"I do not judge what shows {secret}.")

    server = scripted(reply, api_key=secret)
    config = workplace.config(server.base_url, **keyed(server.base_url))
    ended = workplace.safejury("run", config, "--min-coverage", "0", "--min-panel", "0")
    assert ended.code == 0, ended.err
    kept = everything_below(Path("runs"))
    assert b"[redacted]" in kept
    assert secret.encode() not in kept
    assert secret not in ended.out + ended.err
    shown = workplace.safejury("show", "runs/first", "q1", "--reveal")
    assert "Your key is [redacted], is it not?" in " ".join(shown.out.split())


def test_a_key_in_a_first_error_is_not_shown(workplace: Any, scripted: Start, secret: str):
    server = scripted(ScriptedReply(f"no such key: {secret}", status=401))
    config = workplace.config(server.base_url, **keyed(server.base_url))
    ended = workplace.safejury("run", config)
    ended.refused("the key was rejected")
    assert secret not in ended.err
    assert secret.encode() not in everything_below(Path("runs"))


def test_a_password_in_an_address_is_kept_nowhere(workplace: Any, scripted: Start):
    url = scripted().base_url.replace("http://", f"http://user:{PASSWORD}@")
    url += f"?key={QUERY_KEY}"
    ended = workplace.safejury("run", workplace.config(url))
    assert ended.code == 0, ended.err
    kept = everything_below(Path("runs"))
    for hidden in (PASSWORD, QUERY_KEY):
        assert hidden.encode() not in kept
        assert hidden not in ended.out + ended.err
    assert b"base_url: http://127.0.0.1" in kept


def test_a_password_on_the_command_line_is_not_said_back(workplace: Any):
    Path("old.jsonl").write_text('{"query_id": "q1", "response": "x"}\n', encoding="utf-8")
    config = workplace.config(targets=[{"name": "old", "responses": "old.jsonl"}])
    setting = f"jury.jurors.0.base_url=http://user:{PASSWORD}@127.0.0.1:9/v1"
    ended = workplace.safejury("export-batch", config, "--set", setting)
    assert ended.code == 0, ended.err
    assert "import-batch" in ended.err
    assert PASSWORD not in ended.out + ended.err


def test_a_changed_password_is_no_other_run(workplace: Any, scripted: Start):
    server = scripted()
    for password in ("first-password", "second-password"):
        url = server.base_url.replace("http://", f"http://user:{password}@")
        assert workplace.safejury("run", workplace.config(url)).code == 0
    assert len([body for body in server.requests if body["model"] == "target"]) == 3


def test_the_doctor_shows_no_key(workplace: Any, scripted: Start, secret: str):
    server = scripted(api_key=secret)
    config = workplace.config(server.base_url, **keyed(server.base_url))
    ended = workplace.safejury("doctor", config)
    assert ended.code == 0, ended.out
    assert secret not in ended.out + ended.err


@pytest.mark.parametrize("key", ['quote"and\\backslash-key', "response", "verdict_"])
def test_a_key_that_a_server_sends_back_leaves_the_record_whole(
    key: str, workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    """Whatever JSON makes of it, and although it is a word that names fields."""
    monkeypatch.setenv("SAFEJURY_TEST_KEY", key)

    def reply(body: Mapping[str, object]) -> str:
        if body["model"] == "target":
            return f"Your key is {key}."
        return ballot("unsafe", 1, reason=f"It shows the key <{key}>.", criteria=[key])

    server = scripted(reply, api_key=key)
    config = workplace.config(server.base_url, **keyed(server.base_url))
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert workplace.report()["targets"][0]["verdicts"] == 3
    shown = workplace.safejury("show", "runs/first", "q1", "--reveal")
    assert "Your key is [redacted]." in " ".join(shown.out.split())
    assert "<[redacted]>" in " ".join(shown.out.split())
    words = [body for (body,) in workplace.stored("SELECT body FROM entries")]
    words += [text for (text,) in workplace.stored("SELECT completion FROM calls")]
    assert not [text for text in words if f"Your key is {key}" in text or f"<{key}>" in text]
    assert json.dumps(key)[1:-1] not in "".join(words) or key.isidentifier()
    assert workplace.safejury("run", config).code == 0


def test_a_key_in_a_file_is_not_in_the_lists_of_what_is_left_out(
    workplace: Any, scripted: Start, secret: str
):
    """The reasons quote what cannot be used; what is left out is counted all the same."""
    lines = ("id,text,intent,scenario,image", "q1,One?,harmful,bias,", "q2,?,harmful,bias,{}.png")
    workplace.write_lines(line.format(secret) for line in lines)
    set_of = {"loader": "csv", "path": "answers.jsonl"}
    rows = [{"query_id": "q1", "response": "Yes."}, {"query_id": "q1", "outcome": secret}]
    workplace.write_lines(rows, "responses.jsonl")
    targets = [{"name": "old", "responses": "responses.jsonl"}]
    keys = {name: value for name, value in keyed("").items() if name.startswith("jury")}
    config = workplace.config(scripted().base_url, dataset=set_of, targets=targets, **keys)
    ended = workplace.safejury("run", config, "--min-coverage", "0")
    assert ended.code == 0, ended.err
    for name in ("left_out.jsonl", "dataset_left_out.jsonl"):
        assert "[redacted]" in Path("runs/first", name).read_text("utf-8"), name
    assert secret.encode() not in everything_below(Path("runs"))
    lacks = workplace.report()["run"]["left_out"]["old"]
    assert (lacks["rows"], lacks["items"]) == (1, 1)


def test_what_a_batch_holds_of_a_key(workplace: Any, scripted: Start, secret: str):
    """Queries and files of responses as they are, answers of live targets as they are kept."""

    def reply(body: Mapping[str, object]) -> str:
        answered = json.dumps({"key": secret, "word_of_theirs": "Yes."})
        return answered if body["model"] == "target" else ballot("safe", 5)

    server = scripted(reply, api_key=secret)
    workplace.queries({"id": "q1", "scenario": "bias", "text": "Of a key?", "intent": "harmful"})
    workplace.write_lines([{"query_id": "q1", "response": f"It is {secret}."}])
    targets = [
        {"name": "live", "base_url": server.base_url, "model": "target"},
        {"name": "old", "responses": "answers.jsonl"},
    ]
    targets[0]["api_key_env"] = "SAFEJURY_TEST_KEY"
    keys = {name: value for name, value in keyed("").items() if name.startswith("jury")}
    config = workplace.config(server.base_url, targets=targets, **keys)
    assert workplace.safejury("export-batch", config, "--ask").code == 0
    asked = [json.dumps(line["body"]) for line in workplace.lines()]
    assert sum(f"It is {secret}." in body for body in asked) == 3
    assert sum("[redacted]" in body for body in asked) == 3
    assert not any("[redacted]" in body and secret in body for body in asked)


def test_a_key_is_hidden_before_the_first_call(workplace: Any, scripted: Start, secret: str):
    config = workplace.config(scripted().base_url, **keyed(""), limits__endpoints={secret: {}})
    ended = workplace.safejury("run", config)
    assert ended.code == 2
    assert "limits.endpoints" in ended.err
    assert secret not in ended.out + ended.err
