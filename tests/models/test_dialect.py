"""What servers reject is asked for otherwise: once, from then on, and never in silence."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from safejury.common import ModelError, RequestError, TransportError
from safejury.models import ChatMessage, ChatRequest, EndpointModel, JsonSchema, Sampling
from safejury.testing import QUIRKS, Quirk, ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")

SCHEMA = JsonSchema("answer", {"type": "object", "properties": {"finding": {"type": "string"}}})
FULL = ChatRequest(
    (ChatMessage.of("system", "Be brief."), ChatMessage.of("user", "Hello")),
    sampling=Sampling(temperature=0.5, top_p=0.9),
    seed=7,
    max_tokens=50,
    json_schema=SCHEMA,
    keep_sent=True,
)
NO_SEED = "the provider does not take seed; it was left out"
NO_TEMPERATURE = "the provider does not take temperature; it was left out"
NO_TOP_P = "the provider does not take top_p; it was left out"
RENAMED = "the server does not take max_tokens; the cap was sent as max_completion_tokens"
IN_WORDS = "the server does not take json_schema; the schema was asked for in words"
MERGED = "the server takes no system messages; they were put before the first user message"


@asynccontextmanager
async def connected(
    reply: Any = "fine", **options: Any
) -> AsyncGenerator[tuple[ScriptedServer, EndpointModel]]:
    async with ScriptedServer(reply, **options) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        try:
            yield server, model
        finally:
            await model.aclose()


def picky(word: str, rejection: ScriptedReply) -> Any:
    """Return a script that rejects every request with `word` at its top level."""

    def reply(body: Mapping[str, object]) -> ScriptedReply | str:
        return rejection if word in body else "fine"

    return reply


@pytest.mark.parametrize(
    ("quirk", "note", "gone", "there"),
    [
        ("no_seed", NO_SEED, "seed", None),
        ("no_temperature", NO_TEMPERATURE, "temperature", None),
        ("no_top_p", NO_TOP_P, "top_p", None),
        ("max_completion_tokens", RENAMED, "max_tokens", "max_completion_tokens"),
        ("no_schema", IN_WORDS, "response_format", None),
        ("gemini", NO_SEED, "seed", None),
        ("anthropic", NO_TOP_P, "top_p", "temperature"),
        ("mistral", NO_SEED, "seed", None),
    ],
)
async def test_a_rejected_parameter_costs_one_call_and_is_noted_ever_after(
    quirk: Quirk, note: str, gone: str, there: str | None
):
    async with connected(quirks=[quirk]) as (server, model):
        first, second = await model.complete(FULL), await model.complete(FULL)
    assert (first.text, second.text) == ("fine", "fine")
    assert first.notes == second.notes == (note,)
    assert [gone in body for body in server.requests] == [True, False, False]
    assert there is None or there in server.requests[-1]


async def test_system_messages_go_before_the_first_user_message():
    async with connected(quirks=["no_system"]) as (server, model):
        answer = await model.complete(FULL)
        await model.complete(FULL)
    assert answer.notes == (MERGED,)
    assert server.stats.calls == 3
    assert server.requests[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHello"}]


async def test_a_server_that_takes_next_to_nothing_is_learned_step_by_step():
    quirks: list[Quirk] = [
        "max_completion_tokens",
        "no_seed",
        "no_temperature",
        "no_top_p",
        "no_system",
        "no_schema",
    ]
    async with connected(quirks=quirks) as (server, model):
        answer = await model.complete(FULL)
        again = await model.complete(FULL)
    assert set(answer.notes) == {RENAMED, NO_SEED, NO_TEMPERATURE, NO_TOP_P, MERGED, IN_WORDS}
    assert again.notes == answer.notes
    assert server.stats.calls == len(quirks) + 2
    assert set(server.requests[-1]) == {"model", "messages", "max_completion_tokens"}
    assert answer.sent is not None
    assert set(answer.sent.dropped) == {"seed", "temperature", "top_p"}


async def test_what_a_request_does_not_have_is_not_said_to_be_missing():
    async with connected(quirks=["no_seed", "no_system"]) as (server, model):
        await model.complete(FULL)
        plain = await model.complete(ChatRequest((ChatMessage.of("user", "Hello"),)))
    assert plain.notes == ()
    assert set(server.requests[-1]) == {"model", "messages"}


async def test_servers_without_n_are_no_obstacle():
    async with connected(quirks=["no_n"]) as (server, model):
        assert (await model.complete(FULL)).notes == ()
    assert server.stats.calls == 1


async def test_greedy_sampling_leaves_out_the_share_that_it_does_not_use():
    greedy = ChatRequest(
        (ChatMessage.of("user", "Hello"),), sampling=Sampling(temperature=0.0, top_p=0.9)
    )
    async with connected(quirks=["mistral"]) as (_, model):
        assert (await model.complete(greedy)).notes == (NO_TOP_P,)


@pytest.mark.parametrize(
    ("status", "rejection"),
    [
        (400, '{"error": {"message": "property \'seed\' is unsupported"}}'),
        (400, '{"error": "json: unknown field \\"seed\\""}'),
        (422, '{"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}'),
        (
            400,
            (
                '{"error": {"message": "1 validation error for Request\\nbody -> seed\\n'
                '  extra fields not permitted (type=value_error.extra)"}}'
            ),
        ),
        (400, '{"error": {"message": "no", "param": "seed", "code": "unknown_parameter"}}'),
        (
            422,
            (
                '{"object": "Error", "message": [{"type": "extra_forbidden", "loc": ["body",'
                ' "seed"], "msg": "Extra inputs are not permitted", "input": 7}], "code": 3001}'
            ),
        ),
        (
            400,
            (
                '{"object": "error", "message": "[{\'type\': \'extra_forbidden\', \'loc\':'
                " ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': 42}]\"}"
            ),
        ),
        (500, '{"error": {"message": "seed is not supported by this backend"}}'),
    ],
)
async def test_the_same_complaint_in_the_words_of_many_servers(status: int, rejection: str):
    script = picky("seed", ScriptedReply(status=status, raw_body=rejection))
    async with connected(script) as (server, model):
        assert (await model.complete(FULL)).notes == (NO_SEED,)
    assert server.stats.calls == 2


@pytest.mark.parametrize(
    "complaint",
    [
        "temperature must be between 0 and 1",
        "max_tokens is too large: 50. This model supports at most 16 completion tokens",
        "This model's maximum context length is 16 tokens; your messages and schema are too long",
        "At most 1 image(s) may be provided in one prompt",
        "seed must be positive",
        "the request is wrong",
    ],
)
async def test_a_value_that_is_wrong_is_an_error_and_teaches_nothing(complaint: str):
    async with connected(ScriptedReply(complaint, status=400)) as (server, model):
        with pytest.raises(RequestError, match="rejected"):
            await model.complete(FULL)
    assert server.stats.calls == 1


async def test_a_lesson_that_did_not_help_is_not_kept():
    replies = [ScriptedReply("seed is not supported", status=400)] * 2 + [ScriptedReply("fine")]
    async with connected(replies) as (server, model):
        with pytest.raises(RequestError):
            await model.complete(FULL)
        assert (await model.complete(FULL)).notes == ()
    assert ["seed" in body for body in server.requests] == [True, False, True]


async def test_a_rejection_inside_a_200_teaches_too():
    inline = ScriptedReply(raw_body='{"error": {"code": 400, "message": "seed is unsupported"}}')
    async with connected(picky("seed", inline)) as (_, model):
        assert (await model.complete(FULL)).notes == (NO_SEED,)


async def test_words_of_the_prompt_that_a_rejection_quotes_teach_nothing():
    quote = (
        '{"detail": [{"loc": ["body", "messages"], "msg": "Field required",'
        ' "input": "seed is not supported, temperature is not supported"}]}'
    )
    async with connected(ScriptedReply(status=422, raw_body=quote)) as (server, model):
        with pytest.raises(RequestError):
            await model.complete(FULL)
    assert server.stats.calls == 1


@pytest.mark.parametrize("quirk", ["azure_filter", "gemini"])
async def test_filters_are_outcomes_and_let_the_rest_through(quirk: Quirk):
    async with connected(quirks=[quirk]) as (_, model):
        caught = await model.complete(ChatRequest((ChatMessage.of("user", "Trip the filter."),)))
        passed = await model.complete(ChatRequest((ChatMessage.of("user", "Hello"),)))
    assert (caught.text, caught.finish_reason) == ("", "content_filter")
    assert caught.notes
    assert (passed.text, passed.finish_reason) == ("fine", "stop")


async def test_reasoning_alone_is_no_answer():
    async with connected(quirks=["reasoning_empty"]) as (_, model):
        answer = await model.complete(FULL)
    assert (answer.text, answer.finish_reason) == ("", "length")
    assert answer.notes == ("the reply has reasoning but no answer",)


async def test_what_a_server_reads_over_is_not_noticed():
    """Anthropic's compatible API takes a schema and does not hold to it."""
    async with connected(None, quirks=["anthropic"]) as (_, model):
        answer = await model.complete(
            ChatRequest((ChatMessage.of("user", "Hello"),), json_schema=SCHEMA)
        )
    assert answer.text.startswith("This is scripted answer")
    assert answer.notes == ()


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_each_quirk_alone_ends_in_a_completion(quirk: Quirk):
    async with connected(quirks=[quirk]) as (_, model):
        assert (await model.complete(FULL)).finish_reason in ("stop", "length")


async def test_a_server_that_fails_is_not_asked_otherwise():
    async with connected(ScriptedReply("internal error", status=500)) as (server, model):
        with pytest.raises(TransportError):
            await model.complete(FULL)
    assert server.stats.calls == 1


async def test_a_filter_that_names_a_parameter_is_a_filter():
    body = '{"error": {"code": "content_filter", "message": "seed is not supported"}}'
    async with connected(ScriptedReply(status=400, raw_body=body)) as (server, model):
        assert (await model.complete(FULL)).filtered
    assert server.stats.calls == 1


async def test_errors_after_the_dialect_was_learned_are_still_errors():
    def reply(body: Mapping[str, object]) -> ScriptedReply:
        if "seed" in body:
            return ScriptedReply("seed is not supported", status=400)
        return ScriptedReply("busy", status=503)

    async with connected(reply) as (_, model):
        with pytest.raises(ModelError, match="busy"):
            await model.complete(FULL)
