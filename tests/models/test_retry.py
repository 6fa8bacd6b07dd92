"""What is tried again, how often, and what ends a run at once."""

import asyncio
import socket

import pytest

from safejury.common import (
    BadReplyError,
    FirstContactError,
    ModelError,
    RateLimitError,
    RequestError,
    TransportError,
    in_parallel,
)
from safejury.models import (
    ChatMessage,
    ChatRequest,
    EndpointModel,
    FirstContact,
    Limited,
    Limiter,
    Retrying,
    RetryPolicy,
)
from safejury.testing import ScriptedReply, ScriptedServer

ASK = ChatRequest((ChatMessage.of("user", "hello"),))


class Clock:
    """Sleeps without waiting and remembers how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def calls(
    replies: list[ScriptedReply | str], policy: RetryPolicy | None = None
) -> tuple[ModelError | None, int, list[float]]:
    """Return the error, if one came, the calls the server saw, and the waits."""
    clock, error = Clock(), None
    async with ScriptedServer(replies) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m", timeout=0.5)
        model = Retrying(endpoint, policy, sleep=clock.sleep, random=lambda: 0.5)
        try:
            answer = await model.complete(ASK)
            assert answer.attempts == server.stats.calls
        except ModelError as raised:
            error = raised
        await model.aclose()
    return error, server.stats.calls, clock.slept


@pytest.mark.parametrize(
    "bad",
    [
        ScriptedReply(status=408),
        ScriptedReply(status=409),
        ScriptedReply(status=429),
        ScriptedReply(status=500),
        ScriptedReply(status=503),
        ScriptedReply(drop=True),
        ScriptedReply("some words", truncate=True),
        ScriptedReply(raw_body="<html>"),
        ScriptedReply(raw_body='{"choices": [{"mess'),
        ScriptedReply(hang=True),
    ],
)
async def test_what_may_pass_is_tried_again(bad: ScriptedReply):
    error, made, _ = await calls([bad, "fine"])
    assert (error, made) == (None, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_what_the_caller_must_mend_is_not_tried_again(status: int):
    error, made, slept = await calls([ScriptedReply(status=status)])
    assert isinstance(error, RequestError)
    assert (made, slept) == (1, [])


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedReply(refusal="no"),
        ScriptedReply(finish_reason="content_filter"),
        ScriptedReply(status=400, code="content_filter"),
        ScriptedReply(no_content=True),
    ],
)
async def test_a_refusal_or_a_filter_is_never_tried_again(reply: ScriptedReply):
    error, made, _ = await calls([reply])
    assert (error, made) == (None, 1)


async def test_attempts_are_bounded_and_waits_grow_with_jitter():
    policy = RetryPolicy(attempts=5, base_delay=1, max_delay=4)
    error, made, slept = await calls([ScriptedReply(status=500)], policy)
    assert isinstance(error, TransportError)
    assert made == 5
    # Half of 1, 2, 4, and 4 again, the longest.
    assert slept == [0.5, 1.0, 2.0, 2.0]


async def test_waiting_is_bounded_in_all():
    policy = RetryPolicy(attempts=50, base_delay=4, max_delay=4, max_total=7)
    _, made, slept = await calls([ScriptedReply(status=500)], policy)
    assert (made, slept) == (4, [2.0, 2.0, 2.0])


async def test_retry_after_is_honored_and_too_long_a_one_gives_up():
    asked = ScriptedReply(status=429, headers={"Retry-After": "3"})
    error, made, slept = await calls([asked, "fine"], RetryPolicy(base_delay=0.5))
    assert (error, made, slept) == (None, 2, [3.25])
    error, made, slept = await calls([ScriptedReply(status=429, headers={"Retry-After": "600"})])
    assert isinstance(error, RateLimitError)
    assert (made, slept) == (1, [])


@pytest.mark.parametrize("bad", [ScriptedReply(raw_body="<html>"), ScriptedReply(hang=True)])
async def test_unreadable_replies_and_time_outs_are_tried_twice_at_most(bad: ScriptedReply):
    _, made, _ = await calls([bad])
    assert made == 2


async def test_an_address_where_nothing_listens_is_given_up_in_seconds():
    clock = Clock()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
        model = FirstContact(
            Retrying(
                Limited(EndpointModel(base_url=url, model="m"), Limiter(4)),
                sleep=clock.sleep,
                random=lambda: 0.99,
            )
        )
        with pytest.raises(FirstContactError, match=url) as caught:
            await model.complete(ASK)
        await model.aclose()
    assert caught.value.exit_code == 2
    assert len(clock.slept) == 2
    assert sum(clock.slept) < 2


async def test_a_server_that_went_away_is_waited_for():
    clock = Clock()
    server = ScriptedServer("x")
    await server.start()
    model = Retrying(EndpointModel(base_url=server.base_url, model="m"), sleep=clock.sleep)
    first = FirstContact(model)
    await first.complete(ASK)
    await server.aclose()
    with pytest.raises(TransportError):
        await first.complete(ASK)
    await first.aclose()
    assert len(clock.slept) == 4


@pytest.mark.parametrize(
    "bad",
    [
        ScriptedReply(status=401),
        ScriptedReply(status=404),
        ScriptedReply("model `m` not found", status=400),
        ScriptedReply(raw_body="<html>"),
        ScriptedReply(hang=True),
        ScriptedReply("some words", truncate=True),
        ScriptedReply("x" * 100_000),
    ],
)
async def test_a_model_that_never_answered_ends_the_run(bad: ScriptedReply):
    async with ScriptedServer([bad]) as server:
        endpoint = EndpointModel(
            base_url=server.base_url, model="m", timeout=0.3, max_reply_bytes=50_000
        )
        model = FirstContact(Retrying(endpoint, sleep=Clock().sleep))
        with pytest.raises(FirstContactError) as caught:
            await model.complete(ASK)
        assert str(caught.value).count(model.name) == 1
        assert "\n" not in str(caught.value)
        await model.aclose()


@pytest.mark.parametrize(
    "bad",
    [
        ScriptedReply(status=401),
        ScriptedReply(status=404),
        ScriptedReply(raw_body="<html>"),
        ScriptedReply(raw_body="{}"),
        ScriptedReply(drop=True),
        ScriptedReply("some words", truncate=True),
    ],
)
async def test_one_bad_first_reply_ends_nothing(bad: ScriptedReply):
    async with ScriptedServer([bad, "fine"]) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = FirstContact(Retrying(endpoint, RetryPolicy(attempts=1)))
        assert (await model.complete(ASK)).text == "fine"
        await model.aclose()


async def test_many_first_calls_at_once_with_a_wrong_key_ask_again_once():
    # Late enough that all have been sent before the first is turned away.
    async with ScriptedServer(ScriptedReply(status=401), latency=0.3) as server:
        model = FirstContact(Retrying(EndpointModel(base_url=server.base_url, model="m")))
        with pytest.raises(FirstContactError, match="401"):
            await in_parallel(model.complete(ASK) for _ in range(20))
        await model.aclose()
    assert 2 <= server.stats.calls <= 21


@pytest.mark.parametrize("status", [400, 413, 429, 500])
async def test_failures_of_one_request_do_not_end_the_run(status: int):
    async with ScriptedServer(ScriptedReply(status=status)) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = FirstContact(Retrying(endpoint, sleep=Clock().sleep))
        with pytest.raises(ModelError):
            await model.complete(ASK)
        await model.aclose()


async def test_after_one_answer_a_rejected_key_is_a_recorded_failure():
    async with ScriptedServer(["x", ScriptedReply(status=401)]) as server:
        model = FirstContact(Retrying(EndpointModel(base_url=server.base_url, model="m")))
        await model.complete(ASK)
        with pytest.raises(RequestError):
            await model.complete(ASK)
        await model.aclose()


async def test_latency_counts_failed_calls_too():
    replies = [ScriptedReply(status=500, delay=0.2), ScriptedReply("x")]
    async with ScriptedServer(replies) as server:
        endpoint = EndpointModel(base_url=server.base_url, model="m")
        model = Retrying(endpoint, sleep=Clock().sleep)
        answer = await model.complete(ASK)
        await model.aclose()
    assert answer.latency_s >= 0.2


async def test_an_unreadable_reply_keeps_its_kind_after_the_last_try():
    error, _, _ = await calls([ScriptedReply(raw_body="{}")])
    assert isinstance(error, BadReplyError)
