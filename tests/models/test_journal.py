"""A journal pays for each call of a run once."""

import pytest

from safejury.common import ModelError
from safejury.models import (
    Budget,
    Budgeted,
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    Journaled,
    Price,
)
from safejury.testing import ScriptedReply, ScriptedServer


class Notebook:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[str, Completion]] = {}

    def find(self, call_id: str, key: str) -> Completion | None:
        found = self.lines.get(call_id)
        return found[1] if found is not None and found[0] == key else None

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        self.lines[call_id] = key, completion


def ask(text: str = "hello", call_id: str = "case/0/one/0") -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), call_id=call_id)


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply("x"),
        ScriptedReply(refusal="no"),
        ScriptedReply(status=400, code="content_filter"),
    ],
)
async def test_a_repeated_call_is_replayed_with_what_it_cost(reply: ScriptedReply):
    notebook = Notebook()
    async with ScriptedServer(reply) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Journaled(Budgeted(endpoint, Budget(), Price(1, 2)), notebook)
        first = await model.complete(ask())
        second = await model.complete(ask())
        await model.aclose()
    assert server.stats.calls == 1
    assert (first.reused, second.reused) == (False, True)
    assert (second.usage, second.cost_usd) == (first.usage, first.cost_usd)
    assert (second.text, second.refusal, second.filtered) == (
        first.text,
        first.refusal,
        first.filtered,
    )


async def test_another_id_another_request_or_none_is_a_call_of_its_own():
    notebook = Notebook()
    async with ScriptedServer("x") as server:
        model = Journaled(EndpointModel(base_url=server.base_url, model="m"), notebook)
        for request in (ask(), ask(call_id="case/0/two/0"), ask("changed"), ask(call_id="")):
            assert not (await model.complete(request)).reused
        assert not (await model.complete(ask(call_id=""))).reused
        await model.aclose()
    assert server.stats.calls == 5
    assert set(notebook.lines) == {"case/0/one/0", "case/0/two/0"}


async def test_a_replayed_call_is_not_charged_to_the_budget_again():
    budget = Budget()
    async with ScriptedServer("x") as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Budgeted(Journaled(endpoint, Notebook()), budget, Price(1, 2))
        await model.complete(ask())
        spent = budget.spent_tokens
        await model.complete(ask())
        await model.aclose()
    assert budget.spent_tokens == spent > 0


async def test_failures_are_not_journaled():
    notebook = Notebook()
    async with ScriptedServer([ScriptedReply(status=500), "fine"]) as server:
        model = Journaled(EndpointModel(base_url=server.base_url, model="m"), notebook)
        with pytest.raises(ModelError):
            await model.complete(ask())
        assert notebook.lines == {}
        assert (await model.complete(ask())).text == "fine"
        await model.aclose()
