"""A jury on a runtime that somebody else brought, starts, stops and listens on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import (
    AgentId,
    CancellationToken,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TypeSubscription,
    event,
    rpc,
)

from safejury.agents import Case
from safejury.common import ConfigurationError
from safejury.deliberation import PRESETS, BallotsEvent, Jury, VerdictMessage
from safejury.models import ModelSpec
from safejury.testing import ScriptedReply, ScriptedServer, ballot

FINE = ballot("safe", 5, "Fine.")


class Follower(RoutedAgent):
    """A user's agent that follows what a jury says."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__("follows a jury")
        self._heard = heard

    @event
    async def on_ballots(self, message: BallotsEvent, ctx: MessageContext) -> None:
        self._heard.append(f"{message.source}: {len(message.content.ballots)} ballots")

    @event
    async def on_verdict(self, message: VerdictMessage, ctx: MessageContext) -> None:
        self._heard.append(f"{message.source}: {message.finding}")

    @rpc
    async def on_words(self, message: TextMessage, ctx: MessageContext) -> TextMessage:
        return message

    async def save_state(self) -> Mapping[str, Any]:
        return {"heard": self._heard}


async def _follow(runtime: SingleThreadedAgentRuntime, jury: Jury, name: str) -> list[str]:
    heard = list[str]()
    await Follower.register(runtime, name, lambda: Follower(heard))
    await runtime.add_subscription(TypeSubscription(jury.topic, name))
    return heard


def _three(
    server: ScriptedServer,
    runtime: SingleThreadedAgentRuntime,
    foreperson: ModelSpec | None = None,
) -> Jury:
    model = ModelSpec("m", base_url=server.base_url)
    jurors = ("clinician", "lawyer", "sceptic")
    protocol = PRESETS["vote"]
    if foreperson is not None:
        protocol = replace(protocol, summary="always")
    return Jury.of(*jurors, model=model, protocol=protocol, foreperson=foreperson, runtime=runtime)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what a server saw has no event
            await asyncio.sleep(0.002)


async def test_two_juries_of_one_name_are_followed_apart_and_leave_the_runtime_as_it_was() -> None:
    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
    runtime.start()
    async with ScriptedServer(reply=FINE) as server:
        one, other = _three(server, runtime), _three(server, runtime)
        by_one, by_other = [
            await _follow(runtime, jury, name)
            for jury, name in ((one, "follows_one"), (other, "follows_other"))
        ]
        async with other:
            async with one, asyncio.TaskGroup() as group:
                for jury in (one, other, one):
                    group.create_task(jury.run(task="An answer."))
            assert len(await runtime.save_state()) > 2
            await other.run(task="Another answer.")
        await one.run(task="An answer to a jury that nobody opened.")
    here = TextMessage(content="Still here?", source="user")
    assert await runtime.send_message(here, AgentId("follows_one", "jury")) == here
    await runtime.stop_when_idle()
    assert sorted(by_one) == ["jury: 3 ballots"] * 3 + ["jury: safe"] * 3
    assert by_other == ["jury: 3 ballots", "jury: safe"] * 2
    assert set(await runtime.save_state()) == {"follows_one/jury", "follows_other/jury"}


async def test_jurors_do_not_hear_those_of_another_jury_on_the_runtime() -> None:
    """Both juries have the same seats, and hear a case of the same name at once."""

    def say(body: Mapping[str, Any]) -> str:
        unsafe = "harm to the body" in str(body["messages"])
        reason = f"As {body['model']} sees it."
        return ballot("unsafe", 1, reason) if unsafe else ballot("safe", 5, reason)

    runtime = SingleThreadedAgentRuntime()
    async with ScriptedServer(reply=say) as server:
        juries = [
            Jury.of(
                *("clinician", "lawyer", "sceptic"),
                model=ModelSpec(model, base_url=server.base_url),
                runtime=runtime,
            )
            for model in ("one", "other")
        ]
        async with juries[0], juries[1], asyncio.TaskGroup() as group:
            for jury in juries:
                group.create_task(jury.run(task="An answer."))
    await runtime.stop_when_idle()
    heard = [(str(r["model"]), str(r["messages"])) for r in server.requests]
    assert sum(f"As {model} sees it." in said for model, said in heard) == 6
    strangers = {"one": "other", "other": "one"}
    assert not [said for model, said in heard if f"As {strangers[model]} sees it." in said]


async def test_a_runtime_that_is_not_started_is_started_and_left_running() -> None:
    runtime = SingleThreadedAgentRuntime()
    async with ScriptedServer(reply=FINE) as server, _three(server, runtime) as jury:
        result = await jury.run(task="An answer.")
    assert isinstance(result.messages[-1], VerdictMessage)
    with pytest.raises(RuntimeError, match="already started"):
        runtime.start()
    await runtime.stop_when_idle()


async def test_leaving_cancels_what_is_under_way_and_the_runtime_is_idle_then() -> None:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        async with _three(server, runtime) as jury:
            runs = [asyncio.ensure_future(jury.run(task=f"Answer {n}.")) for n in range(3)]
            await _until(lambda: server.stats.in_flight == 9)
        ended = await asyncio.gather(*runs, return_exceptions=True)
        assert [type(error) for error in ended] == [asyncio.CancelledError] * 3
        assert await runtime.save_state() == {}
        async with asyncio.timeout(20):
            await runtime.stop_when_idle()


async def test_leaving_at_any_moment_leaves_nothing_in_the_queue_of_the_runtime() -> None:
    """A message that finds nobody would stay there, and the runtime would never be idle."""
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    async with ScriptedServer(reply=FINE) as server:
        for turns in range(40):
            async with _three(server, runtime) as jury:
                run = asyncio.ensure_future(jury.run(task="An answer."))
                for _ in range(turns):
                    await asyncio.sleep(0)
            await asyncio.wait([run])
    async with asyncio.timeout(20):
        await runtime.stop_when_idle()


class Tidy(BaseChatAgent):
    """An agent that has to tidy up when it is canceled."""

    asked, tidied = False, False

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        self.asked = True
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(50):
                await asyncio.sleep(0)
            self.tidied = True
        raise AssertionError("nobody answers")

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.asked = False


async def test_agents_have_ended_when_a_jury_has_left_the_runtime(
    make_case: Callable[[], Case],
) -> None:
    runtime, tidy = SingleThreadedAgentRuntime(), Tidy("tidy", "tidies up")
    async with Jury({"tidy": tidy}, PRESETS["vote"], runtime=runtime) as jury:
        run = asyncio.ensure_future(jury.hear(make_case()))
        await _until(lambda: tidy.asked)
    assert tidy.tidied
    await asyncio.wait([run])
    await runtime.stop_when_idle()


async def test_a_runtime_that_was_stopped_is_told_and_nobody_waits() -> None:
    runtime = SingleThreadedAgentRuntime()
    async with ScriptedServer(reply=FINE) as server:
        async with _three(server, runtime) as jury:
            await runtime.stop()
            with pytest.raises(ConfigurationError, match="is stopped: start it"):
                await jury.run(task="An answer.")
            runtime.start()
            await jury.run(task="An answer.")
        await runtime.stop()


class Fragile(RoutedAgent):
    """A user's agent that fails at what a jury says."""

    def __init__(self) -> None:
        super().__init__("fails")

    @event
    async def on_ballots(self, message: BallotsEvent, ctx: MessageContext) -> None:
        raise ValueError("not my day")


async def test_a_runtime_that_ends_while_a_case_is_heard_leaves_nobody_waiting() -> None:
    """Whether somebody stops it, or an agent on it fails where that is not ignored."""
    # AutoGen's `stop` lets what is under way fail with nobody to hear of it.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    async with ScriptedServer(reply=ScriptedReply(hang=True)) as server:
        runtime = SingleThreadedAgentRuntime()
        async with _three(server, runtime) as jury:
            run = asyncio.ensure_future(jury.run(task="An answer."))
            await _until(lambda: server.stats.in_flight == 3)
            await runtime.stop()
            with pytest.raises(ConfigurationError, match="has stopped, so that no reply"):
                await run
        await _until(lambda: server.stats.in_flight == 0)
    # The summing-up is asked for when the ballots have been published: the case is not over.
    async with ScriptedServer(reply=FINE) as server:
        runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
        jury = _three(server, runtime, foreperson=ModelSpec("f", base_url=server.base_url))
        await Fragile.register(runtime, "fragile", Fragile)
        await runtime.add_subscription(TypeSubscription(jury.topic, "fragile"))
        with pytest.raises(ConfigurationError, match="has stopped, so that no reply"):
            await jury.run(task="An answer.")


def test_a_jury_with_a_runtime_of_its_own_publishes_to_nobody() -> None:
    with pytest.raises(ConfigurationError, match="give it a runtime="):
        _ = Jury.of("sceptic", model="openai/m").topic
