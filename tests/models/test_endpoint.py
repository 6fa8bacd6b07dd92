"""EndpointModel against the scripted server: what is sent, and what each reply means."""

import base64
import hashlib
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from safejury.common import (
    BadReplyError,
    ConfigurationError,
    ModelError,
    RateLimitError,
    RequestError,
    TransportError,
)
from safejury.datasets import Media
from safejury.datasets.media import hold_media
from safejury.models import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Completion,
    EndpointModel,
    ImagePart,
    JsonSchema,
    Sampling,
    TextPart,
    Usage,
)
from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytestmark = pytest.mark.usefixtures("transport")

KEY = "sk-thisisaverysecretkey123"
SCHEMA = JsonSchema("ballot", {"type": "object", "properties": {"finding": {"type": "string"}}})


def ask(text: str = "hello", **fields: Any) -> ChatRequest:
    return ChatRequest((ChatMessage.of("user", text),), **fields)


async def completion(reply: ScriptedReply | str, request: ChatRequest | None = None) -> Completion:
    async with ScriptedServer(reply) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        try:
            return await model.complete(request or ask())
        finally:
            await model.aclose()


async def failure(reply: ScriptedReply, **options: Any) -> ModelError:
    async with ScriptedServer(reply) as server:
        model = EndpointModel(base_url=server.base_url, model="m", **options)
        try:
            with pytest.raises(ModelError) as caught:
                await model.complete(ask())
        finally:
            await model.aclose()
    assert "\n" not in str(caught.value)
    assert server.base_url in str(caught.value)
    return caught.value


def medium(path: Path, data: bytes, media_type: str) -> Media:
    path.write_bytes(data)
    return Media(hashlib.sha256(data).hexdigest(), media_type, len(data), str(path))


async def test_words_settings_and_key_arrive_as_the_api_defines_them():
    async with ScriptedServer("fine", api_key=KEY) as server:
        model = EndpointModel(base_url=server.base_url + "/", model="qwen", api_key=KEY + "\n")
        request = ChatRequest(
            (ChatMessage.of("system", "be brief"), ChatMessage.of("user", "hello")),
            sampling=Sampling(temperature=0.0, top_p=0.5),
            seed=7,
            max_tokens=9,
        )
        answer = await model.complete(request)
        await model.aclose()
        await model.aclose()
    assert (answer.text, answer.finish_reason, answer.provider_model) == (
        "fine",
        "stop",
        "scripted",
    )
    assert answer.usage == Usage(prompt_tokens=4, cached_tokens=0, completion_tokens=2)
    assert answer.latency_s > 0
    assert server.requests == [
        {
            "model": "qwen",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hello"},
            ],
            "max_tokens": 9,
            "temperature": 0.0,
            "top_p": 0.5,
            "seed": 7,
        }
    ]


async def test_image_and_audio_bytes_arrive_exactly(tmp_path: Path):
    pixels, sound = bytes(range(256)) * 8000, b"RIFF\x00sound"
    image = medium(tmp_path / "a.png", pixels, "image/png")
    audio = medium(tmp_path / "a.wav", sound, "audio/x-wav")
    parts = (TextPart("look"), ImagePart(image), AudioPart(audio))
    async with ScriptedServer("seen") as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        await model.complete(ChatRequest((ChatMessage("user", parts),)))
        await model.aclose()
    content = cast("Any", server.requests[0])["messages"][0]["content"]
    assert content == [
        {"type": "text", "text": "look"},
        {
            "type": "image_url",
            "image_url": {"url": "data:image/png;base64," + base64.b64encode(pixels).decode()},
        },
        {
            "type": "input_audio",
            "input_audio": {"data": base64.b64encode(sound).decode(), "format": "wav"},
        },
    ]


async def test_all_that_hold_a_picture_share_one_reading(tmp_path: Path):
    image = medium(tmp_path / "b.png", b"pixels of b", "image/png")
    request = ChatRequest((ChatMessage("user", (ImagePart(image),)),))
    async with ScriptedServer("seen") as server:
        first = EndpointModel(base_url=server.base_url, model="one")
        second = EndpointModel(base_url=server.base_url, model="two")
        held = hold_media([image])
        await first.complete(request)
        (tmp_path / "b.png").unlink()
        await second.complete(request)
        del held
        with pytest.raises(RequestError, match="cannot read"):
            await second.complete(request)
        await first.aclose()
        await second.aclose()
    assert server.requests[0]["messages"] == server.requests[1]["messages"]


async def test_a_picture_that_is_gone_or_changed_is_never_replaced_by_another(tmp_path: Path):
    gone = Media("0" * 64, "image/png", 3, str(tmp_path / "gone.png"))
    changed = medium(tmp_path / "c.png", b"before", "image/png")
    (tmp_path / "c.png").write_bytes(b"after!")
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
    for media, words in ((gone, "cannot read"), (changed, "changed since")):
        with pytest.raises(RequestError, match=words):
            await model.complete(ChatRequest((ChatMessage("user", (ImagePart(media),)),)))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            ScriptedReply(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            "ab",
        ),
        (ScriptedReply(no_content=True), ""),
        (ScriptedReply("x", chunked=True), "x"),
    ],
)
async def test_content_is_read_as_string_list_null_or_chunks(reply: ScriptedReply, expected: str):
    assert (await completion(reply)).text == expected


CAPS = [
    "token_limit",
    "max_length",
    "max_new_tokens",
    "MAX_TOKENS",
    "maxTokens",
    "max_completion_tokens",
    "truncated",
    "incomplete",
    "limit",
    "model_length",
    "length_limit",
    "ERROR_LIMIT",
    "FinishReason.MAX_TOKENS",
    "model_context_window_exceeded",
    "context_length_exceeded",
]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "other"),
        ("abort", "other"),
        ("FinishReason.STOP", "stop"),
        *((cap, "length") for cap in CAPS),
        (None, "other"),
    ],
)
async def test_finish_reasons_form_a_closed_set(said: str | None, meant: str):
    assert (await completion(ScriptedReply("x", finish_reason=said))).finish_reason == meant


async def test_a_refusal_is_a_completion():
    answer = await completion(ScriptedReply(no_content=True, refusal="I will not judge this."))
    assert (answer.text, answer.refusal) == ("", "I will not judge this.")
    parts = [{"type": "refusal", "refusal": "No."}]
    assert (await completion(ScriptedReply(content=parts))).refusal == "No."


async def test_reasoning_is_not_taken_for_the_answer():
    empty = await completion(ScriptedReply(no_content=True, reasoning="let me think"))
    assert (empty.text, empty.notes) == ("", ("the reply has reasoning but no answer",))
    assert (await completion(ScriptedReply("done", reasoning="hm"))).notes == ()


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({"prompt_tokens": 3, "completion_tokens": 2}, Usage(3, None, 2)),
        ({"prompt_tokens": 3, "prompt_tokens_details": None}, Usage(3, None, None)),
        (
            {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}},
            Usage(3, 2, None),
        ),
        ({"prompt_tokens": "many"}, Usage()),
    ],
)
async def test_usage_is_what_the_server_said_or_unknown(usage: dict[str, object], expected: Usage):
    assert (await completion(ScriptedReply("x", usage=usage))).usage == expected


@pytest.mark.parametrize(
    "error",
    [
        '{"error": {"code": "content_filter", "message": "no"}}',
        '{"error": {"code": null, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}',
    ],
)
async def test_a_filter_that_answers_400_is_a_filtered_completion(error: str):
    answer = await completion(ScriptedReply(status=400, raw_body=error))
    assert answer.filtered
    assert answer.notes == ("the provider's filter rejected the request",)


@pytest.mark.parametrize(
    ("status", "kind", "permanent", "words"),
    [
        (401, RequestError, True, "a key is needed and none was sent; check api_key_env"),
        (403, RequestError, True, "check api_key_env"),
        (404, RequestError, True, "base_url should usually end in /v1"),
        (402, RequestError, True, "cannot pay"),
        (413, RequestError, False, "rejected"),
        (400, RequestError, False, "rejected"),
        (307, RequestError, True, "redirects"),
        (408, TransportError, False, "try again"),
        (409, TransportError, False, "try again"),
        (500, TransportError, False, "the server failed"),
        (503, TransportError, False, "the server failed"),
        (429, RateLimitError, False, "too many requests"),
    ],
)
async def test_each_status_says_who_must_act(
    status: int, kind: type[ModelError], permanent: bool, words: str
):
    error = await failure(ScriptedReply(status=status, raw_body="<h1>oh\x1b[31m no</h1>"))
    assert type(error) is kind
    assert (error.status, error.permanent, error.retryable) == (
        status,
        permanent,
        kind in (TransportError, RateLimitError),
    )
    assert words in str(error)
    assert "x1b" not in str(error)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The model `m` does not exist", None),
        ("oops", "model_not_found"),
        ("invalid model name", None),
    ],
)
async def test_an_unknown_model_told_by_a_400_is_permanent(message: str, code: str | None):
    error = await failure(ScriptedReply(message, status=400, code=code))
    assert error.permanent
    assert "check its name" in str(error)


async def test_retry_after_is_read_as_seconds_and_as_a_date():
    for value, low, high in (
        ("7", 7, 7),
        ("0.25", 0.25, 0.25),
        (formatdate(time.time() + 60, usegmt=True), 1, 60),
        (formatdate(time.time() - 60, usegmt=True), 0, 0),
    ):
        error = await failure(ScriptedReply(status=429, headers={"Retry-After": value}))
        assert error.retry_after is not None
        assert low <= error.retry_after <= high
    assert (await failure(ScriptedReply(status=503, headers={"Retry-After": "2"}))).retry_after == 2
    assert (
        await failure(ScriptedReply(status=429, headers={"Retry-After": "soon"}))
    ).retry_after is None


async def test_an_error_inside_a_200_is_an_error():
    body = '{"error": {"message": "overloaded", "code": 429}}'
    assert isinstance(await failure(ScriptedReply(raw_body=body)), RateLimitError)
    assert isinstance(await failure(ScriptedReply(raw_body='{"error": "boom"}')), TransportError)


async def test_a_server_without_schemas_is_asked_in_words_from_then_on():
    async with ScriptedServer(json_schema=False) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        first = await model.complete(ask(json_schema=SCHEMA))
        second = await model.complete(ask("again", json_schema=SCHEMA))
        plain = await model.complete(ask("free"))
        await model.aclose()
    note = ("the server does not take json_schema; the schema was asked for in words",)
    assert (first.notes, second.notes, plain.notes) == (note, note, ())
    sent = ["response_format" in body for body in server.requests]
    assert sent == [True, False, False, False]
    assert '"finding"' in str(server.requests[2]["messages"])
    assert '"finding"' in first.text


async def test_a_server_with_schemas_gets_them():
    async with ScriptedServer(ballot()) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        answer = await model.complete(ask(json_schema=SCHEMA))
        await model.aclose()
    assert answer.notes == ()
    wanted = {"name": "ballot", "schema": SCHEMA.schema, "strict": True}
    assert server.requests[0]["response_format"] == {"type": "json_schema", "json_schema": wanted}


async def test_a_model_that_renamed_the_cap_is_asked_again():
    def reply(body: Any) -> ScriptedReply:
        if "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return ScriptedReply(text, status=400)
        return ScriptedReply(str(body["max_completion_tokens"]))

    async with ScriptedServer(reply) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        texts = [(await model.complete(ask(max_tokens=5))).text for _ in range(2)]
        await model.aclose()
    assert (texts, server.stats.calls) == (["5", "5"], 3)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://h:1/v1/", "m@http://h:1/v1"),
        ("http://h:1", "m@http://h:1"),
        ("https://h/v1/chat/completions", "m@https://h/v1"),
        ("https://h/v1?api-version=3&key=abcdefghij", "m@https://h/v1"),
    ],
)
def test_the_name_is_model_and_clean_address(given: str, shown: str):
    assert EndpointModel(base_url=given, model="m").name == shown


@pytest.mark.parametrize(
    "address", ["", "localhost:8000/v1", "ftp://h/v1", "http://", "http://h:x"]
)
def test_an_address_that_is_none_is_a_configuration_error(address: str):
    with pytest.raises(ConfigurationError, match="base_url"):
        EndpointModel(base_url=address, model="m")


async def test_half_a_surrogate_pair_is_rejected_before_it_is_sent():
    model = EndpointModel(base_url="http://127.0.0.1:9/v1", model="m")
    with pytest.raises(RequestError, match="surrogate"):
        await model.complete(ask("\ud800"))


async def test_a_session_of_the_callers_is_left_open():
    async with ScriptedServer("x") as server, aiohttp.ClientSession() as session:
        model = EndpointModel(base_url=server.base_url, model="m", session=session)
        await model.complete(ask())
        await model.aclose()
        assert not session.closed


async def test_a_byte_order_mark_before_a_reply_is_read_over():
    mark, said = b"\xef\xbb\xbf", ballot("unsafe", 1)
    marked = ScriptedReply(raw_body=mark + ScriptedReply(said).body({}, "m"))
    assert (await completion(marked)).text == said
    error = ScriptedReply("too warm today", status=400, code="warm").body({}, "m")
    for status in (200, 400):
        told = str(await failure(ScriptedReply(raw_body=mark + error, status=status)))
        assert "too warm today" in told
        assert "{" not in told
    cut = await failure(ScriptedReply(raw_body=mark + b'{"choices"'))
    assert "cut short" in str(cut)


async def test_replies_of_the_wrong_shape_are_bad_replies():
    for body in (
        '{"choices": []}',
        "{}",
        '{"choices": [{"message": {"content": 3}}]}',
        '{"choices"',
    ):
        error = await failure(ScriptedReply(raw_body=body))
        assert isinstance(error, BadReplyError)
        assert not error.permanent
    for body in ("<html><body>Welcome</body></html>", "data: {}", "OK"):
        error = await failure(ScriptedReply(raw_body=body))
        assert isinstance(error, BadReplyError)
        assert error.permanent
        assert "usually ends in /v1" in str(error)
