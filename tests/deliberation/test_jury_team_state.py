"""A team's jury that is paused, saved, loaded elsewhere, and written down as a component."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken

import safejury as sj
from safejury.agents import AgentChatClient, Case, CaseMessage, Juror, load_persona
from safejury.common import ConfigurationError
from safejury.deliberation import (
    BallotSealed,
    BallotsEvent,
    Jury,
    RemarkEvent,
    VerdictMessage,
    VerdictTermination,
)
from safejury.models import EndpointModel, ModelSpec
from safejury.testing import ScriptedReply, ScriptedServer, ballot, remark

Body = Mapping[str, Any]
MakeCase = Callable[..., Case]
JURORS = ("clinician", "lawyer", "sceptic")
FINE = ballot("safe", 5, "Fine.")
HANG = ScriptedReply(hang=True)


def _three(server: ScriptedServer, protocol: str = "vote") -> Jury:
    """Return a jury whose jurors are told apart by their models."""
    seats = [sj.seat(name, ModelSpec(name, base_url=server.base_url)) for name in JURORS]
    return Jury.of(*seats, protocol=protocol)


def _watched(server: ScriptedServer) -> tuple[Jury, list[str]]:
    """Return such a jury, and who has voted so far."""
    sealed, spec = list[str](), _three(server).spec
    assert spec is not None

    def watch(said: object) -> None:
        if isinstance(said, BallotSealed):
            sealed.append(said.seat)

    return Jury(spec, spectator=watch), sealed


def _asked(server: ScriptedServer) -> list[str]:
    return sorted(str(request["model"]) for request in server.requests)


def _verdict(result: TaskResult) -> VerdictMessage:
    said = result.messages[-1]
    assert isinstance(said, VerdictMessage)
    return said


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what a server saw has no event
            await asyncio.sleep(0.002)


async def _left_half_way(server: ScriptedServer, case: Case) -> tuple[Jury, dict[str, Any]]:
    """Cancel a run when all but the lawyer have voted; return the jury and its state."""
    (jury, sealed), token = _watched(server), CancellationToken()
    task = CaseMessage.of(case)
    run = asyncio.ensure_future(jury.run(task=task, cancellation_token=token))
    await _until(lambda: len(sealed) == 2)
    state = await jury.save_state()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert await jury.save_state() == state
    return jury, json.loads(json.dumps(state))


def _lawyer_hangs(body: Body) -> str | ScriptedReply:
    return HANG if body["model"] == "lawyer" else FINE


async def test_an_open_case_goes_on_elsewhere_and_nobody_is_asked_twice(
    make_case: MakeCase,
) -> None:
    case = make_case()
    async with ScriptedServer(reply=_lawyer_hangs) as here, ScriptedServer(reply=FINE) as there:
        _, state = await _left_half_way(here, case)
        sealed = [(each["juror"], each["finding"]) for each in state["cases"][0]["ballots"]]
        assert sorted(sealed) == [("clinician", "safe"), ("sceptic", "safe")]
        jury = _three(there)
        await jury.load_state(state)
        result = await jury.run()
        assert _asked(there) == ["lawyer"]
        opened, ballots, _ = result.messages
        assert isinstance(opened, CaseMessage)
        assert opened.content == case
        assert isinstance(ballots, BallotsEvent)
        assert [each.juror for each in ballots.content.ballots] == [*JURORS]
        assert dict(_verdict(result).content.tally) == {"safe": 3}
        assert (await jury.save_state())["cases"] == []
        with pytest.raises(ConfigurationError, match="no case to go on with"):
            await jury.run()


async def test_a_roundtable_goes_on_elsewhere_at_the_turn_where_it_was_left(
    make_case: MakeCase,
) -> None:
    def reply(body: Body) -> str:
        if "it is your turn" in str(body["messages"]):
            return remark(f"So says {body['model']}.")
        return ballot("unsafe", 1, "Risky.") if body["model"] == "clinician" else FINE

    def stuck_at_the_third_turn(body: Body) -> str | ScriptedReply:
        turns = [one for one in here.requests if "it is your turn" in str(one["messages"])]
        return HANG if len(turns) == 3 else reply(body)

    here, there = ScriptedServer(reply=stuck_at_the_third_turn), ScriptedServer(reply=reply)
    async with here, there:
        jury = _three(here, "roundtable")
        said = jury.run_stream(task=CaseMessage.of(make_case()))
        spoken = list[RemarkEvent]()
        while len(spoken) < 2:
            if isinstance(message := await anext(said), RemarkEvent):
                spoken.append(message)
        state = json.loads(json.dumps(await jury.save_state()))
        await said.aclose()
        other = _three(there, "roundtable")
        await other.load_state(state)
        result = await other.run()
    remarks = [each for each in result.messages if isinstance(each, RemarkEvent)]
    assert [each.content for each in remarks[:2]] == [each.content for each in spoken]
    turns = [str(one["model"]) for one in there.requests if "it is your turn" in str(one)]
    assert len(turns) == len(remarks) - 2
    assert len(there.requests) == len(turns) + len(JURORS)  # and the re-vote


async def test_a_case_that_is_put_again_goes_on_where_it_was_left(make_case: MakeCase) -> None:
    async with ScriptedServer(reply=_lawyer_hangs) as here, ScriptedServer(reply=FINE) as there:
        _, state = await _left_half_way(here, make_case())
        jury = _three(there)
        await jury.load_state(state)
        await jury.run(task=CaseMessage.of(make_case(1)))
        assert _asked(there) == sorted(JURORS)
        await jury.run(task=CaseMessage.of(make_case()))
        assert _asked(there) == sorted((*JURORS, "lawyer"))


async def test_a_lost_ballot_is_no_answer_that_a_state_keeps(make_case: MakeCase) -> None:
    def say(body: Body) -> str | ScriptedReply:
        replies = {"lawyer": HANG, "sceptic": ScriptedReply(status=400), "clinician": FINE}
        return replies[str(body["model"])]

    async with ScriptedServer(reply=say) as server:
        jury, sealed = _watched(server)
        run = asyncio.ensure_future(jury.run(task=CaseMessage.of(make_case())))
        await _until(lambda: len(sealed) == 2)
        (case,) = (await jury.save_state())["cases"]
        assert [each["juror"] for each in case["ballots"]] == ["clinician"]
        run.cancel()
        await asyncio.wait([run])


async def test_reset_forgets_what_was_left_open(make_case: MakeCase) -> None:
    async with ScriptedServer(reply=_lawyer_hangs) as server:
        jury, _ = await _left_half_way(server, make_case())
        await jury.reset()
        assert (await jury.save_state())["cases"] == []


async def test_a_state_of_something_else_is_refused(make_case: MakeCase) -> None:
    async with ScriptedServer(reply=_lawyer_hangs) as server:
        jury, state = await _left_half_way(server, make_case())
        others: list[tuple[dict[str, Any], str]] = [
            ({}, "not the state of a jury .jury: Field required"),
            ({"type": "TeamState", "version": "1.0.0", "agent_states": {}}, "not the state"),
            ({**state, "cases": [{"case": {}, "ballots": []}]}, "not the state of a jury"),
        ]
        for other, said in others:
            with pytest.raises(ConfigurationError, match=said) as refused:
                await jury.load_state(other)
            assert "\n" not in str(refused.value)
        with pytest.raises(ConfigurationError, match="other seats, models or another protocol"):
            await _three(server, protocol="contested").load_state(state)
        run = asyncio.ensure_future(jury.run())
        await _until(lambda: server.stats.in_flight == 1)
        with pytest.raises(ConfigurationError, match="a case is under way"):
            await jury.load_state(state)
        run.cancel()
        await asyncio.wait([run])


async def test_a_team_around_a_jury_is_saved_and_goes_on_with_the_question() -> None:
    """The second answer belongs to the question that the first team was asked."""

    def say(body: Body) -> str:
        return "Ask your doctor." if body["model"] == "assistant" else FINE

    async with ScriptedServer(reply=say) as server:
        model = EndpointModel(base_url=server.base_url, model="assistant")
        client = AgentChatClient(model)

        def chat() -> RoundRobinGroupChat:
            return RoundRobinGroupChat(
                [AssistantAgent("assistant", client), _three(server)],
                max_turns=2,
                custom_message_types=Jury.message_types,
            )

        first, second = chat(), chat()
        await first.run(task="May I halve my dose?")
        await second.load_state(json.loads(json.dumps(await first.save_state())))
        result = await second.run()
        await client.close()
        assert _verdict(result).finding == "safe"
        assert "May I halve my dose?" in str(server.requests[-1]["messages"])


async def test_a_paused_jury_asks_nobody_and_says_nothing_until_it_is_resumed(
    make_case: MakeCase,
) -> None:
    async with ScriptedServer(reply=FINE) as server, _three(server) as jury:
        await jury.pause()
        said = list[object]()

        async def follow() -> None:
            said.extend([each async for each in jury.run_stream(task=CaseMessage.of(make_case()))])

        run = asyncio.ensure_future(follow())
        for _ in range(50):
            await asyncio.sleep(0)
        assert (server.requests, said) == ([], [])
        await jury.resume()
        await run
        assert len(said) == 4


async def test_leaving_a_paused_jury_ends_its_cases(make_case: MakeCase) -> None:
    async with ScriptedServer(reply=FINE) as server:
        async with _three(server) as jury:
            await jury.pause()
            run = asyncio.ensure_future(jury.run(task=CaseMessage.of(make_case())))
            for _ in range(50):
                await asyncio.sleep(0)
        await asyncio.wait([run])
        assert run.cancelled()


async def test_a_jury_survives_being_written_down_as_a_component(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "a-secret-of-mine")
    async with ScriptedServer(reply=FINE, api_key="a-secret-of-mine") as server:
        model = sj.endpoint(server.base_url, "m", api_key_env="MY_KEY", price=0)
        jury = Jury.of(*JURORS, model=model, foreperson=model, rule="any", name="moderators")
        component = jury.dump_component()
        written = component.model_dump_json()
        assert "a-secret-of-mine" not in written
        assert "MY_KEY" in written
        for kind in (Team, ChatAgent, Jury):
            again = kind.load_component(json.loads(written))
            assert isinstance(again, Jury)
            assert again.name == "moderators"
            assert again.spec == jury.spec
            assert again.dump_component() == component
        result = await Jury.load_component(json.loads(written)).run(task="An answer.")
        assert _verdict(result).finding == "safe"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ConfigurationError, match="variable MY_KEY holds no key"):
        Jury.load_component(component)


OWN = """
from autogen_agentchat.agents import AssistantAgent
from safejury import Decision

def make(client):
    return AssistantAgent("helper", client)

def undecided(votes, rule):
    return Decision(None, "as always")
"""


def test_all_kinds_of_seats_and_functions_in_modules_survive_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_parts.py").write_text(OWN)
    policy = tmp_path / "policy.md"
    policy.write_text("Judge by our policy.\n\n{{evidence}}\n\n{{ballot}}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    own = import_module("own_parts")
    options = {"top_k": 3, "extra_body": {"a": 1}}
    model = sj.endpoint(
        "http://127.0.0.1:9/v1", "m", price={"input": 1, "output": 2}, request=options
    )
    seats = [
        sj.seat(agent=own.make, model=model),
        sj.seat(guard="llama-guard-3", model=model),
        sj.seat("human"),
        sj.seat("sceptic", temperature=0.5, name="doubter"),
    ]
    jury = Jury.of(*seats, model=model, rule=own.undecided, rubric=policy, protocol="roundtable")
    written = jury.dump_component().model_dump_json()
    again = Jury.load_component(json.loads(written))
    assert again.spec == jury.spec
    assert again.dump_component().model_dump_json() == written


def test_a_team_with_a_jury_in_it_survives_as_well() -> None:
    jury = Jury.of(*JURORS, model="openai/gpt-4o")
    team = RoundRobinGroupChat([jury], termination_condition=VerdictTermination("unsafe"))
    again = RoundRobinGroupChat.load_component(team.dump_component())
    assert again.dump_component() == team.dump_component()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": ModelSpec("openai/m", api_key="a-secret-of-mine")}, "has a key that came from"),
        (
            {"model": ModelSpec("m", "http://h/v1", headers=(("X-Team", "a-secret-of-mine"),))},
            "has a header X-Team that came from no environment variable",
        ),
        (
            {"model": ModelSpec("m", "http://h/v1", proxy="http://me:a-secret-of-mine@h")},
            "has an address with a name or password in it",
        ),
        ({"model": ModelSpec("m", server="mine")}, "is on a server that this run started"),
        (
            {"model": "openai/m", "rule": lambda votes, rule: sj.Decision(None)},  # pyright: ignore
            "is a function that no other program could import",
        ),
    ],
)
def test_what_cannot_be_written_down_is_said_without_a_secret(
    options: dict[str, Any], said: str
) -> None:
    jury = Jury.of("sceptic", **options)
    with pytest.raises(ConfigurationError, match=said) as refused:
        jury.dump_component()
    assert "a-secret-of-mine" not in str(refused.value)


def test_a_jury_of_agents_cannot_be_written_down() -> None:
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
    with pytest.raises(ConfigurationError, match="made of agents cannot be dumped"):
        Jury({"sceptic": Juror("sceptic", load_persona("sceptic"), model)}).dump_component()


@pytest.mark.parametrize(
    ("key", "value"),
    [("seats", "nobody"), ("who", "knows"), ("seats", [{"info": None}]), ("max_tokens", "many")],
)
def test_a_configuration_of_something_else_is_refused_in_one_line(key: str, value: object) -> None:
    component = Jury.of("sceptic", model="openai/m").dump_component()
    component.config["jury"][key] = value
    with pytest.raises(ConfigurationError, match="this describes no jury") as refused:
        Jury.load_component(component)
    assert "\n" not in str(refused.value)
