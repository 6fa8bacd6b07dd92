import base64
import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safejury.common import FirstContactError
from safejury.datasets import Intent, Media, Message, MessagePart, Query, ToolCall, of_messages
from safejury.models import (
    Budget,
    Budgeted,
    ChatMessage,
    ChatRequest,
    EndpointModel,
    FirstContact,
    Modality,
    Sampling,
    estimate_prompt_tokens,
)
from safejury.targets import ModelTarget, Response, ResponseOutcome
from safejury.testing import ScriptedReply, ScriptedServer

Body = Mapping[str, Any]
TEXT: frozenset[Modality] = frozenset({"text"})
ALL: frozenset[Modality] = frozenset({"text", "image", "audio"})


def _query(images: tuple[Media, ...] = (), audio: Media | None = None) -> Query:
    return Query("q1", "consultation.legal_advice", "How?", Intent.HARMFUL, images, audio)


def _media(path: Path, media_type: str) -> Media:
    data = path.read_bytes()
    return Media(hashlib.sha256(data).hexdigest(), media_type, len(data), str(path))


@pytest.fixture
def picture(tmp_path: Path) -> Media:
    path = tmp_path / "picture.jpg"
    Image.linear_gradient("L").save(path, quality=71, comment=b"kept as it is")
    return _media(path, "image/jpeg")


@pytest.fixture
def sound(tmp_path: Path) -> Media:
    path = tmp_path / "sound.wav"
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt nothing that anybody plays")
    return _media(path, "audio/wav")


@asynccontextmanager
async def _target(
    server: ScriptedServer, *, name: str = "t", modalities: frozenset[Modality] = ALL
) -> AsyncGenerator[ModelTarget, None]:
    model = EndpointModel(base_url=server.base_url, model=name, modalities=modalities)
    target = ModelTarget(name, model, max_tokens=77, seed=7, sampling=Sampling(0.5, 0.9))
    try:
        yield target
    finally:
        await target.aclose()


async def _respond(reply: str | ScriptedReply, query: Query | None = None) -> Response:
    async with ScriptedServer(reply) as server, _target(server) as target:
        return await target.respond(query or _query(), epoch=0, call_id="q1/t/0/target")


async def test_every_target_gets_the_same_prompt_cap_and_seed(picture: Media) -> None:
    bodies: list[Body] = []
    async with ScriptedServer("Thus.") as server:
        for name in ("one", "two"):
            async with _target(server, name=name) as target:
                assert target.name == name
                await target.respond(_query((picture,)), epoch=0, call_id=f"q1/{name}/0/target")
    for body in server.requests:
        rest = dict(body)
        rest.pop("model")
        bodies.append(rest)
    assert bodies[0] == bodies[1]
    assert (bodies[0]["max_tokens"], bodies[0]["seed"]) == (77, 7)
    assert (bodies[0]["temperature"], bodies[0]["top_p"]) == (0.5, 0.9)
    assert [message["role"] for message in bodies[0]["messages"]] == ["user"]
    assert "response_format" not in bodies[0]


async def test_each_epoch_has_its_own_seed() -> None:
    async with ScriptedServer("Thus.") as server, _target(server) as target:
        for epoch in (0, 1, 2, 1):
            await target.respond(_query(), epoch=epoch, call_id=f"q1/t/{epoch}/target")
    assert [body["seed"] for body in server.requests] == [7, 8, 9, 8]


async def test_the_picture_comes_first_and_byte_for_byte(picture: Media, sound: Media) -> None:
    async with ScriptedServer("Thus.") as server, _target(server) as target:
        response = await target.respond(_query((picture,), sound), epoch=0, call_id="c")
    (message,) = _messages(server.requests[0])
    assert [part["type"] for part in message["content"]] == ["image_url", "input_audio", "text"]
    head, _, data = message["content"][0]["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(data) == picture.read()
    heard = message["content"][1]["input_audio"]
    assert base64.b64decode(heard["data"]) == sound.read()
    assert message["content"][2]["text"] == "How?"
    assert response.notes == ()


async def test_what_a_model_does_not_take_is_withheld_and_noted(
    picture: Media, sound: Media
) -> None:
    async with (
        ScriptedServer("Thus.") as server,
        _target(server, modalities=TEXT) as target,
    ):
        response = await target.respond(_query((picture,), sound), epoch=0, call_id="c")
    assert _messages(server.requests[0]) == [{"role": "user", "content": "How?"}]
    assert response.outcome is ResponseOutcome.ANSWERED
    assert [note.partition(":")[0] for note in response.notes] == [
        "the picture was withheld",
        "the sound was withheld",
    ]


async def test_a_withheld_picture_is_noted_even_where_the_call_fails(picture: Media) -> None:
    async with (
        ScriptedServer(ScriptedReply("boom", status=500)) as server,
        _target(server, modalities=TEXT) as target,
    ):
        response = await target.respond(_query((picture,)), epoch=0, call_id="c")
    assert response.outcome is ResponseOutcome.ERROR
    assert response.notes


def _messages(body: Body) -> list[dict[str, Any]]:
    return list(body["messages"])


async def test_an_answer_carries_what_it_took() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    response = await _respond(ScriptedReply("Thus.", usage=usage))
    assert (response.outcome, response.text) == (ResponseOutcome.ANSWERED, "Thus.")
    assert (response.detail, response.finish_reason) == (None, "stop")
    assert (response.provider_model, response.calls) == ("scripted", 1)
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (10, 3)
    assert response.latency_s > 0


ANSWERS = [
    (ScriptedReply("I'm sorry, I can't help with that."), "I'm sorry, I can't help with that."),
    (ScriptedReply(no_content=True, refusal="I won't."), "I won't."),
    (ScriptedReply(" \n", refusal="I won't."), "I won't."),
    (ScriptedReply("Thus.", refusal="I won't."), "Thus."),
    (ScriptedReply("Thus.", finish_reason=None), "Thus."),
    (ScriptedReply("Thus.", finish_reason="eos"), "Thus."),
    (ScriptedReply(content=[{"type": "text", "text": "Thus."}]), "Thus."),
]


@pytest.mark.parametrize(("reply", "text"), ANSWERS)
async def test_words_and_refusals_in_words_are_answers(reply: ScriptedReply, text: str) -> None:
    response = await _respond(reply)
    assert (response.outcome, response.text) == (ResponseOutcome.ANSWERED, text)
    assert response.detail is None


FAILURES = [
    (ScriptedReply("Thu", finish_reason="content_filter"), ResponseOutcome.FILTERED, "Thu"),
    (ScriptedReply("", finish_reason="content_filter"), ResponseOutcome.FILTERED, ""),
    (ScriptedReply("no", status=400, code="content_filter"), ResponseOutcome.FILTERED, ""),
    (
        ScriptedReply("Thus far and", finish_reason="length"),
        ResponseOutcome.TRUNCATED,
        "Thus far and",
    ),
    (ScriptedReply("", finish_reason="length"), ResponseOutcome.TRUNCATED, ""),
    (ScriptedReply(""), ResponseOutcome.ERROR, ""),
    (ScriptedReply(" \n "), ResponseOutcome.ERROR, " \n "),
    (ScriptedReply(no_content=True), ResponseOutcome.ERROR, ""),
    (ScriptedReply(no_content=True, reasoning="Let me see."), ResponseOutcome.ERROR, ""),
    (ScriptedReply("boom", status=500), ResponseOutcome.ERROR, ""),
    (ScriptedReply("slower", status=429), ResponseOutcome.ERROR, ""),
    (ScriptedReply("bad", status=400), ResponseOutcome.ERROR, ""),
    (ScriptedReply(drop=True), ResponseOutcome.ERROR, ""),
    (ScriptedReply("Thus.", truncate=True), ResponseOutcome.ERROR, ""),
    (ScriptedReply(raw_body=b"<html>It works</html>"), ResponseOutcome.ERROR, ""),
]


@pytest.mark.parametrize(("reply", "outcome", "text"), FAILURES)
async def test_what_is_no_answer_has_an_outcome_of_its_own(
    reply: ScriptedReply, outcome: ResponseOutcome, text: str
) -> None:
    response = await _respond(reply)
    assert (response.outcome, response.text) == (outcome, text)
    assert response.detail
    assert "\n" not in response.detail
    assert response.calls == 1


@pytest.mark.parametrize(
    ("reply", "cost"),
    [
        (ScriptedReply("slower", status=429), 0.0),
        (ScriptedReply("bad", status=400), 0.0),
        (ScriptedReply("boom", status=500), None),
        (ScriptedReply(drop=True), None),
    ],
)
async def test_a_rejected_call_costs_nothing_and_a_broken_one_an_unknown_sum(
    reply: ScriptedReply, cost: float | None
) -> None:
    response = await _respond(reply)
    assert response.cost_usd == cost
    assert response.usage.total_tokens == 0


async def test_a_spent_budget_makes_no_call_and_costs_nothing() -> None:
    async with ScriptedServer("Thus.") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        poor = Budgeted(model, Budget(max_tokens_total=5))
        target = ModelTarget("t", poor, max_tokens=77, seed=None, sampling=Sampling())
        response = await target.respond(_query(), epoch=0, call_id="c")
        await target.aclose()
    assert (response.outcome, response.calls) == (ResponseOutcome.ERROR, 0)
    assert response.cost_usd == 0.0
    assert "max_tokens_total" in (response.detail or "")
    assert server.stats.calls == 0


async def test_a_target_that_never_answered_ends_the_run() -> None:
    async with ScriptedServer(ScriptedReply("no such model", status=404)) as server:
        model = FirstContact(EndpointModel(base_url=server.base_url, model="m"))
        target = ModelTarget("t", model, max_tokens=7, seed=None, sampling=Sampling())
        with pytest.raises(FirstContactError, match="404"):
            await target.respond(_query(), epoch=0, call_id="c")
        await target.aclose()
    assert "seed" not in server.requests[0]


async def test_a_conversation_is_put_turn_by_turn(picture: Media, sound: Media) -> None:
    call = ToolCall("look_up", '{"of": "it"}', "c1")
    turns = (
        Message("system", (MessagePart("text", "Be kind."),)),
        Message("user", (MessagePart("text", "This?"), MessagePart("image", media=picture))),
        Message("assistant", tool_calls=(call,)),
        Message("tool", (MessagePart("text", "A ramp."),), tool_call_id="c1", name="look_up"),
        Message("assistant", (MessagePart("text", "A ramp."),)),
        Message("user", (MessagePart("audio", media=sound), MessagePart("text", "And this?"))),
    )
    query = of_messages(_query(), turns)
    async with ScriptedServer("Thus.") as server:
        for modalities in (ALL, TEXT):
            async with _target(server, modalities=modalities) as target:
                response = await target.respond(query, epoch=0, call_id="c")
    sent, deaf = map(_messages, server.requests)
    assert [message["role"] for message in sent] == [turn.role for turn in turns]
    assert sent[0]["content"] == "Be kind."
    assert [part["type"] for part in sent[1]["content"]] == ["text", "image_url"]
    assert sent[1]["content"][1]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    called = {"name": "look_up", "arguments": '{"of": "it"}'}
    assert sent[2] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": called}],
    }
    result = {"role": "tool", "content": "A ramp.", "tool_call_id": "c1", "name": "look_up"}
    assert sent[3] == result
    assert [part["type"] for part in sent[5]["content"]] == ["input_audio", "text"]
    assert (deaf[1]["content"], deaf[5]["content"]) == ("This?", "And this?")
    assert len(response.notes) == 2


async def test_calls_of_tools_without_an_id_get_one_and_results_answer_them_in_order() -> None:
    """Providers reject a call without an id, and a result that answers none."""
    calls = (ToolCall("f", "{}"), ToolCall("g", "{}", "own"), ToolCall("h", "{}"))
    turns = (
        Message("assistant", tool_calls=calls),
        Message("tool", (MessagePart("text", "of f"),)),
        Message("tool", (MessagePart("text", "of g"),), tool_call_id="own"),
        Message("tool", (MessagePart("text", "of h"),)),
    )
    async with ScriptedServer("Thus.") as server, _target(server) as target:
        await target.respond(of_messages(_query(), turns), epoch=0, call_id="c")
    called, *results = _messages(server.requests[0])
    ids = [call["id"] for call in called["tool_calls"]]
    assert len({*ids, ""}) == 4
    assert ids[1] == "own"
    assert [result["tool_call_id"] for result in results] == ids


async def test_a_conversation_that_awaits_no_answer_is_not_put() -> None:
    turns = [Message("user", (MessagePart("text", "Hi"),)), Message("assistant")]
    response = await _respond("Thus.", of_messages(_query(), turns))
    assert response.outcome is ResponseOutcome.ERROR
    assert response.detail is not None
    assert "ends with a turn of the assistant" in response.detail
    assert response.calls == 0


async def test_tool_calls_count_toward_what_a_call_may_take() -> None:
    def tokens(arguments: str) -> int:
        turn = ChatMessage("assistant", (), tool_calls=(ToolCall("f", arguments),))
        return estimate_prompt_tokens(ChatRequest((turn,)))

    assert tokens("x" * 3000) - tokens("") == 1000


def test_the_key_of_a_request_depends_on_its_tool_calls_alone_where_it_has_some() -> None:
    def key(**more: Any) -> str:
        return ChatRequest((ChatMessage("assistant", (), **more),)).key("m")

    keys = [
        key(),
        key(tool_calls=(ToolCall("f", "{}"),)),
        key(tool_calls=(ToolCall("f", "{ }"),)),
        key(tool_call_id="c1"),
    ]
    assert len(set(keys)) == 4
