"""The scripted server as other services: what it rejects, and in whose words."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import aiohttp
import pytest

from safejury.testing import QUIRKS, Quirk, ScriptedServer

HELLO = [{"role": "user", "content": "hello"}]


async def said(quirk: Quirk, **fields: Any) -> tuple[int, Any]:
    """Return status and body of the answer to a request with `fields`."""
    body = {"model": "m", "messages": HELLO, **fields}
    async with ScriptedServer("fine", quirks=[quirk]) as server, aiohttp.ClientSession() as session:
        url = f"{server.base_url}/chat/completions"
        async with session.post(url, json=body) as reply:
            return reply.status, await reply.json()


@pytest.mark.parametrize(
    ("quirk", "fields", "param", "code"),
    [
        ("max_completion_tokens", {"max_tokens": 5}, "max_tokens", "unsupported_parameter"),
        ("no_temperature", {"temperature": 0.0}, "temperature", "unsupported_value"),
        ("no_top_p", {"top_p": 0.5}, "top_p", "unsupported_parameter"),
        (
            "no_system",
            {"messages": [{"role": "system", "content": "x"}, *HELLO]},
            "messages[0].role",
            "unsupported_value",
        ),
        ("no_seed", {"seed": 1}, None, None),
        ("no_n", {"n": 2}, None, None),
        (
            "no_schema",
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            None,
            "invalid_request_error",
        ),
        ("anthropic", {"temperature": 0.5, "top_p": 0.5}, None, "invalid_request_error"),
    ],
)
async def test_openais_own_errors_name_parameter_and_code(
    quirk: Quirk, fields: dict[str, object], param: str | None, code: str | None
):
    status, body = await said(quirk, **fields)
    error = body["error"]
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize("quirk", [quirk for quirk in QUIRKS if quirk != "reasoning_empty"])
async def test_what_is_not_rejected_is_answered(quirk: Quirk):
    status, body = await said(quirk, temperature=1, n=1)
    assert status == 200
    assert body["choices"][0]["message"]["content"] == "fine"


async def test_azure_names_the_policy_and_grades_what_passes():
    asked = [{"role": "user", "content": "Trip the filter."}]
    status, body = await said("azure_filter", messages=asked)
    assert (status, body["error"]["code"]) == (400, "content_filter")
    assert body["error"]["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    status, body = await said("azure_filter")
    assert status == 200
    assert body["choices"][0]["content_filter_results"]["hate"]["filtered"] is False


async def test_gemini_answers_errors_in_a_list_and_filters_without_a_message():
    status, body = await said("gemini", seed=1)
    assert status == 400
    assert 'Unknown name "seed": Cannot find field.' in body[0]["error"]["message"]
    asked = [{"role": "user", "content": "Trip the filter."}]
    status, body = await said("gemini", messages=asked)
    assert status == 200
    assert body["choices"] == [{"index": 0, "finish_reason": "content_filter: PROHIBITED_CONTENT"}]


async def test_mistral_forbids_what_it_does_not_know():
    status, body = await said("mistral", seed=1)
    assert (status, body["object"]) == (422, "error")
    assert body["message"]["detail"][0]["loc"] == ["body", "seed"]
    status, body = await said("mistral", temperature=0, top_p=0.5)
    assert (status, body["message"]) == (400, "top_p must be 1 when using greedy sampling.")


async def test_reasoning_leaves_no_room_for_an_answer():
    _, body = await said("reasoning_empty")
    choice = body["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "length")
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


async def test_a_server_with_a_path_answers_nowhere_else():
    async with (
        ScriptedServer("fine", base_path="/v1beta/openai/") as server,
        aiohttp.ClientSession() as session,
    ):
        assert server.base_url.endswith("/v1beta/openai")
        root = server.base_url.removesuffix("/v1beta/openai")
        for address, status in ((server.base_url, 200), (root, 404), (f"{root}/v1", 404)):
            async with session.get(f"{address}/models") as reply:
                assert reply.status == status


def test_the_command_takes_quirks_and_a_path():
    command = [sys.executable, "-m", "safejury.testing", "--base-path", "/api/v1"]
    command += ["--quirk", "no_seed", "--quirk", "no_top_p"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = json.dumps({"messages": HELLO, "seed": 1}).encode()
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{url}/chat/completions", body, timeout=10)
        told = caught.value.read().decode()
        process.terminate()
    assert url.endswith("/api/v1")
    assert "Unrecognized request argument supplied: seed" in told
