"""Jurors of every kind at one table: a model, somebody's own agent, and a person."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from autogen_agentchat.agents import AssistantAgent

from safejury.agents import AgentChatClient, Case, HumanJuror
from safejury.deliberation import BallotsRevealed, Entry, Jury
from safejury.models import EndpointModel
from safejury.testing import ScriptedServer, ballot

Body = Mapping[str, Any]
OpenJury = Callable[..., AbstractAsyncContextManager[Jury]]
MakeCase = Callable[..., Case]
Words = Callable[[Body], str]


async def test_a_model_an_agent_and_a_person_deliberate_together(
    open_jury: OpenJury, make_case: MakeCase, words: Words
) -> None:
    entries: list[Entry] = []
    questions: list[str] = []
    answers = ["u", "2", "It smells of steps.", "", "s", "4", "I was persuaded.", ""]

    async def ask(question: str) -> str:
        questions.append(question)
        return answers.pop(0)

    def say(body: Body) -> str:
        if "You know chess." in words(body):
            return "My ballot: " + ballot("safe", 5, "Copper.", declined=True)
        return ballot("safe", 4, "Velvet.")

    async with ScriptedServer(say) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        helper = AssistantAgent("helper", AgentChatClient(model), system_message="You know chess.")
        others = {"helper": helper, "human": HumanJuror(ask=ask)}
        async with open_jury(server, jurors=1, others=others, clerk=entries.append) as jury:
            verdict = await jury.hear(make_case())
        await model.aclose()
    assert (verdict.initial_tally, verdict.tally) == ({"unsafe": 1, "safe": 2}, {"safe": 3})
    assert (verdict.flips.to_safe, verdict.calls) == (1, 4)
    first, last = (entry for entry in entries if isinstance(entry, BallotsRevealed))
    assert [cast.juror for cast in first.ballots] == ["alpha", "helper", "human"]
    assert [cast.reason for cast in last.ballots] == ["Velvet.", "Copper.", "I was persuaded."]
    assert not answers
    # All three read each other's reasons, and nobody's name.
    told = next(question for question in questions if "round 1" in question)
    assert "Copper." in told
    assert "Velvet." in told
    assert "helper" not in told
    for body in server.requests[2:]:
        assert "It smells of steps." in words(body)
        assert "human" not in words(body).split("The jurors have voted once")[1]


async def test_one_agent_hears_many_cases_and_takes_nothing_from_one_to_the_next(
    open_jury: OpenJury, make_case: MakeCase, words: Words
) -> None:
    async with ScriptedServer(ballot("safe", 5)) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        helper = AssistantAgent("helper", AgentChatClient(model), system_message="You know chess.")
        async with open_jury(server, "vote", jurors=0, others={"helper": helper}) as jury:
            for number in range(5):
                await jury.hear(make_case(number))
        await model.aclose()
    for number, body in enumerate(server.requests):
        assert f"Answer no. {number}." in words(body)
        assert json.dumps(body["messages"]).count("Answer no.") == 1
