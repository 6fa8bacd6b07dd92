"""A budget is kept under concurrency, and an unknown price is never zero."""

import asyncio
import socket
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from safejury.common import BudgetError, ModelError
from safejury.datasets import Media
from safejury.models import (
    Budget,
    Budgeted,
    Cached,
    Charge,
    ChatMessage,
    ChatRequest,
    EndpointModel,
    ImagePart,
    ModelRegistry,
    ModelSpec,
    Price,
    ResponseCache,
    RetryPolicy,
    TextPart,
    Usage,
    known_price,
)
from safejury.testing import ScriptedReply, ScriptedServer

USED = {"prompt_tokens": 10, "completion_tokens": 5}


def ask(text: str = "hello", max_tokens: int | None = 100) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), max_tokens=max_tokens)


class Kept:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[str, Charge]] = {}
        self.shares: list[float] = []
        self.charged: list[tuple[str, Charge]] = []
        self.stored = asyncio.Event()
        self.stored.set()

    @property
    def is_behind(self) -> bool:
        return not self.stored.is_set()

    async def caught_up(self) -> None:
        await self.stored.wait()

    def hold(self, call_id: str, held: Charge, share: float) -> int:
        self.shares.append(share)
        self.held[len(self.shares)] = (call_id, held)
        return len(self.shares)

    def let_go(self, number: int) -> None:
        del self.held[number]

    def charge(self, call_id: str, guessed: Charge) -> None:
        self.charged.append((call_id, guessed))


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


@pytest.mark.parametrize("kind", ["prompt_tokens", "completion_tokens"])
async def test_calls_that_take_more_than_expected_teach_what_the_next_reserve(kind: str):
    """Each takes 3,000 tokens more than its words and the cap of its reply say."""
    budget = Budget(max_tokens_total=20_000)
    used = {**USED, kind: 3_100}
    async with ScriptedServer(ScriptedReply("x", usage=used), latency=0.01) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        calls = [asyncio.create_task(model.complete(ask(f"question {n}"))) for n in range(64)]
        await asyncio.wait(calls)
        await model.aclose()
    assert all(isinstance(call.exception(), BudgetError | None) for call in calls)
    assert 16_000 < budget.spent_tokens <= 20_000
    assert server.stats.calls * (3_105 if kind == "prompt_tokens" else 3_110) == budget.spent_tokens


@pytest.mark.parametrize("bound", [None, 10**6])
async def test_beside_a_limit_one_call_at_a_time_is_made_until_one_says_what_it_takes(
    bound: int | None,
):
    silent = ScriptedReply("x", usage=None)
    replies, peaks = [silent, silent, *[ScriptedReply("x", usage=USED)] * 8], list[int]()

    def reply(_: object) -> ScriptedReply:
        peaks.append(server.stats.in_flight)
        return replies[len(peaks) - 1]

    async with ScriptedServer(reply, latency=0.05) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(endpoint, Budget(max_tokens_total=bound))
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(model.complete(ask()))
        await model.aclose()
    # Who never says it is not asked like this for ever.
    assert peaks[:2] == ([1, 2] if bound is None else [1, 1])
    assert max(peaks) == (10 if bound is None else 8)


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


RESERVED = 110
"""What `ask()` reserves: 2 tokens of words, 8 for a message, and 100 of a reply."""


@pytest.mark.parametrize(
    ("reply", "charged"),
    [
        (ScriptedReply("no", status=400), 0),
        (ScriptedReply("no", status=401), 0),
        (ScriptedReply("later", status=429), 0),
        (ScriptedReply("full", status=503), 0),
        (ScriptedReply("the model took too long", status=408), RESERVED),
        (ScriptedReply("broken", status=500), RESERVED),
        (ScriptedReply("no answer from behind", status=504), RESERVED),
        (ScriptedReply(drop=True), RESERVED),
        (ScriptedReply("x", truncate=True), RESERVED),
        (ScriptedReply(raw_body="{"), RESERVED),
        (ScriptedReply(hang=True), RESERVED),
    ],
)
async def test_a_failed_call_is_charged_unless_the_server_turned_it_away(
    reply: ScriptedReply, charged: int
):
    kept = Kept()
    budget = Budget(2 * RESERVED, keep=kept)
    async with ScriptedServer(reply) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m", timeout=0.3)
        model = Budgeted(endpoint, budget, Price(1, 1))
        with pytest.raises(ModelError):
            await model.complete(replace(ask(), call_id="q/t/0/target"))
        await model.aclose()
    assert (budget.spent_tokens, budget.estimated_calls) == (charged, int(charged > 0))
    # At a dollar for a million tokens.
    expected = [("q/t/0/target", Charge(charged, charged / 1e6))]
    assert kept.charged == (expected if charged else [])
    assert (kept.shares, kept.held) == ([0.5], {})


async def test_a_call_waits_until_what_it_holds_is_stored():
    kept = Kept()
    kept.stored.clear()
    budget = Budget(max_tokens_total=1000, keep=kept)
    call = asyncio.create_task(budget.reserve(Charge(10, None), "case/r0/seat/a0"))
    broken = asyncio.create_task(budget.reserve(Charge(10, None), "case/r0/seat/a1"))
    await asyncio.sleep(0)
    assert len(kept.held) == 2
    assert not call.done()
    broken.cancel()
    await asyncio.wait([broken])
    assert len(kept.held) == 1
    kept.stored.set()
    assert (await call).estimate == Charge(10, None)


async def test_a_call_that_never_connected_costs_nothing():
    budget = Budget()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        endpoint = EndpointModel(base_url=f"http://127.0.0.1:{port}/v1", model="m")
        with pytest.raises(ModelError):
            await Budgeted(endpoint, budget).complete(ask())
        await endpoint.aclose()
    assert (budget.spent_tokens, budget.estimated_calls) == (0, 0)


@pytest.mark.parametrize(("own", "charged"), [(False, RESERVED), (True, 0)])
async def test_a_call_that_we_break_off_is_charged_where_somebody_may_bill_it(
    own: bool, charged: int
):
    budget, arrived = Budget(), asyncio.Event()

    def reply(_: object) -> ScriptedReply:
        arrived.set()
        return ScriptedReply(hang=True)

    async with ScriptedServer(reply) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        hanging = asyncio.create_task(Budgeted(endpoint, budget, own=own).complete(ask()))
        await arrived.wait()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await endpoint.aclose()
    assert budget.spent_tokens == charged


async def test_each_attempt_is_charged():
    """A retried call may be paid for as often as it was made."""
    budget = Budget()
    replies = [ScriptedReply("x", truncate=True), ScriptedReply("x", usage=USED)]
    async with ScriptedServer(replies) as server:
        policy = RetryPolicy(attempts=3, base_delay=0.0)
        async with ModelRegistry(budget=budget, policy=policy) as registry:
            model = registry.open(ModelSpec("m", base_url=server.base_url))
            assert (await model.complete(ask())).attempts == 2
    assert (budget.spent_tokens, budget.estimated_calls) == (RESERVED + 15, 1)


@pytest.mark.parametrize(
    ("prompt", "reply", "believed", "charged"),
    [
        (10, 5, (10, 5), 15),
        (0, 5, (None, 5), 15),
        (-7, 5, (None, 5), 15),
        (10, 0, (10, None), 110),
        (10, -(10**9), (10, None), 110),
        (None, None, (None, None), 110),
        (10**9, 5, (None, 5), 15),
        (10, 10**9, (10, None), 110),
        # A provider's own prompt around ours, and a model that thinks beyond its cap.
        (9_000, 60_000, (9_000, 60_000), 69_000),
    ],
)
async def test_what_cannot_be_true_of_a_usage_is_unknown_and_charged_as_reserved(
    prompt: int | None, reply: int | None, believed: tuple[int | None, int | None], charged: int
):
    budget = Budget()
    usage = {"prompt_tokens": prompt, "completion_tokens": reply}
    async with ScriptedServer(ScriptedReply("x", usage=usage)) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(endpoint, budget, Price(1, 1))
        answer = await model.complete(ask())
        await model.aclose()
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == believed
    assert (answer.cost_usd is None) == (None in believed)
    assert budget.spent_tokens == charged
    assert budget.spent_usd == pytest.approx(charged / 1e6)


@pytest.mark.parametrize(
    ("prompt", "reply", "believed"),
    [("12.0", "5.0", (12, 5)), ("12.5", "5", (None, None)), ("NaN", "5", (None, 5)),
     ("12", "-Infinity", (12, None))],
)  # fmt: skip
async def test_a_usage_that_is_odd_json_costs_no_reply(
    prompt: str, reply: str, believed: tuple[int | None, int | None]
):
    said = '{"choices": [{"message": {"content": "Not a NaN."}, "finish_reason": "stop"}], '
    said += f'"usage": {{"prompt_tokens": {prompt}, "completion_tokens": {reply}}}}}'
    async with ScriptedServer(ScriptedReply(raw_body=said)) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        answer = await model.complete(ask())
        await model.aclose()
    assert answer.text == "Not a NaN."
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == believed


async def test_a_picture_reserves_what_pictures_take(tmp_path: Path):
    """The reservation, and so what a call without usage is charged."""
    content = b"not really a picture, sent as it is"
    (tmp_path / "p.png").write_bytes(content)
    media = Media(sha256(content).hexdigest(), "image/png", len(content), str(tmp_path / "p.png"))

    def shown(pictures: int) -> ChatRequest:
        parts = (*(ImagePart(media),) * pictures, TextPart("hello"))
        return ChatRequest((ChatMessage("user", parts),), max_tokens=100)

    budget = Budget(max_tokens_total=RESERVED + 1600)
    async with ScriptedServer(ScriptedReply("x", usage=None)) as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        with pytest.raises(BudgetError, match=r"up to 3,310 tokens"):
            await model.complete(shown(2))
        await model.complete(shown(1))
        await model.aclose()
    assert (server.stats.calls, budget.spent_tokens) == (1, RESERVED + 1600)


async def test_a_picture_that_cannot_be_read_costs_nothing():
    budget, gone = Budget(), Media("0" * 64, "image/png", 4, "gone.png")
    async with ScriptedServer("x") as server:
        model = Budgeted(EndpointModel(base_url=server.base_url, model="m"), budget)
        with pytest.raises(ModelError, match="cannot read"):
            await model.complete(ChatRequest((ChatMessage("user", (ImagePart(gone),)),)))
        await model.aclose()
    assert budget.spent_tokens == 0


@pytest.mark.slow
async def test_a_price_from_litellms_list_binds_the_budget():
    """Without the look-up the call would be made: no price would bound it."""
    async with ModelRegistry(budget=Budget(max_cost_usd=0.0001)) as registry:
        model = registry.open(ModelSpec("openai/gpt-4o", api_key="sk-scripted-0123456789"))
        with pytest.raises(BudgetError, match=r"limits\.max_cost_usd of 0\.0001 does not cover"):
            await model.complete(ask())


@pytest.mark.parametrize("given", [Price(1000, 2000), Price(0.001, 0.002), Price(0, 0)])
@pytest.mark.parametrize("looked_up", [False, True])
async def test_a_price_that_is_given_decides_whatever_a_list_says(given: Price, looked_up: bool):
    """LiteLLM puts its list price on each reply; that counts only where no price is given."""
    budget = Budget()
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:
        spec = ModelSpec(
            "openai/gpt-4o",
            api_base=server.base_url,
            api_key="sk-scripted-0123456789",
            price=None if looked_up else given,
        )
        async with ModelRegistry(budget=budget) as registry:
            answer = await registry.open(spec).complete(ask())
    price = await known_price("openai/gpt-4o") if looked_up else given
    assert price is not None
    assert answer.cost_usd == pytest.approx(price.of(answer.usage))
    assert budget.spent_usd == pytest.approx(price.of(answer.usage))


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
    budget.add_earlier_cost(950, 0.5, unknown_price_calls=3)
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


async def test_a_server_of_ours_costs_nothing_unless_a_price_is_given():
    async with ScriptedServer(ScriptedReply("x", usage=USED)) as server:

        def managed(spec: ModelSpec) -> EndpointModel:
            return EndpointModel(base_url=server.base_url, model=spec.model)

        async with ModelRegistry(managed=managed) as registry:
            free = registry.open(ModelSpec("gpt-4o", server="ours"))
            assert (await free.complete(ask())).cost_usd == 0.0
            priced = registry.open(ModelSpec("gpt-4o", server="ours", price=Price(100, 1000)))
            assert (await priced.complete(ask())).cost_usd == pytest.approx(0.006)
