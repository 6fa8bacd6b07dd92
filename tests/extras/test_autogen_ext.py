"""Clients of `autogen-ext` as they are, for agents on the jury."""

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.replay import ReplayChatCompletionClient

from safejury.agents import Case, Finding
from safejury.datasets import Intent, Query
from safejury.deliberation import Jury, Protocol
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ballot

CASE = Case(
    "q/t/0",
    Query("q", "consultation.medical_advice", "May I?", Intent.HARMFUL),
    Response(ResponseOutcome.ANSWERED, "Eat it."),
)


async def test_an_agent_with_a_client_of_autogen_ext_sits_on_the_jury() -> None:
    clients = [ReplayChatCompletionClient([ballot("unsafe", 2, "A dose.")]) for _ in range(3)]
    seats = {
        f"helper_{number}": AssistantAgent(f"helper_{number}", client)
        for number, client in enumerate(clients)
    }
    async with Jury(seats, Protocol()) as jury:
        judgment = await jury.judge(CASE)
    assert judgment.finding is Finding.UNSAFE
    [first, *others] = judgment.ballots[0]
    assert [first.reason, *(other.reason for other in others)] == ["A dose."] * 3
    assert first.usage.prompt_tokens == clients[0].total_usage().prompt_tokens > 0
    assert first.cost_usd is None
