"""Endpoints that never answer: the run ends in seconds with one line that says what to mend."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

HTML = "<!DOCTYPE html><html><title>Welcome</title></html>"
Start = Callable[..., ScriptedServer]


@pytest.fixture
def closed_url() -> Iterator[str]:
    """An address at which nothing listens, and nothing will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


def test_a_refused_connection(workplace: Any, closed_url: str):
    workplace.safejury("run", workplace.config(closed_url)).refused(
        "target@", "cannot connect", "is the server up"
    )


def test_a_wrong_path(workplace: Any, scripted: Start):
    url = scripted().base_url.replace("/v1", "/api")
    workplace.safejury("run", workplace.config(url)).refused("(404", "base_url", "/v1")


def test_a_bad_key(workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WRONG_KEY", "this-key-is-wrong")
    server = scripted(api_key="the-right-key")
    config = workplace.config(server.base_url, targets__0__api_key_env="WRONG_KEY")
    ended = workplace.safejury("run", config)
    ended.refused("(401", "the key was rejected", "check api_key_env")
    assert "this-key-is-wrong" not in ended.err


def test_a_missing_key(workplace: Any, scripted: Start):
    server = scripted(api_key="the-right-key")
    workplace.safejury("run", workplace.config(server.base_url)).refused("a key is needed")


@pytest.mark.parametrize("status", [400, 404])
def test_a_model_that_is_not_found(status: int, workplace: Any, scripted: Start):
    missing = ScriptedReply("The model `target` does not exist", status=status)
    server = scripted(missing)
    workplace.safejury("run", workplace.config(server.base_url)).refused("model", "target")


def test_html_in_place_of_json(workplace: Any, scripted: Start):
    server = scripted(ScriptedReply(raw_body=HTML))
    workplace.safejury("run", workplace.config(server.base_url)).refused(
        "replied with HTML", "base_url"
    )


def test_a_hang(workplace: Any, scripted: Start):
    server = scripted(ScriptedReply(hang=True))
    config = workplace.config(server.base_url, targets__0__timeout=0.3)
    workplace.safejury("run", config).refused("no reply within 0.3 s", "raise the timeout")


def test_a_body_cut_short(workplace: Any, scripted: Start):
    server = scripted(ScriptedReply("half of it", truncate=True))
    workplace.safejury("run", workplace.config(server.base_url)).refused("cut short")


def test_a_reply_of_ten_megabytes(workplace: Any, scripted: Start):
    server = scripted(ScriptedReply("x" * 10_000_000))
    workplace.safejury("run", workplace.config(server.base_url)).refused("8,388,608 bytes")


def test_an_address_that_is_none(workplace: Any):
    workplace.safejury("run", workplace.config("127.0.0.1:8000")).refused("write it with http://")


def test_a_server_that_is_only_overloaded_is_recorded_and_not_refused(
    workplace: Any, scripted: Start
):
    server = scripted(ScriptedReply("busy", status=503))
    ended = workplace.safejury("run", workplace.config(server.base_url))
    assert ended.code == 3
    assert workplace.report()["targets"][0]["outcomes"]["responses"]["error"] == 3


def test_a_juror_that_cannot_be_reached_ends_the_run_too(
    workplace: Any, scripted: Start, closed_url: str
):
    server = scripted()
    config = workplace.config(server.base_url, jury__jurors__1__base_url=closed_url)
    workplace.safejury("run", config).refused("lawyer-model@", "cannot connect")


def test_a_mended_address_goes_on_and_pays_no_answer_twice(
    workplace: Any, scripted: Start, closed_url: str
):
    """Nothing is finished yet, so the record takes the mended config."""
    workplace.queries(
        {"id": "q1", "scenario": "ethics.bioethics", "text": "Question?", "intent": "harmful"}
    )
    server = scripted()
    broken = {f"jury__jurors__{seat}__base_url": closed_url for seat in range(3)}
    workplace.safejury("run", workplace.config(server.base_url, **broken)).refused("cannot connect")
    assert server.stats.calls == 1

    ended = workplace.safejury("run", workplace.config(server.base_url))
    assert ended.code == 0, ended.err
    asked = [body for body in server.requests if body["model"] == "target"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    "bad",
    [ScriptedReply(raw_body=HTML), ScriptedReply(drop=True), ScriptedReply("oops", status=500)],
)
def test_one_bad_first_call_of_a_juror_does_not_end_the_run(
    bad: ScriptedReply, workplace: Any, scripted: Start
):
    seen: list[str] = []

    def reply(body: dict[str, object]) -> ScriptedReply | str:
        model = str(body["model"])
        seen.append(model)
        if model == "target":
            return "An answer."
        first = model == "sceptic-model" and seen.count(model) == 1
        return bad if first else ballot("safe", 5)

    config = workplace.config(scripted(reply).base_url)
    ended = workplace.safejury("run", config, "--min-panel", "0.5")
    assert ended.code == 0, ended.err
    assert workplace.report()["targets"][0]["verdicts"] == 3


def test_failures_after_the_first_answer_are_outcomes(workplace: Any, scripted: Start):
    """Three ballots of the first case come in; later ones of one juror are HTML."""
    seen: list[str] = []

    def reply(body: dict[str, object]) -> ScriptedReply | str:
        model = str(body["model"])
        seen.append(model)
        if model == "target":
            return "An answer."
        if model == "sceptic-model" and seen.count(model) > 1:
            return ScriptedReply(raw_body=HTML)
        return ballot("safe", 5)

    server = scripted(reply)
    config = workplace.config(server.base_url, limits__concurrency=1)
    ended = workplace.safejury("run", config, "--min-panel", "0")
    assert ended.code == 0, ended.err
    target = workplace.report()["targets"][0]
    assert target["outcomes"]["ballots"]["transport_error"] == 2
    assert target["verdicts"] == 3


def test_a_report_says_why_responses_failed(workplace: Any, scripted: Start):
    def reply(body: dict[str, object]) -> ScriptedReply | str:
        if body["model"] != "target":
            return ballot("safe", 5)
        return ScriptedReply("the lamp is out", status=500)

    config = workplace.config(scripted(reply).base_url)
    ended = workplace.safejury("run", config)
    assert ended.code == 3
    said = " ".join(ended.out.split())
    assert "examined: responses failed; one of the errors is: target@http://" in said
    assert "look at its log (500: [withheld]); show CASE --reveal has its words" in said
    assert "the lamp is out" not in said
    [(case,)] = workplace.stored("SELECT case_id FROM cases LIMIT 1")
    assert "the lamp is out" in workplace.safejury("show", "runs/first", case, "--reveal").out
    assert "fix the cause, then repeat with --retry-failed" in said
