"""What opens a breaker, who waits at it, and what it never holds up."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from safejury.common import (
    ModelError,
    OutageError,
    RateLimitError,
    RequestError,
    TransportError,
    in_parallel,
)
from safejury.models import Breaker, ModelBreaker

PLACE = "http://127.0.0.1:8000/v1"


def lost(status: int | None = 500) -> TransportError:
    return TransportError("the server failed", status=status)


REFUSED = TransportError("cannot connect", permanent=True)


class Calls:
    """Calls that end as they are told, by name, and count how often each is made."""

    def __init__(self, breaker: Breaker, **ends: Sequence[ModelError | str]) -> None:
        self._breaker = breaker
        self._ends = {name: list(each) for name, each in ends.items()}
        self.made: list[str] = []

    async def ended(self, name: str) -> ModelError | OutageError | str:
        """Make a call through the breaker, and return how it ended."""

        async def call() -> str:
            self.made.append(name)
            await asyncio.sleep(0)
            ends = self._ends[name]
            end = ends.pop(0) if len(ends) > 1 else ends[0]
            if isinstance(end, str):
                return end
            raise end

        try:
            return await self._breaker.run(call)
        except (ModelError, OutageError) as error:
            return error

    async def at_once(self, *names: str) -> list[ModelError | OutageError | str]:
        return await in_parallel(self.ended(name) for name in names)


async def test_lost_calls_that_opened_it_are_made_again_once_it_is_back():
    ends = {name: [lost(), "fine"] for name in "abcde"}
    calls = Calls(Breaker(PLACE, 1.0), **ends)
    assert await calls.at_once(*"abcde") == ["fine"] * 5
    assert len(calls.made) == 10


async def test_it_waits_no_longer_than_it_is_told_and_says_so():
    breaker = Breaker(PLACE, 0.1)
    calls = Calls(breaker, **{name: [lost()] for name in "abcdef"})
    ended = await calls.at_once(*"abcdef")
    assert all(isinstance(end, OutageError) for end in ended)
    for words in (PLACE, "has not answered since", "waited 0.1 s", "the server failed"):
        assert words in str(ended[0])
    before = len(calls.made)
    assert isinstance(await calls.ended("a"), OutageError)
    assert len(calls.made) == before
    assert breaker.outage is None


async def test_one_call_at_a_time_is_let_through():
    breaker = Breaker(PLACE, 0.4)
    under_way, peak = 0, 0

    async def call() -> None:
        nonlocal under_way, peak
        under_way += 1
        peak = max(peak, under_way if breaker.outage is not None else 0)
        await asyncio.sleep(0.01)
        under_way -= 1
        raise lost()

    async def through() -> None:
        with pytest.raises(OutageError):
            await breaker.run(call)

    await in_parallel(through() for _ in range(5))
    assert peak == 1


async def test_nobody_listening_opens_it_however_few_call():
    calls = Calls(Breaker(PLACE, 2.0), a=[REFUSED, REFUSED, "fine"])
    assert await calls.at_once("a") == ["fine"]


@pytest.mark.parametrize("error", [lost(), lost(503), lost(None)])
async def test_few_calls_that_are_lost_fail(error: TransportError):
    """It may be these that no server can answer: a run must come to its end."""
    calls = Calls(Breaker(PLACE, 60.0), a=[error], b=[error])
    assert await calls.at_once("a", "b") == [error, error]


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError("slow down", status=429),
        RequestError("too long", status=400),
        TransportError("try again", status=409),
    ],
)
async def test_what_a_living_server_says_opens_nothing(error: ModelError):
    breaker = Breaker(PLACE, 60.0)
    calls = Calls(breaker, **{name: [error] for name in "abcdefgh"})
    assert await calls.at_once(*"abcdefgh") == [error] * 8
    assert breaker.outage is None


async def test_lost_calls_among_answered_ones_fail():
    calls = Calls(Breaker(PLACE, 60.0), a=[lost()], b=["fine"])
    ended = [await calls.at_once("a", "b") for _ in range(10)]
    assert all(isinstance(a, TransportError) and b == "fine" for a, b in ended)


@pytest.mark.parametrize("error", [lost(503), lost(None)])
async def test_calls_that_no_server_can_answer_do_not_open_it_for_ever(error: TransportError):
    """In each outage the call that is let through is answered, and then all others are lost."""
    breaker = Breaker(PLACE, 2.0)

    async def call() -> str:
        is_let_through = breaker.outage is not None
        await asyncio.sleep(0)
        if is_let_through:
            return "fine"
        raise error

    async def ended() -> TransportError | str:
        try:
            return await breaker.run(call)
        except TransportError as failed:
            return failed

    every = await in_parallel(ended() for _ in range(12))
    assert (every.count("fine"), every.count(error)) == (3, 9)


async def test_calls_that_two_outages_held_are_answered_after_the_second():
    """The first answer lets all the others go on at once, and the endpoint falls over again."""
    breaker, made = Breaker(PLACE, 2.0), 0

    async def call() -> str:
        nonlocal made
        made += 1
        is_up = made == 9 or made > 16
        await asyncio.sleep(0)
        if is_up:
            return "fine"
        raise lost(503)

    assert await in_parallel(breaker.run(call) for _ in range(8)) == ["fine"] * 8
    assert made == 8 + 1 + 7 + 7


async def test_a_call_that_is_canceled_while_it_is_let_through_hands_its_turn_on():
    breaker = Breaker(PLACE, 4.0)
    calls = Calls(breaker, **{name: [lost()] for name in "abcde"}, f=["fine"])
    async with asyncio.TaskGroup() as group:
        lost_ones = [group.create_task(calls.ended(name)) for name in "abcde"]
        await _until(lambda: breaker.outage is not None and breaker.outage.held == 5)
        for task in lost_ones:
            task.cancel()
        assert await calls.ended("f") == "fine"
    assert breaker.outage is None


DRY = RequestError("the account cannot pay", status=402, permanent=True)
GONE = RequestError("unknown model", status=404, permanent=True)
BUSY = RateLimitError("too many requests", status=429)


def asked_to_wait(seconds: float) -> RateLimitError:
    return RateLimitError("too many requests", status=429, retry_after=seconds)


@pytest.mark.parametrize(("error", "calls"), [(DRY, 1), (asked_to_wait(3600), 1), (GONE, 5)])
async def test_what_waiting_does_not_mend_is_asked_once_more_and_ends_all_calls(
    error: ModelError, calls: int
):
    names = "abcdefgh"[:calls]
    breaker = ModelBreaker("m", 2.0)
    made = Calls(breaker, **{name: [error] for name in names}, z=["fine"])
    ended = await made.at_once(*names)
    assert all(isinstance(end, OutageError) and str(error) in str(end) for end in ended)
    assert len(made.made) == calls + 1
    assert isinstance(await made.ended("z"), OutageError)


@pytest.mark.parametrize("error", [BUSY, asked_to_wait(0.1), DRY])
async def test_who_is_turned_away_for_a_while_is_heard_again(error: ModelError):
    calls = Calls(ModelBreaker("m", 2.0), **{name: [error, "fine"] for name in "abcde"})
    assert await calls.at_once(*"abcde") == ["fine"] * 5


@pytest.mark.parametrize("error", [BUSY, GONE])
async def test_few_calls_that_are_turned_away_fail(error: ModelError):
    """It may be these alone, such as one that is too large for a quota."""
    calls = Calls(ModelBreaker("m", 60.0), a=[error], b=[error])
    assert await calls.at_once("a", "b") == [error, error]


async def test_an_answer_to_a_call_of_before_does_not_hide_that_later_ones_are_turned_away():
    breaker, slow = ModelBreaker("m", 0.1), asyncio.Event()

    async def answered() -> str:
        await slow.wait()
        return "fine"

    calls = Calls(breaker, a=[DRY])
    async with asyncio.TaskGroup() as group:
        before = group.create_task(breaker.run(answered))
        await asyncio.sleep(0)
        turned_away = group.create_task(calls.ended("a"))
        await _until(lambda: calls.made == ["a"])
        slow.set()
    assert before.result() == "fine"
    assert isinstance(turned_away.result(), OutageError)


async def test_a_model_breaker_leaves_an_endpoint_that_is_down_to_others():
    calls = Calls(ModelBreaker("m", 60.0), **{name: [lost()] for name in "abcdefgh"})
    assert all(isinstance(end, TransportError) for end in await calls.at_once(*"abcdefgh"))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a state that nobody announces
            await asyncio.sleep(0.005)
