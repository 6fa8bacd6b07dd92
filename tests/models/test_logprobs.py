"""Token probabilities are asked for only on request, and kept with the completion."""

import json
from pathlib import Path

import msgspec
import pytest

from safejury.common import BadReplyError, RequestError
from safejury.models import (
    Cached,
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    ResponseCache,
    TokenLogprobs,
)
from safejury.models.endpoint import ModerationModel
from safejury.testing import ScriptedReply, ScriptedServer

ASKED = (ChatMessage.of("user", "Hello."),)
SURE = ScriptedReply("Yes", logprobs=[("Yes", {"Yes": 0.5, "No": 0.25})])


def test_a_request_without_them_is_the_same_as_before_they_could_be_asked_for() -> None:
    """What earlier versions kept is found again."""
    known = "266fc80d65e6b10a4926755677b26efd1a11d4c208e91047b856b27349f3f4d3"
    assert ChatRequest(ASKED, seed=7).key("m") == known
    assert ChatRequest(ASKED, seed=7, top_logprobs=5).key("m") != known
    assert b"logprobs" not in msgspec.json.encode(Completion("x", "stop"))


async def test_a_cached_completion_has_them_too(tmp_path: Path) -> None:
    async with ScriptedServer(SURE) as server:
        cache = ResponseCache(tmp_path / "cache")
        model = Cached(EndpointModel(base_url=server.base_url, model="m"), cache)
        request = ChatRequest(ASKED, top_logprobs=2)
        first, again = await model.complete(request), await model.complete(request)
        plain = await model.complete(ChatRequest(ASKED))
        await model.aclose()
        cache.close()
    assert again.reused
    assert first.logprobs == again.logprobs
    assert isinstance(first.logprobs, tuple)
    (token,) = first.logprobs
    assert isinstance(token, TokenLogprobs)
    assert dict(token.top) == pytest.approx({"Yes": -0.6931, "No": -1.3863}, abs=1e-3)
    assert not plain.logprobs


@pytest.mark.parametrize("said", ['{"token_logprobs": [-0.1]}', "[]", '{"content": null}', "0"])
async def test_those_of_another_form_are_left_out(said: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": "Yes"}}, "logprobs": {said}}}]}}'
    async with ScriptedServer(ScriptedReply(raw_body=body)) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        completion = await model.complete(ChatRequest(ASKED, top_logprobs=2))
        await model.aclose()
    assert completion.text == "Yes"
    assert not completion.logprobs


async def test_a_moderations_api_is_reached_like_a_chat_model() -> None:
    """Its result is the reply's text; an address without /v1 is tried with it."""
    result = {"flagged": True, "categories": {"hate": True}}
    async with ScriptedServer(json.dumps(result), base_path="/v1", api_key="k") as server:
        model = ModerationModel(
            base_url=server.base_url.removesuffix("/v1"), model="m", api_key="k"
        )
        completion = await model.complete(ChatRequest(ASKED, seed=7, max_tokens=9, keep_sent=True))
        await model.aclose()
    assert json.loads(completion.text) == result
    assert server.requests == [{"model": "m", "input": "Hello."}]
    assert completion.sent is not None
    assert json.loads(completion.sent.body) == server.requests[0]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (ScriptedReply("no such model", status=404), RequestError),
        (ScriptedReply(raw_body='{"results": []}'), BadReplyError),
        (ScriptedReply(raw_body='{"results": 1}'), BadReplyError),
        (ScriptedReply(raw_body="<html>"), BadReplyError),
    ],
)
async def test_what_is_no_moderation_is_an_error(
    reply: ScriptedReply, error: type[Exception]
) -> None:
    async with ScriptedServer(reply) as server:
        model = ModerationModel(base_url=server.base_url, model="m")
        with pytest.raises(error):
            await model.complete(ChatRequest(ASKED))
        await model.aclose()
