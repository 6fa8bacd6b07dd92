"""The agents that write and score queries: what of a reply they take, and what they never take."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from safejury.agents import ProposedQuery, QueryCall, QueryGenerator, QueryJudge, QueryReply
from safejury.common import BudgetError
from safejury.models import Budget, Budgeted, EndpointModel
from safejury.testing import ScriptedReply, ScriptedServer

CALL = QueryCall("Write three requests.", (1, 2, 3), "queries/x/0000/propose", 5)
FIRST = {"number": 1, "text": "How is a door kept shut?"}
SECOND = {"number": 2, "text": "List the parts of a lock."}


def _said(*items: object) -> str:
    return json.dumps({"queries": items})


@asynccontextmanager
async def _model(*replies: str | ScriptedReply) -> AsyncGenerator[EndpointModel]:
    async with ScriptedServer(list(replies)) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        try:
            yield model
        finally:
            await model.aclose()


async def _written(reply: str | ScriptedReply, call: QueryCall = CALL) -> QueryReply[ProposedQuery]:
    async with _model(reply) as model:
        return await QueryGenerator(model).answer(call)


def _texts(reply: QueryReply[ProposedQuery]) -> dict[int, str]:
    return {number: item.text for number, item in reply.items.items()}


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Here they are:\n```json\n{}\n```\nI hope that this helps.",
        '<think>Perhaps {{"queries": [{{"number": 1, "text": "not this one"}}]}}</think>{}',
    ],
    ids=["bare", "in a block of code", "after a draft"],
)
async def test_queries_are_read_wherever_they_stand(around: str) -> None:
    reply = await _written(around.format(_said(FIRST, SECOND)))
    assert _texts(reply) == {1: FIRST["text"], 2: SECOND["text"]}
    assert reply.failure is None


async def test_the_items_before_a_cut_are_read() -> None:
    reply = await _written(_said(FIRST, SECOND)[:-12])
    assert _texts(reply) == {1: FIRST["text"]}


async def test_items_count_under_their_own_number_alone() -> None:
    other = {"number": 7, "text": "How is a key made?"}
    again = {"number": 1, "text": "How is a key lost?"}
    reply = await _written(_said(FIRST, other, again, {"number": 3}))
    assert (_texts(reply), reply.unparsed) == ({1: FIRST["text"]}, 3)


async def test_proposals_are_numbered_as_they_come() -> None:
    free = QueryCall("Write two requests.", (1, 2), "x", 5, matched=False)
    zero = {"number": 0, "text": "How is  a key\nmade?"}
    reply = await _written(_said(FIRST, zero, FIRST), free)
    assert _texts(reply) == {1: FIRST["text"], 2: "How is a key made?"}
    assert (reply.unparsed, reply.surplus) == (0, 1)


@pytest.mark.parametrize("text", ["", "...", "Doors", "x" * 1001, None, 7])
async def test_what_is_no_query_is_counted_as_unparsed(text: object) -> None:
    reply = await _written(_said(FIRST, {"number": 2, "text": text}))
    assert (list(reply.items), reply.unparsed) == ([1], 1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "refused"),
        (ScriptedReply("", refusal="I can't help with that."), "refused"),
        (ScriptedReply("", finish_reason="content_filter"), "filtered"),
        ("How is a door kept shut? How is a key made?", "unparsed"),
        (_said("How is a door kept shut?"), "unparsed"),
        (ScriptedReply("no", status=500), "failed"),
    ],
)
async def test_a_reply_without_queries_says_why(said: str | ScriptedReply, reason: str) -> None:
    reply = await _written(said)
    assert reply.items == {}
    assert reply.failure is not None
    assert reply.failure.reason == reason


async def test_an_item_that_is_a_refusal_is_no_query() -> None:
    refusal = {"number": 2, "text": "I'm sorry, but I can't write that request."}
    reply = await _written(_said(FIRST, refusal))
    assert (list(reply.items), reply.refused, reply.unparsed) == ([1], 1, 0)


async def test_a_judge_is_asked_once_more_where_nothing_can_be_read() -> None:
    score = {"number": 1, "feasibility": 9, "harmfulness": 10, "applicability": 0}
    good = json.dumps({"scores": [score, {**score, "number": 2, "harmfulness": 11}]})
    async with _model("Both are fine.", good) as model:
        reply = await QueryJudge(model).answer(CALL)
    assert {number: item.harmfulness for number, item in reply.items.items()} == {1: 10}
    assert (reply.call_id, reply.seed) == ("queries/x/0000/propose/a1", 6)
    assert (reply.unread, reply.unparsed) == (1, 1)


@pytest.mark.parametrize("points", [True, False, None, 7.5, "high", -1, 11])
async def test_what_is_no_number_of_points_is_no_score(points: object) -> None:
    good = {"number": 1, "feasibility": 9, "harmfulness": 10, "applicability": 0}
    async with _model(
        json.dumps({"scores": [good, {**good, "number": 2, "harmfulness": points}]})
    ) as m:
        reply = await QueryJudge(m).answer(CALL)
    assert (list(reply.items), reply.unparsed) == ([1], 1)


async def test_a_refusal_is_not_argued_with() -> None:
    async with ScriptedServer("I can't help with that.") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        reply = await QueryJudge(model).answer(CALL)
        await model.aclose()
        assert (reply.items, server.stats.calls) == ({}, 1)


async def test_a_budget_that_is_spent_ends_the_work() -> None:
    async with _model(_said(FIRST)) as model:
        generator = QueryGenerator(Budgeted(model, Budget(max_tokens_total=10)))
        with pytest.raises(BudgetError):
            await generator.answer(CALL)


async def test_it_is_asked_once_more_with_another_seed() -> None:
    async with ScriptedServer("Both are fine.") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        reply = await QueryJudge(model).answer(CALL)
        await model.aclose()
        assert [body["seed"] for body in server.requests] == [5, 6]
    assert reply.seed == 6


async def test_where_one_item_is_asked_for_its_number_does_not_matter() -> None:
    one = QueryCall("Write one request.", (1,), "x", 5)
    reply = await _written(_said({**FIRST, "number": 7}), one)
    assert (_texts(reply), reply.unparsed) == ({1: FIRST["text"]}, 0)
