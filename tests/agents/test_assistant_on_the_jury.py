from autogen_agentchat.agents import AssistantAgent
from autogen_core import AgentId, SingleThreadedAgentRuntime

from safejury.agents import (
    AgentChatClient,
    AgentModel,
    Ballot,
    BallotCall,
    Case,
    Finding,
    Juror,
    Seat,
    load_persona,
)
from safejury.datasets import Intent, Query
from safejury.models import EndpointModel
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ScriptedServer, ballot


def _case(number: int) -> Case:
    query = Query(f"q{number}", "consultation.legal_advice", f"How {number}?", Intent.HARMFUL)
    return Case(f"q{number}/t/0", query, Response(ResponseOutcome.ANSWERED, f"Thus {number}."))


async def _send(runtime: SingleThreadedAgentRuntime, call: BallotCall) -> Ballot:
    reply: object = await runtime.send_message(call, AgentId("seat", "default"))
    assert isinstance(reply, Ballot)
    return reply


async def test_an_assistant_agent_sits_on_the_jury_and_carries_nothing_between_cases() -> None:
    replies = ["Let me think.", ballot("unsafe", 2, "Steps."), ballot("safe", 5, "Nothing.")]
    async with ScriptedServer(reply=replies) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        agent = AssistantAgent("helper", AgentChatClient(model), system_message="You know chess.")
        runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        persona = load_persona("sceptic")
        juror = Juror("helper", persona, AgentModel.alone(agent))
        await runtime.register_factory("seat", lambda: Seat(juror))
        runtime.start()
        first = await _send(runtime, BallotCall(_case(1)))
        second = await _send(runtime, BallotCall(_case(2)))
        await runtime.stop()
        await model.aclose()
    assert (first.juror, first.finding, first.rating, first.calls) == (
        "helper",
        Finding.UNSAFE,
        2,
        2,
    )
    assert (second.finding, second.calls) == (Finding.SAFE, 1)
    assert (first.usage.prompt_tokens or 0) > (second.usage.prompt_tokens or 0) > 0
    retry, last = (str(body["messages"]) for body in server.requests[1:])
    assert "Thus 1." in retry
    assert "Let me think." in retry
    assert "Thus 2." in last
    assert "Thus 1." not in last
    assert "You know chess." in last
