"""A probe tells what an endpoint can do, and shows the request behind every no."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from safejury.models import Capability, Probe, probe_endpoint
from safejury.testing import ScriptedReply, ScriptedServer

KEY = "sk-thisisaverysecretkey123"
Say = Callable[[dict[str, Any]], ScriptedReply]


def parts(body: Any, kind: str) -> list[Any]:
    content = body["messages"][-1]["content"]
    return [part for part in content if isinstance(part, dict) and part["type"] == kind]


def capable(body: Any) -> ScriptedReply:
    """Answer as a server that can do all that a probe tries."""
    text, finish = "red", "stop"
    if body["messages"][0]["role"] == "system":
        text = "apple"
    if "response_format" in body:
        text = '{"opinion": "good", "grade": 4}'
    if "seed" in body:
        text = f"words of seed {body['seed']}"
    if body["max_tokens"] == 4:
        text, finish = "one two three four", "length"
    tokens = len(json.dumps(body["messages"]))
    usage = {
        "prompt_tokens": tokens,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": tokens // 2},
    }
    if body.get("stream"):
        events = b'data: {"choices": [{"delta": {"content": "red"}}]}\n\ndata: [DONE]\n\n'
        return ScriptedReply(raw_body=events, headers={"Content-Type": "text/event-stream"})
    reply = ScriptedReply(text, finish, usage=usage)
    if body.get("logprobs"):
        whole = json.loads(reply.body(body, "scripted"))
        whole["choices"][0]["logprobs"] = {"content": [{"token": "red", "logprob": -0.1}]}
        return replace(reply, raw_body=json.dumps(whole))
    return reply


def refusing(*keys: str, status: int = 400) -> Say:
    """Answer as `capable` does, save where a request has one of `keys`."""

    def say(body: dict[str, Any]) -> ScriptedReply:
        found = [key for key in keys if f'"{key}"' in json.dumps(body)]
        if found:
            return ScriptedReply(f"{found[0]} is not supported", status=status)
        return capable(body)

    return say


async def probe(say: Any = capable, **options: Any) -> Probe:
    async with ScriptedServer(say) as server:
        return await probe_endpoint(server.base_url, **options)


def found(probe: Probe, name: str) -> Capability:
    return next(one for one in probe.capabilities if one.name == name)


async def test_a_server_that_can_do_everything_gets_a_yes_everywhere():
    seen = await probe()
    doubtful = {one.name: one.detail for one in seen.capabilities if one.state != "yes"}
    assert doubtful == {"context_length": "the list of models does not say"}
    assert (seen.most_images, seen.largest_image) == (8, 4096)
    assert seen.image_formats == ("PNG", "JPEG", "WEBP", "GIF")
    assert "image_formats" not in seen.config()
    assert seen.audio_formats == ("wav", "mp3", "flac")
    assert seen.works


async def test_the_config_fits_what_was_found():
    seen = await probe()
    assert seen.config() == {
        "base_url": seen.base_url,
        "model": "scripted",
        "images": True,
        "audio": True,
        "json_schema": "auto",
    }
    bare = await probe(refusing("image_url", "input_audio", "response_format"))
    assert bare.config() | {"base_url": ""} == {
        "base_url": "",
        "model": "scripted",
        "images": False,
        "audio": False,
        "json_schema": "never",
    }


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("response_format", ["json_schema"]),
        ("image_url", ["images"]),
        ("input_audio", ["audio"]),
        ("system", ["system"]),
        ("temperature", ["temperature"]),
        ("seed", ["seed"]),
        ("logprobs", ["logprobs"]),
        ("stream", ["streaming"]),
    ],
)
async def test_what_is_refused_is_a_no_with_the_request_and_the_answer(key: str, names: list[str]):
    seen = await probe(refusing(key))
    assert [one.name for one in seen.capabilities if one.state == "no"] == names
    one = found(seen, names[0])
    assert one.request.startswith(f"POST {seen.base_url}/chat/completions {{")
    assert f'"{key}"' in one.request
    assert one.answer == f"400: '{key} is not supported'"


async def test_a_refusal_that_llama_cpp_calls_a_server_error_is_a_no():
    seen = await probe(refusing("image_url", status=500))
    assert found(seen, "images").state == "no"


async def test_media_are_shown_by_their_hash():
    seen = await probe(refusing("image_url", "input_audio"))
    for name, shown in (("images", ";image/png;"), ("audio", ";audio/wav;")):
        request = found(seen, name).request
        assert '"sha256:' in request
        assert shown in request
        assert ";base64," not in request


async def test_it_counts_how_many_pictures_go_into_one_request():
    def two_at_most(body: Any) -> ScriptedReply:
        if len(parts(body, "image_url")) > 2:
            return ScriptedReply("At most 2 image(s) may be provided", status=400)
        return capable(body)

    seen = await probe(two_at_most)
    assert seen.most_images == 2
    assert found(seen, "images").state == "yes"
    assert "2 in one request, 4 are refused" in found(seen, "images").detail
    assert "At most 2 image(s)" in found(seen, "images").answer


async def test_it_finds_the_largest_picture_and_the_formats():
    def picky(body: Any) -> ScriptedReply:
        for part in parts(body, "image_url"):
            kind, _, data = part["image_url"]["url"].partition(";base64,")
            if len(base64.b64decode(data)) > 1_000_000:
                return ScriptedReply("request too large", status=413)
            if kind.endswith("gif"):
                return ScriptedReply("unsupported picture", status=400)
        return capable(body)

    seen = await probe(picky)
    assert seen.largest_image == 1024
    assert found(seen, "image_size").state == "partly"
    assert "2048 x 2048 px (1.3 MB) is refused" in found(seen, "image_size").detail
    assert seen.image_formats == ("PNG", "JPEG", "WEBP")
    assert found(seen, "image_formats").detail == "PNG, JPEG, WEBP; refused: GIF"
    assert seen.config()["image_formats"] == ["png", "jpeg", "webp"]


async def test_pictures_that_add_no_tokens_and_go_unnamed_may_be_ignored():
    def blind(body: Any) -> ScriptedReply:
        usage = {"prompt_tokens": 20, "completion_tokens": 1}
        return ScriptedReply("words", usage=usage)

    images = found(await probe(blind), "images")
    assert images.state == "partly"
    assert "may be ignored" in images.detail


async def test_a_schema_that_is_accepted_and_ignored_is_better_asked_in_words():
    def chatty(body: Any) -> ScriptedReply:
        return ScriptedReply("I like it.") if "response_format" in body else capable(body)

    seen = await probe(chatty)
    assert found(seen, "json_schema").state == "partly"
    assert "ignored: 'I like it.'" in found(seen, "json_schema").detail
    assert seen.config()["json_schema"] == "never"


async def test_json_of_another_shape_does_not_fit():
    def other(body: Any) -> ScriptedReply:
        wide = '{"opinion": "good", "grade": 9}'
        return ScriptedReply(wide) if "response_format" in body else capable(body)

    assert found(await probe(other), "json_schema").state == "partly"


async def test_the_other_name_of_the_cap_is_found():
    def modern(body: Any) -> ScriptedReply:
        if "max_tokens" in body:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return ScriptedReply(said, status=400)
        return capable(body | {"max_tokens": body["max_completion_tokens"]})

    seen = await probe(modern)
    assert found(seen, "max_tokens").detail == "as max_completion_tokens; a cap of 4 holds"
    assert found(seen, "images").state == "yes"


async def test_a_cap_that_no_name_fits_is_left_out():
    def uncapped(body: Any) -> ScriptedReply:
        if "max_tokens" in body:
            return ScriptedReply("max_tokens is not known", status=422)
        return capable(body | {"max_tokens": 16})

    seen = await probe(uncapped)
    assert found(seen, "max_tokens").state == "no"
    assert "max_tokens is not known" in found(seen, "max_tokens").answer
    assert found(seen, "json_schema").state == "yes"


async def test_a_model_that_thinks_first_is_given_room():
    def thinker(body: Any) -> ScriptedReply:
        if body["max_tokens"] < 500:
            return ScriptedReply("", "length", no_content=True, reasoning="Hm.")
        return capable(body)

    seen = await probe(thinker)
    assert found(seen, "text").state == "yes"
    assert "leave room in max_tokens" in found(seen, "text").detail
    assert found(seen, "json_schema").state == "yes"


async def test_a_model_that_never_comes_to_an_answer_leaves_open_what_words_would_tell():
    async with ScriptedServer(capable, quirks=["reasoning_empty"]) as server:
        seen = await probe_endpoint(server.base_url)
    assert found(seen, "text").state == "partly"
    assert "1,024 tokens did not suffice" in found(seen, "text").detail
    assert found(seen, "json_schema").state == found(seen, "seed").state == "unknown"
    assert seen.config()["json_schema"] == "auto"


async def test_a_cut_reply_that_does_not_say_so_is_told():
    def unmarked(body: Any) -> ScriptedReply:
        return replace(capable(body), finish_reason="stop")

    finish = found(await probe(unmarked), "finish_reason")
    assert finish.state == "partly"
    assert "will look complete" in finish.detail


async def test_a_seed_that_changes_nothing_and_one_that_does_not_hold_are_both_doubtful():
    turn = 0

    def unsteady(body: Any) -> ScriptedReply:
        nonlocal turn
        turn += 1
        return ScriptedReply(f"answer {turn}", "length")

    assert "two different texts" in found(await probe(unsteady), "seed").detail
    fixed = found(await probe(ScriptedReply("always", "length")), "seed")
    assert fixed.state == "partly"
    assert "so does another seed" in fixed.detail


async def test_uncounted_tokens_are_said():
    seen = await probe(ScriptedReply("red apple", usage=None))
    assert found(seen, "usage").state == "no"
    assert found(seen, "cached_tokens").state == "no"
    assert (seen.prompt_tokens, seen.completion_tokens) == (0, 0)


async def test_calls_and_tokens_are_counted_and_bounded():
    async with ScriptedServer(capable) as server:
        seen = await probe_endpoint(server.base_url)
    assert seen.calls == server.stats.calls + 1  # the list of models
    assert seen.calls <= 30
    assert seen.completion_tokens == 4 * (server.stats.calls - 1)  # the stream is not counted
    asked = [cast("Any", body)["max_tokens"] for body in server.requests]
    assert max(asked) <= 200


async def test_a_server_that_completes_nothing_is_shown_and_not_tried_further():
    async with ScriptedServer(api_key=KEY) as server:
        seen = await probe_endpoint(server.base_url, model="m", api_key="sk-another-key-456")
    assert not seen.works
    assert found(seen, "text").state == "no"
    assert "401" in found(seen, "text").answer
    assert seen.calls <= 3


async def test_a_web_page_is_no_model():
    async with ScriptedServer(faults={"garbage": 1.0}, fault_attempts=99) as server:
        seen = await probe_endpoint(server.base_url)
    assert not seen.works
    assert "HTML" in found(seen, "text").answer


async def test_a_key_that_the_server_repeats_is_hidden():
    def leaking(body: Any) -> ScriptedReply:
        if "seed" in body:
            return ScriptedReply(f"key {KEY} may not seed", status=403)
        return capable(body)

    seen = await probe(leaking, api_key=KEY)
    assert KEY not in repr(seen)
    assert found(seen, "seed").answer == "403: 'key [redacted] may not seed'"


async def test_silence_is_unknown_and_the_rest_goes_on():
    def deaf(body: Any) -> ScriptedReply:
        return ScriptedReply(hang=True) if parts(body, "input_audio") else capable(body)

    seen = await probe(deaf, timeout=1)
    assert found(seen, "audio").state == "unknown"
    assert found(seen, "audio").answer.startswith("no reply within 1 s")
    assert found(seen, "streaming").state == "yes"


async def test_a_server_that_falls_silent_is_left_alone():
    def silent(body: Any) -> ScriptedReply:
        return capable(body) if body["max_tokens"] == 16 and len(body) == 3 else stuck

    stuck = ScriptedReply(hang=True)
    seen = await probe(silent, timeout=0.2)
    assert "not asked" in found(seen, "streaming").detail
    assert found(seen, "streaming").state == "unknown"


async def test_a_rate_limit_is_waited_for_once():
    turn = 0

    def limited(body: Any) -> ScriptedReply:
        nonlocal turn
        turn += 1
        if turn % 2:
            return ScriptedReply("slow down", status=429, headers={"Retry-After": "0.01"})
        return capable(body)

    seen = await probe(limited)
    assert found(seen, "text").state == "yes"


async def test_each_step_is_announced():
    steps: list[str] = []
    await probe(on_step=steps.append)
    assert steps[:2] == ["models", "text"]
    assert "images" in steps
