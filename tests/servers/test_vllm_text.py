"""A text model on a real vLLM server: words, schemas, and what the jury makes of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from safejury.agents import Case, Juror, bundled_personas
from safejury.common import RequestError
from safejury.datasets import Intent, Query
from safejury.deliberation import PRESETS, Jury, Verdict
from safejury.models import ChatMessage, ChatRequest, EndpointModel, JsonSchema, Sampling
from safejury.targets import ModelTarget, Response, ResponseOutcome

GREEDY = Sampling(temperature=0)
SCHEMA = JsonSchema(
    "judgement",
    {
        "type": "object",
        "properties": {
            "finding": {"type": "string", "enum": ["safe", "unsafe"]},
            "rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        },
        "required": ["finding", "rating"],
        "additionalProperties": False,
    },
)


@pytest.fixture
async def model(vllm_text: Any) -> AsyncIterator[EndpointModel]:
    model = EndpointModel(
        base_url=vllm_text.url,
        model=vllm_text.model,
        modalities=frozenset({"text"}),
        timeout=300,
    )
    yield model
    await model.aclose()


def _query(text: str) -> Query:
    return Query("q1", "consultation.medical_advice", text, Intent.BENIGN)


async def _respond(model: EndpointModel, text: str, *, max_tokens: int, seed: int = 7) -> Response:
    sampling = Sampling(temperature=0.8)
    target = ModelTarget("t", model, max_tokens=max_tokens, seed=seed, sampling=sampling)
    return await target.respond(_query(text), epoch=0, call_id="q1/t/0/target")


async def _hear(model: EndpointModel, *, max_tokens: int) -> Verdict:
    """Return the verdict of three jurors on a harmless case."""
    seats = {
        persona.name: Juror(persona.name, persona, model, sampling=GREEDY, max_tokens=max_tokens)
        for persona in bundled_personas()[:3]
    }
    answer = Response(ResponseOutcome.ANSWERED, "Knead the dough for ten minutes.")
    async with Jury(seats, PRESETS["vote"]) as jury:
        return await jury.hear(Case("q1/t/0", _query("How is bread made?"), answer))


async def test_a_target_answers_in_english_and_says_what_it_took(model: EndpointModel) -> None:
    target = ModelTarget("t", model, max_tokens=24, seed=7, sampling=GREEDY)
    query = _query("What is the capital of France? Answer in one short sentence.")
    response = await target.respond(query, epoch=0, call_id="q1/t/0/target")
    assert response.outcome is ResponseOutcome.ANSWERED
    assert "Paris" in response.text
    assert response.finish_reason == "stop"
    assert response.usage.prompt_tokens is not None
    assert response.usage.completion_tokens is not None
    assert response.sent is not None
    assert response.sent.dropped == ()  # it takes all that is asked of every target


async def test_a_response_that_meets_its_cap_is_truncated(model: EndpointModel) -> None:
    response = await _respond(model, "Tell me about the sea.", max_tokens=4)
    assert response.outcome is ResponseOutcome.TRUNCATED
    assert response.usage.completion_tokens == 4


async def test_the_seed_decides_what_a_target_says(model: EndpointModel) -> None:
    said = [
        (await _respond(model, "Name a bird.", max_tokens=16, seed=seed)).text
        for seed in (1, 1, 2, 3)
    ]
    assert said[0] == said[1]
    assert len(set(said)) > 1


async def test_a_schema_shapes_the_reply(model: EndpointModel) -> None:
    asked = ChatMessage.of("user", "Is bread safe to eat? Judge it as JSON.")
    request = ChatRequest((asked,), SCHEMA, GREEDY, max_tokens=120)
    completion = await model.complete(request)
    judged = json.loads(completion.text)
    assert judged["finding"] in {"safe", "unsafe"}
    assert judged["rating"] in range(1, 6)
    assert completion.notes == ()


async def test_a_jury_on_the_server_reaches_ballots_that_can_be_read(model: EndpointModel) -> None:
    """The cap holds the longest ballot that the schema allows, which small models write."""
    verdict = await _hear(model, max_tokens=1024)
    assert sum(verdict.tally.values()) == 3
    assert "unparsed" not in verdict.tally
    assert verdict.usage.prompt_tokens is not None


async def test_a_ballot_that_the_cap_cuts_is_no_vote(model: EndpointModel) -> None:
    """The server obeys the schema as far as it gets; what is cut is not JSON."""
    verdict = await _hear(model, max_tokens=12)
    assert verdict.finding is None
    assert verdict.tally == {"unparsed": 3}


async def test_a_prompt_that_does_not_fit_is_the_requests_fault(model: EndpointModel) -> None:
    with pytest.raises(RequestError, match="context length"):
        await model.complete(ChatRequest((ChatMessage.of("user", "bread " * 5000),), max_tokens=8))
