"""What was really sent is kept as evidence where that is asked for."""

import hashlib
import json
from pathlib import Path

import pytest

from safejury.datasets import Media
from safejury.models import (
    AudioPart,
    Cached,
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    EndpointModel,
    ImagePart,
    JsonSchema,
    LiteLLMModel,
    ResponseCache,
    Sampling,
    SentRequest,
    TextPart,
)
from safejury.testing import ScriptedServer

SCHEMA = JsonSchema("answer", {"type": "object", "properties": {"finding": {"type": "string"}}})


def medium(path: Path, data: bytes, media_type: str) -> Media:
    path.write_bytes(data)
    return Media(hashlib.sha256(data).hexdigest(), media_type, len(data), str(path))


def hello(*, keep_sent: bool = True) -> ChatRequest:
    return ChatRequest(
        (ChatMessage.of("system", "Be brief."), ChatMessage.of("user", "Hello")),
        json_schema=SCHEMA,
        sampling=Sampling(temperature=0.5, top_p=0.9),
        seed=7,
        max_tokens=50,
        keep_sent=keep_sent,
    )


async def completed(model: ChatModel, request: ChatRequest) -> Completion:
    try:
        return await model.complete(request)
    finally:
        await model.aclose()


def evidence(completion: Completion) -> SentRequest:
    assert completion.sent is not None
    return completion.sent


async def test_the_body_that_is_kept_is_the_one_that_was_sent():
    async with ScriptedServer("fine") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        sent = evidence(await completed(model, hello()))
    assert json.loads(sent.body) == server.requests[0]
    assert sent.sha256 == hashlib.sha256(sent.body.encode()).hexdigest()
    assert (sent.media, sent.dropped) == ((), ())


async def test_nothing_is_kept_unless_it_is_asked_for():
    async with ScriptedServer("fine") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        assert (await completed(model, hello(keep_sent=False))).sent is None


async def test_media_stand_in_the_body_by_hash_type_and_size(tmp_path: Path):
    image = medium(tmp_path / "a.png", b"pixels" * 1000, "image/png")
    sound = medium(tmp_path / "a.wav", b"sound", "audio/wav")
    parts = (ImagePart(image), AudioPart(sound), TextPart("What is this?"))
    request = ChatRequest((ChatMessage("user", parts),), keep_sent=True)
    async with ScriptedServer("fine") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        sent = evidence(await completed(model, request))
    assert sent.media == (image, sound)
    content = json.loads(sent.body)["messages"][0]["content"]
    assert content[0]["image_url"]["url"] == f"sha256:{image.sha256};image/png;6000"
    assert content[1]["input_audio"] == {
        "data": f"sha256:{sound.sha256};audio/wav;5",
        "format": "wav",
    }
    assert content[2] == {"type": "text", "text": "What is this?"}


async def test_equal_requests_have_equal_hashes_and_others_do_not():
    async with ScriptedServer("fine") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        first = evidence(await model.complete(hello()))
        again = evidence(await model.complete(hello()))
        other = evidence(
            await model.complete(ChatRequest((ChatMessage.of("user", "Hi"),), keep_sent=True))
        )
        await model.aclose()
    assert first == again
    assert first.sha256 != other.sha256


async def test_what_was_dropped_is_listed_and_not_in_the_body():
    async with ScriptedServer("fine", quirks=["no_seed", "max_completion_tokens"]) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        sent = evidence(await completed(model, hello()))
    body = json.loads(sent.body)
    assert sent.dropped == ("seed",)
    assert body == server.requests[-1]
    assert "seed" not in body
    assert body["max_completion_tokens"] == 50


async def test_a_request_that_a_filter_rejected_is_kept_too():
    request = ChatRequest((ChatMessage.of("user", "Trip the filter."),), keep_sent=True)
    async with ScriptedServer("fine", quirks=["azure_filter"]) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        answer = await completed(model, request)
    assert answer.filtered
    assert "Trip the filter." in evidence(answer).body


async def test_evidence_outlives_the_cache(tmp_path: Path):
    store = ResponseCache(tmp_path / "answers.sqlite")
    async with ScriptedServer("fine") as server:
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), store)
        first = await model.complete(hello())
        second = await completed(model, hello())
    store.close()
    assert second.reused
    assert second.sent == first.sent is not None


@pytest.mark.slow
async def test_through_litellm_the_request_that_it_was_given_is_kept():
    async with ScriptedServer("fine", quirks=["no_seed"]) as server:
        model = LiteLLMModel("openai/x", api_key="sk-scripted-0123", api_base=server.base_url)
        answer = await completed(model, hello())
    sent = evidence(answer)
    body = json.loads(sent.body)
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("openai/x", 0.5, 50)
    assert "seed" not in body
    assert sent.dropped == ("seed",)
    assert answer.notes == ("the provider does not take seed; it was left out",)


async def test_litellm_learns_the_same_dialect():
    async with ScriptedServer("fine", quirks=["no_system", "no_schema", "no_top_p"]) as server:
        model = LiteLLMModel("openai/x", api_key="sk-scripted-0123", api_base=server.base_url)
        first = await model.complete(hello())
        again = await completed(model, hello())
    assert first.notes == again.notes
    assert len(first.notes) == 3
    assert server.stats.calls == 5
    assert [message["role"] for message in json.loads(evidence(again).body)["messages"]] == ["user"]
