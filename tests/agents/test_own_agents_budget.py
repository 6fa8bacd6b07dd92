"""What agents with clients of their own take of a run's limits and budget, and of a journal."""

import asyncio
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ChatCompletionClient
from own_agents import Parrot, Raising, case

from safejury.agents import (
    AgentClient,
    AgentFactory,
    AgentModel,
    Ballot,
    BallotCall,
    BallotOutcome,
    Conversation,
    Juror,
    RemarkCall,
    RemarkOutcome,
)
from safejury.common import in_parallel
from safejury.models import Budget, Completion, ModelRegistry, ModelSpec, PlaceLimits


class Kept:
    """A journal in memory."""

    def __init__(self) -> None:
        self.completions: dict[tuple[str, str], Completion] = {}

    def find(self, call_id: str, key: str) -> Completion | None:
        return self.completions.get((call_id, key))

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        self.completions[call_id, key] = completion


def _juror(registry: ModelRegistry, make: Any = Parrot) -> Juror:
    model = registry.adopt(AgentModel.of(AgentFactory.of(make)), pays=True)
    return Juror("mine", None, model)


async def _heard(juror: Juror, cases: int) -> list[Ballot]:
    return await in_parallel(juror.judge(BallotCall(case(n))) for n in range(cases))


async def test_the_tokens_that_it_reports_count_against_the_budget() -> None:
    """Each answer reports 15 tokens, and the budget bears some of them."""
    async with ModelRegistry(budget=Budget(max_tokens_total=2000)) as registry:
        ballots = [await _juror(registry).judge(BallotCall(case(n))) for n in range(200)]
        spent = registry.budget.spent_tokens
    stopped = [each for each in ballots if each.outcome is BallotOutcome.BUDGET_STOP]
    assert 0 < len(stopped) < 200
    assert spent == 15 * (200 - len(stopped)) <= 2000
    assert all(each.calls == 0 for each in stopped)


async def test_a_budget_that_stops_the_agents_own_model_stops_its_ballot_and_its_turn() -> None:
    def make(client: ChatCompletionClient) -> AssistantAgent:
        return AssistantAgent("mine", client)

    spec = ModelSpec("m", base_url="http://127.0.0.1:9/v1")  # is never called
    async with ModelRegistry(budget=Budget(max_tokens_total=10)) as registry:
        client = AgentClient(registry.open(spec))
        juror = Juror("mine", None, AgentModel.of(AgentFactory.of(make), client=client))
        cast_ = await juror.judge(BallotCall(case()))
        turn = await juror.speak(RemarkCall(case(), 1, 1, Conversation("Juror A", ())))
    assert (cast_.outcome, cast_.calls) == (BallotOutcome.BUDGET_STOP, 0)
    assert (turn.outcome, turn.calls) == (RemarkOutcome.BUDGET_STOP, 0)


async def test_an_answer_without_usage_is_charged_by_estimate() -> None:
    async with ModelRegistry() as registry:
        (cast_,) = await _heard(_juror(registry, Raising), 1)
        assert registry.budget.estimated_calls == 1
        assert registry.budget.spent_tokens > 100
    assert (cast_.usage.total_tokens, cast_.cost_usd) == (None, None)


@pytest.mark.parametrize("places", [1, 3])
async def test_no_more_of_them_work_at_once_than_an_endpoint_may_have_calls(places: int) -> None:
    working, most = 0, 0

    class Counting(Parrot):
        async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
            nonlocal working, most
            working += 1
            most = max(most, working)
            for _ in range(20):
                await asyncio.sleep(0)
            working -= 1
            return await super().on_messages(messages, cancellation_token)

    async with ModelRegistry(limits=PlaceLimits(places)) as registry:
        ballots = await _heard(_juror(registry, Counting), 12)
    assert all(each.is_vote for each in ballots)
    assert most == places


async def test_an_answer_in_a_journal_is_not_asked_for_again() -> None:
    """What it took and the tools that it called are on the ballot as before."""
    journal, asked = Kept(), 0

    class Counting(Parrot):
        async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
            nonlocal asked
            asked += 1
            return await super().on_messages(messages, cancellation_token)

    found: list[list[Ballot]] = []
    for _ in range(2):
        async with ModelRegistry(journal=journal) as registry:
            found.append(await _heard(_juror(registry, Counting), 3))
    first, again = found
    assert asked == 3
    assert [each.usage for each in again] == [each.usage for each in first]
    assert {each.calls for each in again} == {1}
