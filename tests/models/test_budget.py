"""A budget is kept under concurrency, and an unknown price is never zero."""

import asyncio
from pathlib import Path

import pytest

from safejury.datasets import BudgetError, ModelError
from safejury.models import (
    Budget,
    Budgeted,
    Cached,
    ChatMessage,
    ChatRequest,
    EndpointModel,
    ModelSpec,
    Price,
    ResponseCache,
    Switchboard,
    Usage,
)
from safejury.models.scripted import ScriptedReply, ScriptedServer

USED = {"prompt_tokens": 10, "completion_tokens": 5}


def ask(text: str = "hello", max_tokens: int | None = 100) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), max_tokens=max_tokens)


def test_price_by_hand():
    # 1000 input (400 cached) at 3 and 0.3, 200 output at 15, per million:
    # 600 * 3 + 400 * 0.3 + 200 * 15 = 1800 + 120 + 3000 = 4920 millionths.
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=200)
    assert Price(3, 15, 0.3).of(usage) == pytest.approx(0.00492)
    assert Price(3, 15).of(usage) == pytest.approx(0.006)
    assert Price(3, 15).of(Usage(prompt_tokens=1000)) is None


async def test_a_call_settles_with_what_it_really_took():
    budget = Budget(max_tokens_total=1000, max_cost_usd=1)
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(endpoint, budget, Price(1000, 2000))
        answer = await model.complete(ask())
        await model.aclose()
    assert answer.cost_usd == pytest.approx(0.02)
    assert (budget.spent_tokens, budget.spent_usd) == (15, pytest.approx(0.02))


@pytest.mark.parametrize(
    ("budget", "named"),
    [
        (Budget(max_tokens_total=1500), "limits.max_tokens_total"),
        (Budget(max_cost_usd=0.0015), "limits.max_cost_usd"),
    ],
)
async def test_a_budget_is_never_overspent_under_concurrency(budget: Budget, named: str):
    refused = list[str]()

    def reply(body: object) -> ScriptedReply:
        # The worst case: the reply takes all of its cap.
        return ScriptedReply("x", usage={"prompt_tokens": 10, "completion_tokens": 100})

    async with ScriptedServer(reply, latency=0.01) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(endpoint, budget, Price(1, 1))

        async def call(number: int) -> None:
            try:
                await model.complete(ask(f"question {number}"))
            except BudgetError as error:
                refused.append(str(error))

        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(call(number))
        await model.aclose()
    assert 0 < budget.spent_tokens <= 1500
    assert budget.spent_usd <= 0.0015
    assert server.stats.calls + len(refused) == 100
    assert all(named in text and "\n" not in text for text in refused)
    assert refused


async def test_what_a_call_gave_back_can_be_spent_by_the_next():
    # A call reserves 2 + 8 + 100 tokens and takes 15, so four fit one by one.
    budget = Budget(max_tokens_total=160)
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        for _ in range(4):
            await model.complete(ask())
        with pytest.raises(BudgetError):
            await model.complete(ask())
        await model.aclose()
    assert (server.stats.calls, budget.spent_tokens) == (4, 60)


@pytest.mark.parametrize("ends_at_once", [False, True])
async def test_a_call_waits_for_what_those_under_way_give_back(ends_at_once: bool):
    # Each reserves 2 + 8 + 100 tokens and takes 15: one at a time fits, nine times.
    budget = Budget(max_tokens_total=230, ends_at_once=ends_at_once)
    async with ScriptedServer(ScriptedReply("x", usage=USED), latency=0.01) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        calls = [asyncio.create_task(model.complete(ask())) for _ in range(12)]
        await asyncio.wait(calls)
        await model.aclose()
    errors = [call.exception() for call in calls]
    made = sum(error is None for error in errors)
    assert all(isinstance(error, BudgetError) for error in errors if error is not None)
    # Until the next one does not fit into what was left by all those before it.
    assert made == server.stats.calls == 9
    assert budget.spent_tokens == 9 * 15


async def test_a_budget_that_ends_at_once_covers_no_smaller_call_later():
    for ends_at_once in (False, True):
        budget = Budget(max_tokens_total=100, ends_at_once=ends_at_once)
        async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
            model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
            with pytest.raises(BudgetError):
                await model.complete(ask())
            small = ask(max_tokens=20)
            if ends_at_once:
                with pytest.raises(BudgetError):
                    await model.complete(small)
            else:
                await model.complete(small)
            await model.aclose()
        assert server.stats.calls == int(not ends_at_once)


async def test_failed_and_cancelled_calls_give_back_what_they_reserved():
    budget, arrived = Budget(max_tokens_total=120), asyncio.Event()
    replies = iter(
        (ScriptedReply(status=500), ScriptedReply(hang=True), ScriptedReply("x", usage=USED))
    )

    def reply(_: object) -> ScriptedReply:
        said = next(replies)
        if said.hang:
            arrived.set()
        return said

    async with ScriptedServer(reply) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        with pytest.raises(ModelError):
            await model.complete(ask())
        hanging = asyncio.create_task(model.complete(ask()))
        await arrived.wait()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await model.complete(ask())
        await model.aclose()
    assert budget.spent_tokens == 15


async def test_an_unknown_price_is_counted_and_is_not_zero():
    budget = Budget(max_cost_usd=0.000001)
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        answer = await model.complete(ask())
        await model.aclose()
    assert answer.cost_usd is None
    assert (budget.unknown_price_calls, budget.spent_usd, budget.spent_tokens) == (1, 0.0, 15)


async def test_unknown_usage_is_charged_at_the_estimate_and_its_cost_stays_unknown():
    budget = Budget()
    async with ScriptedServer(ScriptedReply("x", usage=None)) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(endpoint, budget, Price(1, 1))
        answer = await model.complete(ask())
        await model.aclose()
    assert answer.cost_usd is None
    assert budget.spent_tokens == 110
    assert budget.spent_usd == pytest.approx(110e-6)


async def test_what_earlier_parts_of_a_run_spent_counts():
    budget = Budget(max_tokens_total=1000)
    budget.add_spent(950, 0.5, unknown_price_calls=3)
    async with ScriptedServer("x") as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        with pytest.raises(BudgetError, match="950 spent"):
            await model.complete(ask())
    assert (server.stats.calls, budget.spent_usd, budget.unknown_price_calls) == (0, 0.5, 3)


async def test_a_reused_completion_costs_nothing(tmp_path: Path):
    budget, store = Budget(), ResponseCache(tmp_path / "c.sqlite")
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(Cached(endpoint, store), budget, Price(1, 1))
        for _ in range(3):
            await model.complete(ask())
        await model.aclose()
    store.close()
    assert (budget.spent_tokens, budget.unknown_price_calls) == (15, 0)


async def test_a_server_of_ours_has_no_providers_price():
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:

        def managed(spec: ModelSpec) -> EndpointModel:
            return EndpointModel(base_url=server.base_url, model=spec.model)

        async with Switchboard(managed=managed) as switchboard:
            model = switchboard.open(ModelSpec("gpt-4o", server="ours"))
            assert (await model.complete(ask())).cost_usd is None
