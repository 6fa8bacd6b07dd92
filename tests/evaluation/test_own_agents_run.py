"""Agents and teams of a user's own in a config: `jurors: - {agent: "module:function"}`."""

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]

OWN_CLIENT = '''
"""An agent with a client of its own, which notes each case that it is asked about."""

import os
import re

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult, RequestUsage

BALLOT = """{ballot}"""


class Noting(BaseChatAgent):
    def __init__(self):
        super().__init__("noting", "Notes what it is asked.")

    @property
    def produced_message_types(self):
        return (TextMessage,)

    async def on_messages(self, messages, cancellation_token):
        words = messages[0].to_model_text()
        with open(os.path.join(os.path.dirname(__file__), "asked"), "a") as notes:
            notes.write(re.search(r"Question (\\w+)\\?", words)[1] + "\\n")
        call = FunctionCall(id="1", name="look_up", arguments="[red]x[/red] <b>\\x1b[31m")
        result = FunctionExecutionResult(call_id="1", name="look_up", content="`found`\\n# it")
        usage = RequestUsage(prompt_tokens=100, completion_tokens=10)
        said = TextMessage(content=BALLOT, source=self.name, models_usage=usage)
        return Response(
            chat_message=said,
            inner_messages=[
                ToolCallRequestEvent(content=[call], source=self.name),
                ToolCallExecutionEvent(content=[result], source=self.name),
            ],
        )

    async def on_reset(self, cancellation_token):
        pass


def make():
    return Noting()
'''
OUR_CLIENT = """
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat


def make(client):
    agents = [AssistantAgent(name, client, system_message=f"You are {name}.")
              for name in ("first", "second")]
    return RoundRobinGroupChat(agents, max_turns=2)
"""
NAMES = (f"agents_{number}" for number in itertools.count())


def _module(workplace: Any, source: str) -> str:
    """Write a module that no other test has imported, and return its name."""
    name = next(NAMES)
    words = ballot("unsafe", 2, "By my notes.")
    (workplace.path / f"{name}.py").write_text(source.replace("{ballot}", words))
    return name


def _config(workplace: Any, url: str, *agents: Mapping[str, object], **changes: object) -> str:
    jurors = [{"persona": name, "base_url": url, "model": name} for name in ("lawyer", "sceptic")]
    return workplace.config(url, jury__jurors=[*agents, *jurors[len(agents) - 1 :]], **changes)


def _answer(body: Mapping[str, Any]) -> str:
    return "Like this." if body["model"] == "target" else ballot("unsafe", 1, "It harms.")


def test_an_agent_with_a_client_of_its_own_is_heard_in_a_run(workplace: Any, scripted: Start):
    server, name = scripted(_answer), _module(workplace, OWN_CLIENT)
    config = _config(workplace, server.base_url, {"agent": f"{name}:make", "title": "My notes"})
    plan = workplace.safejury("run", config, "--plan")
    assert plan.code == 0, plan.err
    assert f"noting ({name}:make): calls of its own, which are not known" in plan.out
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert sorted((workplace.path / "asked").read_text().split()) == ["q1", "q2", "q3"]
    shown = workplace.safejury("show", "runs/first", "q1/examined/0").out
    assert "My notes" in shown
    assert f"{name}:make" in shown
    assert "look_up" in shown
    assert "\x1b" not in shown
    (spent,) = (row for row in workplace.csv() if row["spent_replies"])
    assert (spent["spent_replies"], spent["spent_unknown_prices"]) == ("12", "12")
    assert workplace.safejury("verify", "runs/first").code == 0


def test_a_limit_of_money_says_that_it_does_not_bind_an_agents_own_client(
    workplace: Any, scripted: Start
):
    url, name = scripted(_answer).base_url, _module(workplace, OWN_CLIENT)
    prices = {f"jury__jurors__{seat}__price": 0 for seat in (1, 2)}
    config = _config(
        workplace,
        url,
        {"agent": f"{name}:make"},
        limits__max_cost_usd=5.0,
        targets__0__price=0,
        **prices,
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    said = "limits.max_cost_usd does not bind noting, whose price is unknown"
    assert said in " ".join(ended.err.split())
    assert said in " ".join(ended.out.split())


def test_an_agent_has_the_time_that_the_config_gives_it(workplace: Any, scripted: Start):
    source = OWN_CLIENT.replace(
        "        words = messages", "        await asyncio.Event().wait()\n        words = messages"
    ).replace("import os", "import asyncio\nimport os", 1)
    server, name = scripted(_answer), _module(workplace, source)
    juror = {"agent": f"{name}:make", "timeout": 0.2}
    config = _config(workplace, server.base_url, juror)
    assert workplace.safejury("run", config, "--min-panel", "0").code == 0
    details = workplace.stored(
        "SELECT json_extract(body, '$.ballots[0].detail') FROM entries "
        "WHERE kind = 'BallotsRevealed'"
    )
    assert {detail for (detail,) in details} == {"the agent gave no answer within 0.2 s (timeout)"}


@pytest.mark.parametrize("suffix", ["md", "html", "svg"])
def test_what_its_tools_said_is_escaped_in_exports(suffix: str, workplace: Any, scripted: Start):
    name = _module(workplace, OWN_CLIENT)
    config = _config(workplace, scripted(_answer).base_url, {"agent": f"{name}:make"})
    case = ("--question", "Question q7?", "--response", "Like this.")
    file = workplace.path / f"case.{suffix}"
    ended = workplace.safejury("deliberate", "--config", config, *case, "--export", str(file))
    assert ended.code == 0, ended.err
    exported = file.read_text(encoding="utf-8")
    assert "look" in exported
    assert "<b>" not in exported
    assert "\x1b" not in exported
    assert "\n# it" not in exported


def test_a_changed_function_is_another_run(workplace: Any, scripted: Start):
    server, name = scripted(_answer), _module(workplace, OUR_CLIENT)
    juror = {"agent": f"{name}:make", "base_url": server.base_url, "model": "m"}
    config = _config(workplace, server.base_url, juror)
    assert workplace.safejury("run", config).code == 0
    other = _module(workplace, OUR_CLIENT.replace("You are", "Be"))
    changed = (workplace.path / f"{other}.py").read_text()
    (workplace.path / f"{name}.py").write_text(changed)
    workplace.spawn("run", config).refused("agents.make.sha256 was")


CANNOT: list[tuple[str, Mapping[str, object], str]] = [
    ("def make(): return 1 / 0", {}, "ZeroDivisionError"),
    ("def make(): return None", {}, "returned None, and no AgentChat agent or team"),
    ("make = 3", {}, "is not a function that makes one"),
    ("def other(): ...", {}, "has no function 'make'"),
    ("import not_there", {}, "importing"),
    (OUR_CLIENT, {}, "takes a model client, and has no model"),
    (OWN_CLIENT, {"model": "m", "base_url": "http://127.0.0.1:9/v1"}, "takes no client"),
    (OWN_CLIENT, {"temperature": 1.0}, "`temperature:`, which is said of a model"),
    (OWN_CLIENT + "\none = Noting()\n\n\ndef make():\n    return one\n", {}, "shares one object"),
]


@pytest.mark.parametrize(("source", "keys", "said"), CANNOT)
def test_what_cannot_serve_is_refused_before_a_run_begins(
    source: str, keys: Mapping[str, object], said: str, workplace: Any
):
    juror = {"agent": f"{_module(workplace, source)}:make", **keys}
    config = _config(workplace, "http://127.0.0.1:9/v1", juror)
    workplace.safejury("run", config).refused(said)
    assert not (workplace.path / "runs").exists()


@pytest.mark.parametrize(
    ("juror", "said"),
    [
        ({"agent": "no_such_module:make"}, "there is no module 'no_such_module'"),
        ({"agent": "make.py"}, "write an agent of your own as module:function"),
        ({"title": "Mine"}, "a juror has a `persona:`, an `agent:` of yours"),
        ({"persona": "human", "agent": "a:b"}, "an `agent:` is no person"),
    ],
)
def test_a_juror_that_cannot_be_is_one_line(juror: Mapping[str, object], said: str, workplace: Any):
    workplace.safejury("run", _config(workplace, "http://127.0.0.1:9/v1", juror)).refused(said)


def test_two_agents_of_one_name_have_seats_of_their_own(workplace: Any, scripted: Start):
    server, name = scripted(_answer), _module(workplace, OWN_CLIENT)
    same = {"agent": f"{name}:make"}
    config = _config(workplace, server.base_url, same, same)
    assert workplace.safejury("run", config).code == 0
    (jury,) = workplace.stored("SELECT value FROM meta WHERE key = 'jury'")[0]
    assert '"noting"' in jury
    assert '"noting_2"' in jury
    named = [{**same, "name": "mine"}] * 2
    workplace.safejury("run", _config(workplace, server.base_url, *named)).refused("'mine'")


OTHER_CLIENT = """
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient


def make():
    headers = {"X-Team": "Token staple-of-the-battery"}
    client = OpenAIChatCompletionClient(
        model="gpt-4o", base_url="URL", api_key="correct-horse", max_retries=0,
        default_headers=headers,
    )
    return AssistantAgent("mine", client)
"""


def test_the_key_of_an_agents_own_client_is_never_written(workplace: Any, scripted: Start):
    """A server may echo it, and a header, in an error."""
    pytest.importorskip("autogen_ext.models.openai")

    def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
        if body["model"] != "gpt-4o":
            return _answer(body)
        return ScriptedReply("no account of correct-horse, staple-of-the-battery", status=401)

    server = scripted(reply)
    name = _module(workplace, OTHER_CLIENT.replace("URL", server.base_url))
    config = _config(workplace, server.base_url, {"agent": f"{name}:make"})
    ended = workplace.safejury("run", config, "--min-panel", "0")
    assert ended.code == 0, ended.err
    files = [path.read_bytes() for path in (workplace.path / "runs").rglob("*") if path.is_file()]
    assert any(b"no account of [redacted], [redacted]" in file for file in files)
    for secret in ("correct-horse", "staple-of-the-battery"):
        assert not any(secret.encode() in file for file in files)
        assert secret not in ended.out + ended.err


def test_a_team_that_fails_is_an_outcome_and_no_traceback(workplace: Any, scripted: Start):
    source = OUR_CLIENT.replace("AssistantAgent(", "Failing(").replace(
        "def make",
        """class Failing(AssistantAgent):
    async def on_messages_stream(self, messages, cancellation_token):
        raise ValueError("spoilt")
        yield


def make""",
    )
    server, name = scripted(_answer), _module(workplace, source)
    juror = {"agent": f"{name}:make", "base_url": server.base_url, "model": "m"}
    config = _config(workplace, server.base_url, juror)
    ended = workplace.safejury("run", config, "--min-panel", "0")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    details = workplace.stored(
        "SELECT json_extract(body, '$.ballots[0].detail') FROM entries "
        "WHERE kind = 'BallotsRevealed'"
    )
    assert all("spoilt" in detail for (detail,) in details)


def _kill(workplace: Any, config: str, calls: str) -> None:
    """Kill a run once its record has three calls whose ids are like these."""
    with workplace.start("run", config) as process:
        while len(workplace.kept("SELECT 1 FROM calls WHERE call_id LIKE ?", calls)) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()


@pytest.mark.slow
def test_a_killed_run_asks_no_agent_again_that_had_answered(workplace: Any, scripted: Start):
    """Another juror hangs, so that no case is finished when the run is killed."""
    hang = [True]

    def reply(body: Mapping[str, Any]) -> ScriptedReply:
        return ScriptedReply(_answer(body), hang=hang[0] and body["model"] == "sceptic")

    server, name = scripted(reply), _module(workplace, OWN_CLIENT)
    config = _config(workplace, server.base_url, {"agent": f"{name}:make"})
    _kill(workplace, config, "%/noting/a0")
    hang[0] = False
    assert workplace.spawn("run", config).code == 0
    assert sorted((workplace.path / "asked").read_text().split()) == ["q1", "q2", "q3"]
    tokens = "SELECT json_extract(body, '$.ballots[0].usage.prompt_tokens') FROM entries"
    rows = workplace.stored(f"{tokens} WHERE kind = 'BallotsRevealed'")
    assert rows == [(100,)] * 3


@pytest.mark.slow
def test_a_killed_run_repeats_no_call_that_a_team_made_through_our_client(
    workplace: Any, scripted: Start
):
    """It is killed between the two calls of the team, and its second member is asked again."""
    hang = [True]
    asked: list[str] = []

    def reply(body: Mapping[str, Any]) -> ScriptedReply:
        said = str(body["messages"])
        if body["model"] == "m":
            asked.append("second" if "You are second" in said else "first")
        return ScriptedReply(_answer(body), hang=hang[0] and "You are second" in said)

    server, name = scripted(reply), _module(workplace, OUR_CLIENT)
    juror = {"agent": f"{name}:make", "base_url": server.base_url, "model": "m"}
    config = _config(workplace, server.base_url, juror)
    _kill(workplace, config, "%/make/a0.%")
    hang[0] = False
    assert workplace.spawn("run", config).code == 0
    assert asked.count("first") == 3
    calls = workplace.stored("SELECT call_id FROM calls WHERE call_id LIKE '%/make/a0%'")
    assert len(calls) == 9
    (spent,) = (row for row in workplace.csv() if row["spent_replies"])
    assert spent["spent_replies"] == str(3 + 3 * 4)  # a target's, and those of jurors


def test_a_batch_has_no_requests_of_an_agent(workplace: Any, scripted: Start):
    """Its calls follow from each other: a batch asks the jurors beside it."""
    url, name = scripted(_answer).base_url, _module(workplace, OUR_CLIENT)
    juror = {"agent": f"{name}:make", "base_url": url, "model": "m"}
    targets = [{"name": "old", "responses": "responses.jsonl"}]
    workplace.recorded(url)
    config = _config(workplace, url, juror, targets=targets)
    ended = workplace.safejury("export-batch", config)
    assert ended.code == 0, ended.err
    assert {line["body"]["model"] for line in workplace.lines()} == {"lawyer", "sceptic"}
