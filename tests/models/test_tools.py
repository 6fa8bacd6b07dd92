"""Tools that models are offered, and replies that come as a stream."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import UNSET

from safejury.common import BadReplyError, ModelError, RequestError, TransportError
from safejury.datasets import ToolCall
from safejury.models import (
    Budget,
    Budgeted,
    Cached,
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    Journaled,
    JsonSchema,
    LiteLLMModel,
    OneTool,
    Price,
    RequestOptions,
    ResponseCache,
    ToolSpec,
    Usage,
    credible_usage,
    estimate_prompt_tokens,
    takes_tools,
    with_options,
)
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")

_SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
SEARCH = ToolSpec("search", "Looks a word up.", _SCHEMA)
CLOCK = ToolSpec("clock", "", {"type": "object", "properties": {}}, strict=True)
ASKED = ChatRequest((ChatMessage.of("user", "What is a quince?"),), tools=(SEARCH, CLOCK))
BOTH = ScriptedReply(
    "Let me see.", tool_calls=(ScriptedCall("search", {"q": "quince"}), ScriptedCall("clock"))
)


def _model(server: ScriptedServer) -> EndpointModel:
    return EndpointModel(base_url=server.base_url, model="m")


async def _say(reply: ScriptedReply | list[ScriptedReply | str], request: ChatRequest = ASKED):
    """Return what a model says, and what its server was sent."""
    async with ScriptedServer(reply=reply) as server:
        model = _model(server)
        try:
            completion = await model.complete(request)
        finally:
            await model.aclose()
        return completion, cast("list[dict[str, Any]]", server.requests)


async def test_tools_are_offered_and_called() -> None:
    said, [body] = await _say(BOTH)
    assert said.text == "Let me see."
    assert said.tool_calls == (
        ToolCall("search", '{"q":"quince"}', "call_1"),
        ToolCall("clock", "{}", "call_2"),
    )
    assert not said.is_empty
    search, clock = body["tools"]
    assert search == {
        "type": "function",
        "function": {"name": "search", "description": "Looks a word up.", "parameters": _SCHEMA},
    }
    assert clock["function"]["strict"] is True
    assert "tool_choice" not in body
    assert "stream" not in body


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("required", "required"),
        ("none", "none"),
        (OneTool("clock"), {"type": "function", "function": {"name": "clock"}}),
    ],
)
async def test_the_choice_of_tools_is_sent(choice: Any, sent: object) -> None:
    _, [body] = await _say(ScriptedReply("ok"), replace(ASKED, tool_choice=choice))
    assert body["tool_choice"] == sent


async def test_a_call_without_words_is_not_empty_and_has_an_id_of_its_own() -> None:
    calls = (ScriptedCall("search", " ", id=""), ScriptedCall("search", " ", id=""))
    said, _ = await _say(ScriptedReply(tool_calls=calls))
    again, _ = await _say(ScriptedReply(tool_calls=calls))
    assert (said.text, said.is_empty, said.notes) == ("", False, ())
    assert [call.arguments for call in said.tool_calls] == ["{}", "{}"]
    assert len({call.id for call in said.tool_calls}) == 2
    assert said.tool_calls == again.tool_calls  # so that a journal's next call is found


async def test_arguments_that_come_as_an_object_are_written_down() -> None:
    call = {"function": {"name": "search", "arguments": {"q": "x"}}}
    raw = json.dumps({"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    said, _ = await _say(ScriptedReply(raw_body=raw))
    assert said.tool_calls[0].arguments == '{"q":"x"}'
    raw = json.dumps({"choices": [{"message": {"tool_calls": [{"name": "search"}]}}]})
    with pytest.raises(BadReplyError, match="tool_calls cannot be read"):
        await _say(ScriptedReply(raw_body=raw))


async def test_calls_of_a_model_that_was_offered_nothing_are_no_answer() -> None:
    said, _ = await _say(
        ScriptedReply(tool_calls=(ScriptedCall("search"),)), replace(ASKED, tools=())
    )
    assert said.tool_calls == ()
    assert said.is_empty


async def test_a_server_without_tools_says_so() -> None:
    rejection = ScriptedReply("this model does not support tools", status=400)
    with pytest.raises(RequestError, match="does not support tools"):
        await _say(rejection)


async def test_a_schema_asked_for_in_words_leaves_room_for_calls() -> None:
    shape = JsonSchema("object", {"type": "object"})
    async with ScriptedServer(reply=BOTH, json_schema=False) as server:
        model = _model(server)
        await model.complete(replace(ASKED, json_schema=shape))
        await model.aclose()
        words = json.dumps(server.requests[-1]["messages"])
    assert "Unless you call a tool, reply with one JSON object" in words


def test_tools_are_part_of_a_requests_key_and_nothing_else_changes_it() -> None:
    plain = ChatRequest((ChatMessage.of("user", "What is a quince?"),), seed=1, max_tokens=9)
    known = "1b8e57a5b591c0ce7025584aadca6a90fd344ae575fd74436b309e8770171e89"
    assert plain.key("m") == known  # as in journals of earlier versions
    variants = [
        plain,
        replace(plain, tools=(SEARCH,)),
        replace(plain, tools=(CLOCK,)),
        replace(plain, tools=(SEARCH,), tool_choice="required"),
        replace(plain, tools=(SEARCH,), tool_choice=OneTool("required")),
        replace(plain, tools=(replace(SEARCH, strict=True),)),
    ]
    assert len({request.key("m") for request in variants}) == len(variants)
    assert replace(plain, on_text=print).key("m") == plain.key("m")
    assert replace(plain, tool_choice="none").key("m") == plain.key("m")


class _Journal:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Completion] = {}

    def find(self, call_id: str, key: str) -> Completion | None:
        return self.kept.get((call_id, key))

    def write(self, call_id: str, key: str, completion: Completion) -> None:
        self.kept[call_id, key] = completion


async def test_a_call_is_cached_and_journaled_with_its_tool_calls(tmp_path: Path) -> None:
    async with ScriptedServer(reply=replace(BOTH, text="")) as server:
        model, store = _model(server), ResponseCache(tmp_path / "cache")
        journal = _Journal()
        kept = Journaled(Cached(model, store), journal)
        await kept.complete(replace(ASKED, call_id="c/1"))
        first = await kept.complete(replace(ASKED, call_id="c/1"))
        other = await Cached(model, store).complete(ASKED)
        await model.aclose()
        store.close()
    assert len(server.requests) == 1
    assert first.tool_calls == other.tool_calls
    assert [call.name for call in first.tool_calls] == ["search", "clock"]
    assert (first.reused, other.reused) == (True, True)


def test_a_budget_reserves_for_tools_and_believes_their_tokens() -> None:
    plain = replace(ASKED, tools=())
    offered = json.dumps([_SCHEMA, "search", "Looks a word up."], separators=(",", ":"))
    assert estimate_prompt_tokens(ASKED) >= estimate_prompt_tokens(plain) + len(offered) // 3
    called = Completion("", "other", usage=Usage(9, None, 0), called=(ToolCall("s", "{}"),))
    assert credible_usage(called, ASKED).completion_tokens is None  # a call takes tokens
    assert credible_usage(replace(called, called=UNSET), ASKED).completion_tokens == 0


async def test_a_wrapped_model_takes_tools_where_the_model_does() -> None:
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
    assert takes_tools(Budgeted(Journaled(model, _Journal()), Budget(), Price(0, 0)))
    assert takes_tools(LiteLLMModel("openai/gpt-4o"))


async def test_options_of_one_request_come_after_those_of_the_config() -> None:
    async with ScriptedServer(reply="ok") as server:
        model = _model(server)
        configured = RequestOptions.of({"stop": "x", "top_k": 3}, {"guard": 1})
        own = RequestOptions.of({"stop": "y", "user": "me"}, {})
        wrapped = with_options(model, configured)
        await wrapped.complete(replace(ASKED, options=own))
        await wrapped.complete(ASKED)
        await model.aclose()
    first, second = server.requests
    assert (first["stop"], first["user"], first["guard"]) == ("x", "me", 1)
    assert "user" not in second


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply("Quinces are hard, sour fruits."),
        BOTH,
        ScriptedReply(tool_calls=(ScriptedCall("search", {"q": "é" * 50}),), usage=None),
        ScriptedReply("Half", finish_reason="length", usage={"prompt_tokens": 3}),
        ScriptedReply(refusal="I won't say."),
        ScriptedReply(reasoning="Hm, hm.", text=""),
        ScriptedReply("", finish_reason="content_filter"),
        ScriptedReply(""),
    ],
)
async def test_a_streamed_reply_is_the_one_that_comes_in_one_piece(reply: ScriptedReply) -> None:
    heard: list[str] = []
    whole, _ = await _say(reply)
    streamed, [body] = await _say(reply, replace(ASKED, on_text=heard.append))
    assert body["stream"] is True
    assert replace(streamed, latency_s=0) == replace(whole, latency_s=0)
    if reply.text:
        assert heard[-1] == whole.text
        assert len(heard) == len(whole.text.split())
    assert all(later.startswith(earlier) for earlier, later in pairwise(heard))


async def test_the_text_is_heard_before_the_reply_ends() -> None:
    heard: list[str] = []
    reply = ScriptedReply("One two three four five six.", truncate=True)
    with pytest.raises(TransportError, match="cut short"):
        await _say(reply, replace(ASKED, on_text=heard.append))
    assert heard[0] == "One "
    assert not heard[-1].endswith("six.")


async def test_a_server_that_does_not_stream_is_asked_for_one_piece_from_then_on() -> None:
    def reply(body: Mapping[str, object]) -> ScriptedReply:
        if "stream_options" in body:
            return ScriptedReply("Extra inputs are not permitted: stream_options", status=422)
        return ScriptedReply("Whole.")

    heard: list[str] = []
    async with ScriptedServer(reply=reply) as server:
        model = _model(server)
        said = [
            await model.complete(replace(ASKED, on_text=heard.append)),
            await model.complete(replace(ASKED, on_text=heard.append)),
        ]
        await model.aclose()
    assert [each.text for each in said] == ["Whole.", "Whole."]
    assert all("does not stream" in note for each in said for note in each.notes)
    assert ["stream" in body for body in server.requests] == [True, False, False]
    assert heard == []


async def test_a_server_that_ignores_the_stream_is_read_as_ever() -> None:
    raw = json.dumps({"choices": [{"message": {"content": "Whole."}, "finish_reason": "stop"}]})
    said, _ = await _say(ScriptedReply(raw_body=raw), replace(ASKED, on_text=print))
    assert said.text == "Whole."


_EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', "ended before the reply did"),
        (b"data: {oops}\n\n", "cannot be read"),
        (b'data: {"error": {"message": "no more room", "code": 429}}\n\n', "no more room"),
        (b"", "ended before"),
    ],
)
async def test_a_broken_stream_is_an_error(stream: bytes, error: str) -> None:
    reply = ScriptedReply(raw_body=stream, headers=_EVENTS)
    with pytest.raises(ModelError, match=error):
        await _say(reply, replace(ASKED, on_text=print))


async def test_streams_in_the_spelling_of_other_servers_are_read() -> None:
    lines = [
        ": a comment",
        "event: message",
        'data: {"model": "m", "choices": [{"delta": {"role": "assistant", "content": "Hm"}}]}',
        "",
        'data: {"choices": [{"delta": {"tool_calls": [{"id": "a", "function":',
        'data: {"name": "search", "arguments": "{}"}}]}}]}',
        "",
        'data: {"choices": [{"delta": {"tool_calls": [{"id": "b", "function":',
        'data: {"name": "clock"}}]}, "finish_reason": "tool_calls"}]}',
        "",
        'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}',
        "",
    ]
    reply = ScriptedReply(raw_body="\r\n".join(lines) + "\r\n", headers=_EVENTS)
    said, _ = await _say(reply, replace(ASKED, on_text=list[str]().append))
    assert said.text == "Hm"
    assert [(call.id, call.name, call.arguments) for call in said.tool_calls] == [
        ("a", "search", "{}"),
        ("b", "clock", "{}"),
    ]
    assert said.usage.total_tokens == 5


async def test_litellm_offers_tools_and_returns_their_calls() -> None:
    async with ScriptedServer(reply=BOTH) as server:
        model = LiteLLMModel("openai/m", api_base=server.base_url, api_key="sk-test")
        heard: list[str] = []
        said = await model.complete(replace(ASKED, tool_choice="required", on_text=heard.append))
        await model.aclose()
        [body] = server.requests
    assert [(call.name, call.arguments) for call in said.tool_calls] == [
        ("search", '{"q":"quince"}'),
        ("clock", "{}"),
    ]
    assert said.text == "Let me see."
    assert body["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in cast("Any", body["tools"])] == ["search", "clock"]
    assert heard == []
