"""`request:` of a model: sent with each request, part of what the run means, without a secret."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
SECRET = "Bearer the-right-key-0123"


def answer(body: Mapping[str, object]) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_a_config_adds_is_sent_to_its_model_alone_and_no_secret_is_kept(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MY_LOGIN", SECRET)
    server, open_server = scripted(answer, api_key="the-right-key-0123"), scripted(answer)
    request = {
        "stop": "END",
        "reasoning_effort": "low",
        "extra_body": {"guided": {"deep": [1, None]}},
        "headers": {"Authorization": "MY_LOGIN"},
    }
    config = workplace.config(
        open_server.base_url, targets__0__base_url=server.base_url, targets__0__request=request
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    for body in server.requests:
        assert (body["stop"], body["reasoning_effort"]) == ("END", "low")
        assert body["guided"] == {"deep": [1, None]}
    assert not any("stop" in body or "guided" in body for body in open_server.requests)
    assert "the-right-key" not in ended.out + ended.err
    assert b"the-right-key" not in everything_below(workplace.path / "runs")
    assert '"reasoning_effort":"low"' in workplace.responses()["q1/examined/0"]["sent"]["body"]


def test_another_request_is_another_run_and_another_variable_is_not(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ONE", "value-of-one")
    monkeypatch.setenv("TWO", "value-of-two")
    url = scripted(answer).base_url

    def run(**request: object) -> Any:
        return workplace.safejury("run", workplace.config(url, targets__0__request=request))

    assert run(stop="END", headers={"X-Team": "ONE"}).code == 0
    assert run(stop="END", headers={"X-Team": "TWO"}).code == 0
    run(stop="ENDE", headers={"X-Team": "TWO"}).refused("targets[0].request.stop was")
    run(stop="END", headers={"X-Tom": "TWO"}).refused("targets[0].request.headers")
    (identity,) = workplace.stored("SELECT value FROM meta WHERE key = 'identity'")
    assert '"headers": ["X-Team"]' in identity[0]
    assert "TWO" not in identity[0]


def test_a_run_without_requests_of_its_own_means_what_it_meant_before_there_were_any(
    workplace: Any, scripted: Start
):
    assert workplace.safejury("run", workplace.config(scripted(answer).base_url)).code == 0
    (identity,) = workplace.stored("SELECT value FROM meta WHERE key = 'identity'")
    for key in ("request", "api_base", "api_version", "region", "image_formats"):
        assert f'"{key}"' not in identity[0]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"extra_body": {"stream": True}}, "`extra_body:` sets 'stream', which nobody may"),
        ({"extra_body": {"messages": []}}, "sets 'messages', which nobody may"),
        ({"extra_body": {"model": "x"}}, "sets 'model': use `model:` instead"),
        ({"extra_body": {"temperature": 1}}, "use the model's `temperature:` instead"),
        ({"extra_body": {"max_tokens": 9}}, "use `run.max_tokens` and `jury.max_tokens` instead"),
        ({"extra_body": {"stop": "x"}}, "use `request.stop:` instead"),
        ({"headers": {"Content-Length": "ONE"}}, "names 'Content-Length', which cannot be set"),
        ({"headers": {"X-Team": "NOT_SET_ANYWHERE"}}, "variable NOT_SET_ANYWHERE is not set"),
        ({"stopp": "x"}, "did you mean 'stop'?"),
    ],
)
def test_what_a_request_cannot_say_is_refused(
    request_: Mapping[str, object], said: str, workplace: Any
):
    config = workplace.config(jury__jurors__0__request=dict(request_))
    workplace.safejury("run", config).refused(said)


def test_a_value_in_place_of_a_variable_is_not_shown(workplace: Any):
    config = workplace.config(targets__0__request={"headers": {"X-Key": SECRET}})
    ended = workplace.safejury("run", config)
    ended.refused("give the name of an environment variable, not the value")
    assert "the-right-key" not in ended.err


def test_an_address_for_litellm_is_used_and_refused_beside_a_base_url(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MY_KEY", "sk-scripted-0123456789")
    server = scripted(answer)
    target = {
        "name": "examined",
        "model": "openai/target",
        "api_base": server.base_url,
        "api_key_env": "MY_KEY",
        "request": {"extra_body": {"guided": 1}},
    }
    config = workplace.config(server.base_url, targets=[target], limit=1)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert [body["guided"] for body in server.requests if body["model"] == "target"] == [1]
    config = workplace.config(server.base_url, targets=[{**target, "base_url": server.base_url}])
    workplace.safejury("run", config).refused("`api_base:` is for a `provider/model`")
