"""`safejury probe`: what it prints, what it writes as JSON, and how it ends."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
import yaml

from safejury.testing import ScriptedReply, ScriptedServer

Start = Callable[..., ScriptedServer]
KEY = "sk-akeythatnobodyshouldsee"


def blind(body: Any) -> ScriptedReply:
    """Refuse pictures and sounds, and answer the rest."""
    if any(word in json.dumps(body) for word in ("image_url", "input_audio")):
        return ScriptedReply(f"{KEY} may not send that", status=400)
    return ScriptedReply("red")


def line(out: str, name: str) -> str:
    """Return the row of one capability, with single blanks."""
    rows = (" ".join(row.split()) for row in out.splitlines())
    return next(row for row in rows if row.startswith(f"{name} "))


def test_an_address_is_probed_and_shown(workplace: Any, scripted: Start):
    server = scripted()
    ended = workplace.safejury("probe", server.base_url)
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"scripted at {server.base_url}\n")
    assert line(ended.out, "json_schema") == "json_schema yes accepted and obeyed"
    assert line(ended.out, "models") == "models yes 'scripted'"
    assert re.search(r"^\d+ requests, [\d,]+ prompt and ", ended.err)


def test_a_no_is_shown_with_its_request_and_without_the_key(
    workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PROBE_KEY", KEY)
    server = scripted(blind)
    ended = workplace.safejury("probe", server.base_url, "--api-key-env", "PROBE_KEY")
    assert ended.code == 0, ended.err
    assert line(ended.out, "images") == "images no 400: '[redacted] may not send that'"
    shown = "".join(ended.out.split())
    assert f"POST{server.base_url}/chat/completions" in shown
    assert '"image_url":{"url":"sha256:' in shown
    assert KEY not in ended.out + ended.err


def test_json_holds_all_that_was_found(workplace: Any, scripted: Start):
    server = scripted(blind)
    ended = workplace.safejury("probe", server.base_url, "--json")
    assert ended.code == 0, ended.err
    found = cast("dict[str, Any]", json.loads(ended.out))
    states = {one["name"]: one["state"] for one in found["capabilities"]}
    assert found["works"]
    assert states["text"] == "yes"
    assert states["images"] == states["audio"] == "no"
    assert found["base_url"] == server.base_url
    assert found["calls"] == server.stats.calls + 1  # the list of models


def test_the_entry_that_it_suggests_is_not_cut_short(workplace: Any, scripted: Start):
    name = f"models/{'far-' * 40}away"
    ended = workplace.safejury("probe", scripted(blind, model=name).base_url)
    (target,) = yaml.safe_load(ended.out.partition("For a config:")[2])["targets"]
    assert target["model"] == name


def test_the_entry_that_it_suggests_is_one_that_a_config_takes(workplace: Any, scripted: Start):
    server = scripted(blind)
    ended = workplace.safejury("probe", server.base_url)
    suggested = yaml.safe_load(ended.out.partition("For a config:")[2])
    assert suggested["targets"][0]["images"] is False
    config = workplace.config(server.base_url, targets=suggested["targets"])
    assert (
        workplace.safejury("probe", suggested["targets"][0]["name"], "--config", config).code == 0
    )


def test_a_target_is_found_in_a_config(workplace: Any, scripted: Start):
    server = scripted()
    workplace.config(server.base_url)
    ended = workplace.safejury("probe", "examined", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["model"] == "target"
    assert found["config"]["name"] == "examined"
    assert {cast("Any", body)["model"] for body in server.requests} == {"target"}


def test_a_targets_key_is_sent(workplace: Any, scripted: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROBE_KEY", KEY)
    server = scripted(api_key=KEY)
    config = workplace.config(server.base_url, targets__0__api_key_env="PROBE_KEY")
    assert workplace.safejury("probe", "examined", "--config", config).code == 0
    other = workplace.config(server.base_url, targets__0__api_key_env="NOT_SET")
    asked = ("probe", "examined", "--config", other)
    workplace.safejury(*asked).refused("NOT_SET")
    assert workplace.safejury(*asked, "--api-key-env", "PROBE_KEY").code == 0
    assert server.stats.statuses.keys() == {200}


def test_a_target_that_is_not_in_the_config(workplace: Any):
    config = workplace.config()
    workplace.safejury("probe", "examind", "--config", config).refused("'examind'", "'examined'")
    workplace.safejury("probe", "examined", "--config", "no.yaml").refused("no.yaml")


def test_a_name_without_a_config(workplace: Any):
    workplace.safejury("probe", "examined").refused("no address", "safejury.yaml", "--config")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"name": "t", "responses": "r.jsonl"}, "nothing to probe"),
        ({"name": "t", "model": "openai/some"}, "LiteLLM"),
        ({"name": "t", "vllm": {"model": "some/model"}}, "safejury serve"),
        ({"name": "t", "model": "embedded/smollm2"}, "embedded"),
    ],
)
def test_a_target_without_an_address(target: dict[str, Any], said: str, workplace: Any):
    (workplace.path / "r.jsonl").write_text('{"query_id": "q1", "response": "No."}\n')
    workplace.config(targets=[target])
    workplace.safejury("probe", "t").refused("'t'", said)


def test_bad_input_is_one_line(workplace: Any, scripted: Start):
    workplace.safejury("probe", "ftp://127.0.0.1/v1").refused("is not an address")
    workplace.safejury("probe", "127.0.0.1:9").refused("no answer")
    url = scripted().base_url
    workplace.safejury("probe", url, "--api-key-env", "NO_SUCH_KEY").refused("NO_SUCH_KEY")
    assert workplace.safejury("probe", url, "--timeout", "0").code == 2
    assert workplace.safejury("probe").code == 2


def test_a_server_that_completes_nothing_is_shown_and_ends_with_2(workplace: Any, scripted: Start):
    ended = workplace.safejury("probe", scripted(api_key=KEY).base_url)
    assert ended.code == 2
    assert line(ended.out, "text").startswith("text no 401: 'Incorrect API key'")
    assert "No chat completion came back" in ended.err
    assert "For a config" not in ended.out


def test_an_interrupt_ends_it_without_a_trace(workplace: Any, scripted: Start):
    asked = threading.Event()

    def silent(_: Any) -> ScriptedReply:
        asked.set()
        return ScriptedReply(hang=True)

    with workplace.start("probe", scripted(silent).base_url) as process:
        assert asked.wait(60)
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.strip().endswith("Interrupted.")


def test_control_characters_of_a_server_do_not_reach_the_terminal(workplace: Any, scripted: Start):
    evil = "\x1b[31mred\x1b[0m"
    server = scripted(evil, model=f"m{evil}")
    ended = workplace.safejury("probe", server.base_url)
    assert ended.code == 0, ended.err
    assert "\x1b" not in ended.out
