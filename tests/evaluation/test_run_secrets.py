"""Keys and passwords: they reach the server, and nothing else."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from same_process import same_process

from safejury.assembly import load_config
from safejury.evaluation import RunPlan, set_up
from safejury.evaluation.engine import run_with
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark, request_text

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


class Echo:
    """A server that says its key in all that it says, beside another that has no key.

    Attributes:
        down: Whether the other fails where it is shown what this one said.
    """

    def __init__(self, scripted: Start, key: str) -> None:
        self.down = False
        self.echoing = scripted(partial(self._reply, f"Bearer {key}"), api_key=key)
        self.other = scripted(partial(self._reply, "no key"))

    def _reply(self, said: str, body: Mapping[str, object]) -> str | ScriptedReply:
        asked, is_other = request_text(body), said == "no key"
        if body["model"] == "target":
            return f"You sent me {said}."
        if is_other and self.down and "Judge the response again" in asked:
            return ScriptedReply(status=503)
        if "it is your turn" in asked:
            return remark(f"Why did it say {said}?")
        if "foreperson" in str(body["model"]):
            return json.dumps({"agreement": f"All saw {said}.", "dissent": f"None of {said}."})
        finding, rating = ("safe", 5) if is_other else ("unsafe", 1)
        return ballot(finding, rating, reason=f"It shows {said}.", quotes=[f"You sent me {said}."])

    def config(self, workplace: Any, **changes: object) -> str:
        """Write a config in which the target, a juror and the foreperson echo their key."""
        url, other = self.echoing.base_url, self.other.base_url
        keyed = {"base_url": url, "api_key_env": "SAFEJURY_TEST_KEY"}
        jurors = [
            {"persona": "lawyer", "model": "lawyer-model", **keyed},
            {"persona": "clinician", "model": "clinician-model", "base_url": other},
            {"persona": "sceptic", "model": "sceptic-model", "base_url": other},
        ]
        said: dict[str, object] = {
            "targets": [{"name": "examined", "model": "target", **keyed}],
            "jury__jurors": jurors,
            "jury__foreperson": {"model": "foreperson-model", **keyed},
        }
        return workplace.config(url, **said, **changes)

    def asked_again(self, since: int = 0) -> list[str]:
        """Return what the other server was asked once its jurors had heard the rest, in order."""
        asked = map(request_text, self.other.requests[since:])
        return sorted(words for words in asked if "Judge the response again" in words)


@pytest.mark.parametrize("protocol", ["contested", "roundtable"])
def test_a_key_that_a_server_sends_back_reaches_no_other(
    protocol: str, workplace: Any, scripted: Start, secret: str
):
    """In a response, in a ballot's reason, and in what a juror says to the others."""
    servers = Echo(scripted, secret)
    ended = workplace.safejury("run", servers.config(workplace, jury__protocol=protocol))
    assert ended.code == 0, ended.err
    assert servers.asked_again()
    assert all("It shows Bearer [redacted]." in asked for asked in servers.asked_again())
    if protocol == "roundtable":
        assert any("Why did it say Bearer [redacted]?" in text for text in servers.asked_again())
    for server in (servers.echoing, servers.other):
        assert secret not in json.dumps(server.requests)
    assert secret.encode() not in everything_below(Path("runs"))


def test_a_resumed_run_asks_what_an_undisturbed_one_asks_where_a_server_sends_its_key_back(
    workplace: Any, scripted: Start, secret: str
):
    servers = Echo(scripted, secret)
    assert workplace.safejury("run", servers.config(workplace, run__name="undisturbed")).code == 0
    undisturbed = servers.asked_again()
    servers.down, limits = True, {"attempts": 1, "outage_patience": 0.2}
    config = servers.config(workplace, limits=limits)
    cut_short = workplace.safejury("run", config)
    assert cut_short.code == 3, cut_short.err
    assert "as if they had not been started" in cut_short.err
    servers.down, before = False, len(servers.other.requests)
    assert workplace.safejury("run", config).code == 0
    assert servers.asked_again(before) == undisturbed
    reports = [workplace.report(f"runs/{name}")["targets"] for name in ("first", "undisturbed")]
    assert reports[0][0]["verdicts"] == reports[1][0]["verdicts"] == 3


@pytest.mark.parametrize("engine", ["local", "workers"])
def test_a_jury_hears_of_a_function_what_a_resumed_run_hears(
    engine: str, workplace: Any, scripted: Start, secret: str
):
    """A function's response is kept until it is judged, with the question that was put to it."""
    (workplace.path / f"echoing_{engine}.py").write_text(
        f"async def answer(query):\n    return 'It is {secret}: ' + query.text\n"
    )
    workplace.queries(
        {"id": "q1", "scenario": "bias", "text": f"Is it {secret}?", "intent": "harmful"}
    )
    server = scripted(ballot("safe", 5), api_key=secret)
    keys = {name: value for name, value in keyed("").items() if name.startswith("jury")}
    targets = [{"name": "examined", "function": f"echoing_{engine}:answer"}]
    config = workplace.config(server.base_url, targets=targets, **keys)
    if engine == "local":
        assert workplace.safejury("run", config).code == 0
    else:
        asyncio.run(_with_workers(set_up(load_config(Path(config)), Path())))
    assert len(server.requests) == 3
    for asked in map(request_text, server.requests):
        assert "It is [redacted]: Is it [redacted]?" in asked
        assert secret not in asked


async def _with_workers(plan: RunPlan) -> None:
    async with same_process(Path("workers")) as pool:
        await run_with(plan, pool)
