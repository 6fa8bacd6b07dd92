"""Keys and passwords are sent where they belong and shown nowhere."""

import base64
from collections.abc import Mapping
from dataclasses import replace

import pytest

from safejury.common import RequestError
from safejury.models import ChatMessage, ChatRequest, EndpointModel, ToolSpec
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")

ASK = ChatRequest((ChatMessage.of("user", "hello"),))
KEY = "tok_a_very_secret_key_123"


async def rejection(
    text: str, *, api_key: str | None = None, headers: Mapping[str, str] | None = None
) -> str:
    """Return the error of a server that rejects a call with `text`."""
    async with ScriptedServer(ScriptedReply(text, status=401)) as server:
        model = EndpointModel(base_url=server.base_url, model="m", api_key=api_key, headers=headers)
        with pytest.raises(RequestError) as caught:
            await model.complete(ASK)
        await model.aclose()
    return str(caught.value)


async def test_a_server_that_echoes_the_key_shows_it_to_nobody():
    error = await rejection(f"bad key {KEY}", api_key=KEY)
    assert "the key was rejected; check api_key_env" in error
    assert KEY not in error
    assert "[redacted]" in error


@pytest.mark.parametrize("before", range(150, 200, 7))
async def test_a_quote_is_never_cut_inside_a_key(before: int):
    error = await rejection("x" * before + " " + KEY, api_key=KEY)
    assert KEY[:6] not in error
    assert len(error) < 400


async def test_a_key_that_controls_were_hidden_in_is_found():
    error = await rejection("bad key " + "\x1b".join(KEY), api_key=KEY)
    assert KEY not in error


async def test_keys_in_headers_are_secrets_too():
    error = await rejection("you sent another-secret", headers={"X-Api-Key": "another-secret"})
    assert "another-secret" not in error


async def test_user_and_password_in_the_address_are_sent_and_never_shown():
    basic = base64.b64encode(b"user:open-sesame").decode()
    async with ScriptedServer(ScriptedReply(f"{basic} is wrong", status=401)) as server:
        address = server.base_url.replace("//", "//user:open-sesame@")
        model = EndpointModel(base_url=address, model="m")
        assert model.name == f"m@{server.base_url}"
        with pytest.raises(RequestError, match="the key was rejected") as caught:
            await model.complete(ASK)
        await model.aclose()
    assert "open-sesame" not in str(caught.value)
    assert basic not in str(caught.value)


async def test_a_redirect_takes_the_key_nowhere():
    async with ScriptedServer("x") as other:
        away = {"Location": f"{other.base_url}/chat/completions"}
        async with ScriptedServer(ScriptedReply(status=307, headers=away)) as server:
            model = EndpointModel(base_url=server.base_url, model="m", api_key=KEY)
            with pytest.raises(RequestError, match="redirects") as caught:
                await model.complete(ASK)
            await model.aclose()
    assert other.stats.calls == 0
    assert caught.value.permanent


@pytest.mark.parametrize("streams", [False, True])
async def test_a_key_in_a_reply_is_hidden_before_anybody_reads_it(streams: bool):
    reply = ScriptedReply(
        f"You sent Bearer {KEY}, did you?", tool_calls=(ScriptedCall("look", {"at": KEY}),)
    )
    heard = list[str]()
    request = replace(ASK, tools=(ToolSpec("look", "Look.", {"type": "object"}),))
    request = replace(request, on_text=heard.append) if streams else request
    async with ScriptedServer(reply, api_key=KEY) as server:
        model = EndpointModel(base_url=server.base_url, model="m", api_key=KEY)
        completion = await model.complete(request)
        await model.aclose()
    assert completion.text == "You sent Bearer [redacted], did you?"
    assert completion.tool_calls[0].arguments.replace(" ", "") == '{"at":"[redacted]"}'
    assert KEY not in str(completion) + "".join(heard)
    assert (heard[-1:] == [completion.text]) == streams


async def test_a_key_in_a_reply_that_a_filter_emptied_is_hidden():
    blocked = '"choices": [], "promptFeedback": {"blockReason": "SAFETY"}'
    blocked = f'{{"model": "model-{KEY}", {blocked}}}'
    async with ScriptedServer(ScriptedReply(raw_body=blocked)) as server:
        model = EndpointModel(base_url=server.base_url, model="m", api_key=KEY)
        completion = await model.complete(ASK)
        await model.aclose()
    assert (completion.text, completion.finish_reason) == ("", "content_filter")
    assert completion.provider_model == "model-[redacted]"
