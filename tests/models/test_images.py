"""Pictures from an images API: the client, and the scripted server that tests it."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from PIL import Image

from safejury.common import BadReplyError, FirstContactError, RequestError, TransportError
from safejury.models import Filtered, ImagesEndpoint, RetryPolicy
from safejury.testing import ScriptedReply, ScriptedServer

pytestmark = pytest.mark.usefixtures("transport")

KEY = "quite-secret-images-key"
QUICK = RetryPolicy(attempts=3, base_delay=0.0)
PNG = b"not looked at by the client"


@asynccontextmanager
async def images(
    server: ScriptedServer, *, key: str | None = None, concurrency: int = 8
) -> AsyncGenerator[ImagesEndpoint]:
    async with server:
        endpoint = ImagesEndpoint(
            base_url=server.base_url,
            model="painter",
            api_key=key,
            policy=QUICK,
            concurrency=concurrency,
        )
        try:
            yield endpoint
        finally:
            await endpoint.aclose()


def always(said: object, status: int = 200) -> Callable[[Mapping[str, object]], ScriptedReply]:
    return lambda _: ScriptedReply(status=status, raw_body=json.dumps(said))


def item(**fields: object) -> dict[str, object]:
    return {"data": [fields]}


GOOD = item(b64_json="data:image/png;base64," + base64.b64encode(PNG).decode())


async def test_a_picture_depends_on_the_prompt_and_the_seed() -> None:
    async with images(ScriptedServer()) as endpoint:
        drawn = [
            await endpoint.draw(prompt, size=512, seed=seed)
            for prompt, seed in (("a door", 1), ("a door", 1), ("a door", 2), ("a lock", 1))
        ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3
    assert isinstance(drawn[0], bytes)
    with Image.open(BytesIO(drawn[0])) as picture:
        assert picture.format == "PNG"


async def test_the_server_is_asked_for_base64_of_a_size_and_a_seed() -> None:
    server = ScriptedServer(api_key=KEY)
    async with images(server, key=KEY) as endpoint:
        await endpoint.draw("a door", size=384, seed=11)
    assert server.picture_requests == [
        {
            "model": "painter",
            "prompt": "a door",
            "n": 1,
            "size": "384x384",
            "response_format": "b64_json",
            "seed": 11,
        }
    ]
    assert server.stats.pictures == 1
    assert (server.stats.calls, server.requests) == (0, [])


async def test_what_a_server_rejects_is_left_out_from_then_on() -> None:
    server = ScriptedServer(picture_quirks=["gpt_image"])
    async with images(server) as endpoint:
        for seed in range(2):
            assert isinstance(await endpoint.draw("a door", size=512, seed=seed), bytes)
    assert server.stats.pictures == 3 + 2
    assert set(server.picture_requests[-1]) == {"model", "prompt", "n"}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"error": {"message": "no", "code": "moderation_blocked"}}, 400),
        ({"error": {"message": "no", "code": "content_policy_violation"}}, 400),
        ({"error": {"message": "Your task failed.", "code": "contentFilter"}}, 400),
        ({"error": {"message": "rejected as a result of our safety system"}}, 400),
        ({"data": []}, 200),
        ({"data": None}, 200),
        (item(b64_json=None, respect_moderation=False), 200),
    ],
)
async def test_what_a_filter_stops_is_no_error(said: object, status: int) -> None:
    server = ScriptedServer(pictures=always(said, status))
    async with images(server) as endpoint:
        assert isinstance(await endpoint.draw("a door", size=512, seed=1), Filtered)
    assert server.stats.pictures == 1


async def test_a_scripted_filter_goes_by_the_prompt() -> None:
    async with images(ScriptedServer(picture_quirks=["filter"])) as endpoint:
        drawn = await endpoint.draw("Trip the filter, please", size=512, seed=1)
        assert isinstance(drawn, Filtered)
        assert "safety system" in drawn.detail
        assert isinstance(await endpoint.draw("a door", size=512, seed=1), bytes)


async def test_failures_that_may_pass_are_tried_again() -> None:
    server = ScriptedServer(faults=["500", "429", None, "drop", None])
    async with images(server) as endpoint:
        for seed in range(2):
            assert isinstance(await endpoint.draw("a door", size=512, seed=seed), bytes)
    assert server.stats.pictures == 5


async def test_a_failure_that_stays_is_an_error_of_its_kind() -> None:
    server = ScriptedServer(faults=[None, "500", "500", "500"])
    async with images(server) as endpoint:
        await endpoint.draw("a door", size=512, seed=1)
        with pytest.raises(TransportError, match="the server failed"):
            await endpoint.draw("a door", size=512, seed=2)


async def test_a_rejection_is_not_tried_again() -> None:
    said = {"error": {"message": "the prompt is too long", "param": "prompt"}}
    server = ScriptedServer(pictures=always(said, 400))
    async with images(server) as endpoint:
        with pytest.raises(RequestError, match="too long"):
            await endpoint.draw("a door", size=512, seed=1)
    assert server.stats.pictures == 1


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (item(url="http://127.0.0.1:9/picture.png"), "URLs of pictures"),
        (item(b64_json="????!"), "base64"),
        ({"data": "no list"}, "not a list of pictures"),
    ],
)
async def test_a_reply_without_a_picture_says_what_is_wrong(said: object, what: str) -> None:
    replies = [ScriptedReply(raw_body=json.dumps(reply)) for reply in (said, GOOD, said)]
    async with images(ScriptedServer(pictures=lambda _: replies.pop(0))) as endpoint:
        with pytest.raises(FirstContactError, match=what):
            await endpoint.draw("a door", size=512, seed=1)
        assert await endpoint.draw("a door", size=512, seed=1) == PNG
        with pytest.raises(BadReplyError, match=what):
            await endpoint.draw("a door", size=512, seed=1)


async def test_a_picture_in_a_data_address_is_taken() -> None:
    async with images(ScriptedServer(pictures=always(GOOD))) as endpoint:
        assert await endpoint.draw("a door", size=512, seed=1) == PNG


async def test_a_wrong_key_ends_it_and_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = ScriptedServer(api_key="another-secret-key")
    async with images(server, key=KEY) as endpoint:
        with pytest.raises(FirstContactError, match="the key was rejected") as raised:
            await endpoint.draw("a door", size=512, seed=1)
    assert KEY not in str(raised.value) + caplog.text + endpoint.name


async def test_an_address_where_nothing_listens_ends_it() -> None:
    async with ScriptedServer() as server:
        address = server.base_url
    endpoint = ImagesEndpoint(base_url=address, model="painter", policy=QUICK)
    with pytest.raises(FirstContactError, match="cannot connect"):
        await endpoint.draw("a door", size=512, seed=1)
    await endpoint.aclose()


async def test_no_more_pictures_are_asked_for_at_a_time_than_allowed() -> None:
    server = ScriptedServer(latency=0.01)
    async with images(server, concurrency=2) as endpoint, asyncio.TaskGroup() as group:
        for seed in range(6):
            group.create_task(endpoint.draw("a door", size=512, seed=seed))
    assert server.stats.peak_in_flight == 2
