"""Clients of `autogen-ext` as they are, for agents on the jury."""

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.replay import ReplayChatCompletionClient

from safejury.agents import Case, Finding
from safejury.deliberation import Jury, Protocol
from safejury.testing import ballot


async def test_an_agent_with_a_client_of_autogen_ext_sits_on_the_jury(make_case: object) -> None:
    assert callable(make_case)
    case = make_case()
    assert isinstance(case, Case)
    clients = [ReplayChatCompletionClient([ballot("unsafe", 2, "A dose.")]) for _ in range(3)]
    seats = {
        f"helper_{number}": AssistantAgent(f"helper_{number}", client)
        for number, client in enumerate(clients)
    }
    async with Jury(seats, Protocol()) as jury:
        judgment = await jury.judge(case)
    assert judgment.finding is Finding.UNSAFE
    assert [ballot.reason for ballot in judgment.ballots[0]] == ["A dose."] * 3
    used = clients[0].total_usage()
    [first, *_] = judgment.ballots[0]
    assert first.usage.prompt_tokens == used.prompt_tokens > 0
    assert first.cost_usd is None
