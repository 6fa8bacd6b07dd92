"""The bus is AutoGen's, without the spans and log texts that nobody reads."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from autogen_core import SingleThreadedAgentRuntime

from safejury.agents import Case
from safejury.deliberation import BallotsRevealed, Entry, Jury
from safejury.deliberation.bus import DirectRuntime, QuietRuntime, new_runtime
from safejury.targets import Response, ResponseOutcome
from safejury.testing import ScriptedServer

SWITCH = "AUTOGEN_DISABLE_RUNTIME_TRACING"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def logged() -> Iterator[list[str]]:
    logger, handler = logging.getLogger("autogen_core"), _Lines()
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.setLevel(before)
    logger.removeHandler(handler)


@pytest.mark.parametrize("name", ["_create_otel_attributes", "_try_serialize", "_tracer_helper"])
def test_autogen_still_has_what_the_quiet_runtime_replaces(name: str) -> None:
    """Fails after an upgrade of AutoGen that renames it: messages then cost twice as much."""
    assert hasattr(SingleThreadedAgentRuntime(), name)
    assert hasattr(QuietRuntime(), name)


@pytest.mark.parametrize(
    "name",
    ["send_message", "publish_message", "_process_send", "_process_publish", "_process_response"],
)
def test_autogens_methods_still_make_events_under_the_names_that_are_replaced(name: str) -> None:
    """Fails after an upgrade of AutoGen: messages are then dearer, and right as ever."""
    stock = getattr(SingleThreadedAgentRuntime, name)
    assert "MessageEvent" in stock.__code__.co_names
    assert getattr(QuietRuntime, name).__code__ is stock.__code__


async def test_whoever_reads_the_log_gets_the_events_of_autogen(
    open_jury: Callable[..., AbstractAsyncContextManager[Jury]],
    make_case: Callable[..., Case],
    logged: list[str],
) -> None:
    async with ScriptedServer() as server, open_jury(server) as jury:
        await jury.hear(make_case())
    events = [json.loads(line) for line in logged if line.startswith("{")]
    assert {event["type"] for event in events} == {"Message"}
    stages = {event["delivery_stage"] for event in events}
    assert stages == {"DeliveryStage.SEND", "DeliveryStage.DELIVER"}
    assert any(event["receiver"].startswith("seat/") for event in events)


def test_whoever_asks_for_autogens_tracing_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "false")
    assert type(new_runtime()) is SingleThreadedAgentRuntime
    monkeypatch.delenv(SWITCH)
    assert type(new_runtime()) is DirectRuntime


async def test_a_case_is_heard_alike_on_the_quiet_and_the_stock_runtime(
    open_jury: Callable[..., AbstractAsyncContextManager[Jury]],
    make_case: Callable[..., Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[list[Entry]] = []
    for switch in ("true", "false"):
        monkeypatch.setenv(SWITCH, switch)
        entries: list[Entry] = []
        async with ScriptedServer() as server, open_jury(server, clerk=entries.append) as jury:
            await jury.hear(make_case())
        heard.append([_timeless(entry) for entry in entries])
    assert heard[0] == heard[1]
    assert len(heard[0]) >= 3


async def test_no_words_of_a_case_reach_the_log(
    open_jury: Callable[..., AbstractAsyncContextManager[Jury]],
    make_case: Callable[..., Case],
    logged: list[str],
) -> None:
    case = make_case()
    lost = Response(ResponseOutcome.ERROR, "", detail="It said these words.")
    async with (
        ScriptedServer() as server,
        open_jury(server, spectator=list[object]().append) as jury,
    ):
        verdicts = [await jury.hear(case), await jury.hear(replace(case, response=lost))]
    assert str(verdicts[0]).startswith(f"{verdicts[0].finding}, rating ")
    assert str(verdicts[1]) == "no verdict (no ballots)"
    assert verdicts[1].reason == "the response was not heard: error ([withheld])"
    assert logged
    for line in logged:
        assert "It said these words." not in line
        assert case.query.text not in line
        assert case.response.text not in line
        assert "Scripted reason" not in line


def _timeless(entry: Entry) -> Entry:
    if not isinstance(entry, BallotsRevealed):
        return entry
    return replace(entry, ballots=tuple(replace(cast, latency_s=0.0) for cast in entry.ballots))
