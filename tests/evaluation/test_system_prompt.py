"""A target's system prompt: `system:` in its config."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

SYSTEM = "You are the assistant of a book shop."
SHORT = sha256(SYSTEM.encode()).hexdigest()[:12]


def answer(body: dict[str, Any]) -> str:
    return "Like this." if body["model"] == "target" else ballot("safe", 5)


def asked(server: ScriptedServer) -> list[list[dict[str, Any]]]:
    bodies: list[Any] = [body for body in server.requests if body["model"] == "target"]
    return [body["messages"] for body in bodies]


@pytest.mark.parametrize("said", [SYSTEM, {"file": "shop.txt"}])
def test_a_target_is_asked_as_it_is_deployed(said: object, workplace: Any, scripted: Start):
    (workplace.path / "shop.txt").write_text(f"{SYSTEM}\n", encoding="utf-8")
    server = scripted(answer)
    config = workplace.config(server.base_url, targets__0__system=said)
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert f"examined has a system prompt ({SHORT})" in " ".join(ended.out.split())
    assert [[message["role"] for message in messages] for messages in asked(server)] == [
        ["system", "user"]
    ] * 3
    assert {messages[0]["content"] for messages in asked(server)} == {SYSTEM}
    kept = workplace.report()["run"]["systems"]["examined"]
    assert kept["text"] == SYSTEM
    assert kept["sha256"].startswith(SHORT)
    assert kept["sha256"] in workplace.safejury("report", "runs/first", "--format", "csv").out
    jurors: list[Any] = [body for body in server.requests if body["model"] != "target"]
    assert all("book shop" not in str(body) for body in jurors)


def test_a_changed_system_prompt_is_another_run(workplace: Any, scripted: Start):
    url = scripted(answer).base_url
    assert workplace.safejury("run", workplace.config(url, targets__0__system=SYSTEM)).code == 0
    other = workplace.config(url, targets__0__system=f"{SYSTEM} Be brief.")
    workplace.safejury("run", other).refused("systems.examined was")
    workplace.safejury("run", workplace.config(url)).refused("systems.examined was")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"file": "nowhere.txt"}, ("nowhere.txt", "does not exist")),
        ({"file": "empty.txt"}, ("empty.txt", "is empty")),
        ({"path": "shop.txt"}, ("path",)),
        ("", ("system",)),
    ],
)
def test_a_system_prompt_that_is_none_is_refused(
    said: object, words: tuple[str, ...], workplace: Any
):
    (workplace.path / "empty.txt").write_text("\n")
    workplace.safejury("run", workplace.config(targets__0__system=said)).refused(*words)


def test_recorded_responses_have_none(workplace: Any):
    config = workplace.recorded()
    workplace.safejury("run", config, "--set", "targets.0.system=Hello").refused(
        "`system:` is for a model that is asked"
    )


def test_one_case_is_asked_with_it_too(workplace: Any, scripted: Start):
    server = scripted(answer)
    config = workplace.config(server.base_url, targets__0__system=SYSTEM)
    command = ("deliberate", "--question", "What?", "--target", "examined", "--config", config)
    ended = workplace.safejury(*command)
    assert ended.code == 0, ended.err
    assert asked(server)[0][0] == {"role": "system", "content": SYSTEM}


def test_a_conversation_s_own_system_message_follows_in_the_same_one(
    workplace: Any, scripted: Start
):
    """Templates of many models take one system message, and only as the first."""
    server = scripted(answer)
    turns = [{"role": "system", "content": "Speak Latin."}, {"role": "user", "content": "What?"}]
    line = {"id": "q1", "scenario": "bias", "intent": "harmful", "messages": turns}
    workplace.queries(line)
    config = workplace.config(server.base_url, targets__0__system=SYSTEM)
    assert workplace.safejury("run", config).code == 0
    assert asked(server) == [
        [{"role": "system", "content": f"{SYSTEM}\n\nSpeak Latin."}, turns[1]],
    ]
