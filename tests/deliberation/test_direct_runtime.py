"""Messages that wait for nobody go by no queue: in their order, canceled and failing as ever."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from autogen_core import AgentId, SingleThreadedAgentRuntime, TypeSubscription

from safejury.agents import Case
from safejury.deliberation import Address, CaseOpened, Jury, Line, RequestBus
from safejury.deliberation.bus import DirectRuntime
from safejury.deliberation.protocol import Published
from safejury.testing import ScriptedServer, ballot

FIRST, SECOND = Address("first", "one"), Address("second", "one")
LOG = logging.getLogger("autogen_core")
Opened = Callable[[int], CaseOpened]


@pytest.fixture
def opened(make_case: Callable[..., object]) -> Opened:
    """Make an entry of a number."""
    return lambda number: CaseOpened("case", number, make_case())  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def _bus(
    first: Callable[[str, Line], Awaitable[object]],
    second: Callable[[str, Line], Awaitable[object]],
    *listeners: Callable[[CaseOpened], None],
) -> AsyncGenerator[RequestBus, None]:
    """Open a bus with two agents that answer to `hello` and are made already."""

    def greeting(handle: Callable[[str, Line], Awaitable[object]]) -> Callable[..., object]:
        async def answer(message: str, line: Line) -> object:
            return "hello" if message == "hello" else await handle(message, line)

        return answer

    bus = RequestBus()
    await bus.add("first", lambda _: greeting(first), "is asked")  # pyright: ignore[reportArgumentType]
    await bus.add("second", lambda _: greeting(second), "is asked by the first")  # pyright: ignore[reportArgumentType]
    for number, listen in enumerate(listeners):
        await bus.listen(f"listener{number}", listen, "topic")
    bus.start()
    try:
        assert [await bus.ask("hello", whom, str) for whom in (FIRST, SECOND)] == ["hello"] * 2
        yield bus
    finally:
        await bus.aclose()


async def _ask_second(message: str, line: Line) -> object:
    return await line.ask(message, SECOND, str)


async def _echo(message: str, line: Line) -> object:
    return message


@pytest.mark.parametrize("name", ["_run_context", "_instantiated_agents"])
def test_autogen_still_has_what_the_direct_runtime_reads(name: str) -> None:
    """Fails after an upgrade of AutoGen that renames it: messages are then dearer."""
    assert hasattr(SingleThreadedAgentRuntime(), name)


async def test_not_even_the_first_cases_of_a_jury_go_by_the_queue(
    open_jury: Callable[..., AbstractAsyncContextManager[Jury]],
    make_case: Callable[[int], Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queued, process = list[Any](), DirectRuntime._process_send  # pyright: ignore[reportPrivateUsage]

    async def noted(self: DirectRuntime, envelope: Any) -> None:
        queued.append(envelope)
        await process(self, envelope)

    monkeypatch.setattr(DirectRuntime, "_process_send", noted)
    async with (
        ScriptedServer(ballot("safe", 5)) as server,
        open_jury(server) as jury,
        asyncio.TaskGroup() as group,
    ):
        heard = [group.create_task(jury.hear(make_case(number))) for number in range(3)]
    assert [one.result().finding for one in heard] == ["safe"] * 3
    assert not queued


async def test_what_agents_ask_each_other_is_handled_in_the_askers_task() -> None:
    tasks = list[asyncio.Task[object] | None]()

    async def first(message: str, line: Line) -> object:
        tasks.append(asyncio.current_task())
        return await line.ask(message, SECOND, str)

    async def second(message: str, line: Line) -> object:
        tasks.append(asyncio.current_task())
        return message

    async with _bus(first, second) as bus:
        assert isinstance(bus.runtime, DirectRuntime)
        assert await bus.ask("word", FIRST, str) == "word"
    assert tasks[0] is tasks[1]
    assert tasks[0] is not asyncio.current_task()


async def test_what_is_published_to_listeners_is_heard_before_the_publisher_goes_on(
    opened: Opened,
) -> None:
    heard, known = list[int](), list[int]()

    async def publish(message: str, line: Line) -> object:
        for number in range(3):
            await line.publish(Published(opened(number)), "topic")
            known.append(len(heard))
        return message

    async with _bus(publish, _echo, lambda entry: heard.append(entry.number)) as bus:
        await bus.ask("makes the listener", FIRST, str)
        known.clear()
        await bus.ask("word", FIRST, str)
    assert known == [4, 5, 6]
    assert heard == [0, 1, 2] * 2


async def test_what_is_published_to_others_waits_for_none_of_them(opened: Opened) -> None:
    """An agent that is no listener may take its time: it is no part of the publisher's."""
    began, may_end, published = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(message: object, line: Line) -> object:
        began.set()
        await may_end.wait()
        return None

    async def publish(message: str, line: Line) -> object:
        await line.publish(Published(opened(0)), "slow_topic")
        published.set()
        return message

    async with _bus(publish, _echo) as bus:
        await bus.add("slow", lambda _: slow, "takes its time")
        await bus.subscribe(TypeSubscription("slow_topic", "slow"))
        for _ in range(2):  # the first makes it
            asked = asyncio.ensure_future(bus.ask("word", FIRST, str))
            await asyncio.wait_for(published.wait(), timeout=20)
            await began.wait()
            may_end.set()
            assert await asked == "word"
            for each in (began, may_end, published):
                each.clear()


async def test_the_order_stays_where_somebody_begins_and_ends_to_read_the_log(
    opened: Opened,
) -> None:
    heard = list[int]()
    level = LOG.level

    def listen(entry: CaseOpened) -> None:
        heard.append(entry.number)

    async def publish(message: str, line: Line) -> object:
        for number in range(9):
            is_read = number % 3 == 2
            LOG.setLevel(logging.INFO if is_read else logging.WARNING)
            await line.publish(Published(opened(number)), "topic")
            assert is_read or heard[-1] == number  # at once again, however many publish
        return message

    try:
        async with _bus(publish, _echo, listen) as bus:
            for _ in range(3):
                heard.clear()
                LOG.setLevel(logging.WARNING)
                await bus.ask("word", FIRST, str)
                assert heard == list(range(9))  # all of it before the reply
    finally:
        LOG.setLevel(level)


async def test_canceling_reaches_the_asked_once_and_closing_waits_for_their_ends() -> None:
    began, ended = asyncio.Event(), list[str]()

    async def second(message: str, line: Line) -> object:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            ended.append(f"{message}{task.cancelling()}")

    async def first(message: str, line: Line) -> object:
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(line.ask(message + name, SECOND, str))

    async with _bus(first, second) as bus:
        asked = [asyncio.ensure_future(bus.ask(name, FIRST, str)) for name in ("x", "y")]
        await began.wait()
        asked[0].cancel()
        assert await asyncio.gather(asked[0], return_exceptions=True) != []
        assert asked[0].cancelled()
        assert ended == []
    assert sorted(ended) == ["xa1", "xb1", "ya1", "yb1"]
    with pytest.raises(asyncio.CancelledError):
        await asked[1]


async def test_a_failure_reaches_the_asker_as_it_was_raised() -> None:
    failure = ValueError("it failed")

    async def fail(message: str, line: Line) -> object:
        raise failure

    async with _bus(_ask_second, fail) as bus:
        with pytest.raises(ValueError, match="it failed") as caught:
            await bus.ask("word", FIRST, str)
        assert caught.value is failure
        assert await bus.ask("hello", SECOND, str) == "hello"


async def test_a_listener_that_fails_keeps_nothing_from_the_others(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    heard = list[int]()

    def fail(entry: CaseOpened) -> None:
        raise ValueError("it failed")

    async def publish(message: str, line: Line) -> object:
        for number in range(2):
            await line.publish(Published(opened(number)), "topic")
        return message

    async with _bus(publish, _echo, fail, lambda entry: heard.append(entry.number)) as bus:
        await bus.ask("makes the listeners", FIRST, str)
        caplog.clear()
        assert await bus.ask("word", FIRST, str) == "word"
    assert heard == [0, 1] * 2
    assert "Error processing publish message for listener0/run" in caplog.text


async def test_nobody_at_an_address_is_said_as_by_autogen() -> None:
    async with _bus(_ask_second, _echo) as bus:
        with pytest.raises(Exception, match="Recipient not found"):
            await bus.runtime.send_message("word", AgentId("nobody", "there"))
