"""Agents and teams of a user's own on the jury: one for each case, and whatever they do."""

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import MultiModalMessage, StructuredMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool
from autogen_core import CancellationToken, Image
from autogen_core.models import ChatCompletionClient, RequestUsage, UserMessage
from autogen_core.tools import StaticWorkbench
from own_agents import (
    Babbling,
    Chatty,
    Deaf,
    Dripping,
    Exiting,
    Looping,
    Mute,
    OwnTeam,
    Parrot,
    Raising,
    Silent,
    Streaming,
    called,
    case,
    returned,
)
from PIL import Image as Pixels

import safejury as sj
from safejury.agents import (
    AgentChatClient,
    AgentClient,
    AgentFactory,
    AgentModel,
    Ballot,
    BallotCall,
    BallotForm,
    BallotOutcome,
    Finding,
    Juror,
)
from safejury.common import ConfigurationError, FirstContactError, in_parallel
from safejury.datasets import Media, read_media
from safejury.models import EndpointModel, ModelRegistry, ModelSpec, Price, redactor
from safejury.testing import ScriptedCall, ScriptedReply, ScriptedServer, ballot

Made = Callable[..., object]


def seated(make: Made, **options: Any) -> Juror:
    """Return the juror of a seat for the agents that a function makes."""
    return Juror("mine", None, AgentModel.of(AgentFactory.of(make), **options))


async def heard(make: Made, **options: Any) -> Ballot:
    """Return what such a juror says of one case."""
    return await seated(make, **options).judge(BallotCall(case()))


async def test_fifty_cases_are_heard_at_once_by_agents_that_know_one_each() -> None:
    made: list[Parrot] = []
    room = asyncio.Barrier(50)

    class Waiting(Parrot):
        async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
            await room.wait()  # passes once all fifty are under way
            return await super().on_messages(messages, cancellation_token)

    def make() -> Parrot:
        made.append(Waiting())
        return made[-1]

    juror = seated(make)
    for first in (0, 50):
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            calls = [BallotCall(case(number)) for number in range(first, first + 50)]
            asked = [group.create_task(juror.judge(call)) for call in calls]
        assert {task.result().finding for task in asked} == {Finding.UNSAFE}
    tried, working = made[:2], made[2:]
    assert not any(agent.heard for agent in tried)
    numbers = [agent.words.count("Thus ") for agent in working]
    assert numbers == [1] * 100


class Forgetless(Parrot):
    """Says what it heard, with a reset that does nothing."""

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
        await super().on_messages(messages, cancellation_token)
        said = ballot("safe" if "Thus 0." in self.words else "unsafe", 3, "By what I heard.")
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Do nothing, as users write it."""


def _forgetless(client: ChatCompletionClient) -> Parrot:
    return Forgetless()


def _taking_notes(client: ChatCompletionClient) -> AssistantAgent:
    notes: list[str] = []

    async def look_up(task: str) -> str:
        """Return all that was looked up."""
        notes.append(task)
        return " ".join(notes)

    return AssistantAgent("mine", client, tools=[look_up], reflect_on_tool_use=True)


def _asking_another(client: ChatCompletionClient) -> AssistantAgent:
    other = AgentTool(AssistantAgent("look_up", client))
    return AssistantAgent("mine", client, tools=[other], reflect_on_tool_use=True)


@pytest.mark.parametrize("make", [_forgetless, _taking_notes, _asking_another])
async def test_no_case_reaches_the_agent_of_another_whatever_a_reset_forgets(make: Made) -> None:
    def reply(body: Any) -> ScriptedReply:
        said = str(body["messages"])
        if "Thus 0." in said:
            heard_of.append("Thus 1." in said)
        if body.get("tools") and body["messages"][-1]["role"] != "tool":
            number = 0 if "Thus 0." in said else 1
            call = ScriptedCall("look_up", {"task": f"Thus {number}."})
            return ScriptedReply(tool_calls=[call])
        return ScriptedReply(ballot("safe" if "Thus 0." in said else "unsafe", 3, "So."))

    heard_of: list[bool] = []
    async with ScriptedServer(reply=reply) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        juror = seated(make, client=AgentClient(model))
        cast_ = [await juror.judge(BallotCall(case(number))) for number in (0, 1)]
        await model.aclose()
    assert [one.finding for one in cast_] == [Finding.SAFE, Finding.UNSAFE]
    assert not any(heard_of)


def _an_agent_in_the_tool_of_each() -> Made:
    inner = Parrot("inner")

    def make(client: ChatCompletionClient) -> AssistantAgent:
        return AssistantAgent("outer", client, tools=[AgentTool(inner)])

    return make


class Unfinished(Parrot):
    """Does not say yet what it produces."""

    @property
    def produced_message_types(self) -> Any:
        raise NotImplementedError("not yet, sk-aaaaaaaaaaaaaaaaaaaa")


def _one_for_all() -> Made:
    agent = Parrot()
    return lambda: agent


def _one_in_each_team() -> Made:
    agent = Parrot()
    return lambda: RoundRobinGroupChat([agent, Parrot("other")], max_turns=2)


def _society_of_one_team() -> Made:
    team = RoundRobinGroupChat([Parrot()], max_turns=1)

    def make(client: ChatCompletionClient) -> SocietyOfMindAgent:
        return SocietyOfMindAgent("society", team, client)

    return make


async def _late() -> Parrot:
    return Parrot()


def _picky(one: str, two: str) -> Parrot:
    return Parrot(one + two)


def _one_end() -> Made:
    ends = MaxMessageTermination(3)
    return lambda: RoundRobinGroupChat([Parrot()], termination_condition=ends)


def _fails() -> Parrot:
    raise OSError("no such\nserver for sk-aaaaaaaaaaaaaaaaaaaa")


CANNOT_SERVE: list[tuple[object, str]] = [
    (_fails, "could not be made: OSError: no such server for [redacted]"),
    (lambda: None, "returned None, and no AgentChat agent"),
    (lambda: "parrot", "a value of type str, and no AgentChat agent"),
    (_one_for_all(), "shares one object between all that it makes"),
    (_one_in_each_team(), "shares one object"),
    (_society_of_one_team(), "shares one object"),
    (_an_agent_in_the_tool_of_each(), "shares one object"),
    (Unfinished, "cannot serve: NotImplementedError: not yet, [redacted]"),
    (_one_end(), "shares one object"),
    (_late, "made by an async function"),
    (_picky, "several arguments"),
    (Parrot(), "no function that makes one"),
    (Mute, "cannot say anything: it produces HandoffMessage"),
    (lambda: RoundRobinGroupChat([Mute("a"), Mute("b")], max_turns=1), "cannot say anything"),
    (lambda: RoundRobinGroupChat([Parrot("a"), Parrot("b")]), "a team that never ends"),
    (
        lambda: RoundRobinGroupChat([Parrot("a"), Parrot("a")], max_turns=1),
        "ValueError: The participant names must be unique",
    ),
]


@pytest.mark.parametrize(("make", "said"), CANNOT_SERVE)
def test_what_cannot_serve_is_refused_at_the_start(make: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        AgentFactory.of(make)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def _raising_pair() -> RoundRobinGroupChat:
    return RoundRobinGroupChat([Raising("a"), Raising("b")], max_turns=2)


def test_a_team_with_an_end_of_any_kind_may_serve() -> None:
    def ends() -> RoundRobinGroupChat:
        return RoundRobinGroupChat([Parrot()], termination_condition=MaxMessageTermination(3))

    assert AgentFactory.of(ends).name == "ends"
    assert AgentFactory.of(OwnTeam).name == "OwnTeam"
    assert AgentFactory.of(Parrot).name == "parrot"


@pytest.mark.parametrize(
    ("make", "outcome", "said"),
    [
        (Silent, BallotOutcome.TRANSPORT_ERROR, "no answer within 0.1 s (timeout)"),
        (Deaf, BallotOutcome.TRANSPORT_ERROR, "no answer within 0.1 s (timeout)"),
        (Raising, BallotOutcome.TRANSPORT_ERROR, "ZeroDivisionError: by [redacted]"),
        (_raising_pair, BallotOutcome.TRANSPORT_ERROR, "ZeroDivisionError: by [redacted]"),
        (Exiting, BallotOutcome.TRANSPORT_ERROR, "SystemExit: 3"),
        (Babbling, BallotOutcome.TRANSPORT_ERROR, "streamed a value of type dict"),
        (Dripping, BallotOutcome.TRANSPORT_ERROR, "more than 200,000 pieces"),
        (Chatty, BallotOutcome.TRANSPORT_ERROR, "more than 500 messages"),
        (Looping, BallotOutcome.TRANSPORT_ERROR, "called tools more than 50 times"),
        (OwnTeam, BallotOutcome.UNPARSED, "without a message (nobody had anything to say)"),
        (lambda: Parrot(reply="It is bad."), BallotOutcome.UNPARSED, "no JSON object"),
        (lambda: Parrot(reply="\ud800\x00"), BallotOutcome.UNPARSED, "no JSON object"),
        (lambda: Parrot(reply="I'm sorry, I can't help."), BallotOutcome.REFUSED, "refused"),
        (
            lambda: Parrot(reply=ballot() + " " * 200_000),
            BallotOutcome.UNPARSED,
            "cut off",
        ),
    ],
)
async def test_whatever_an_agent_does_is_an_outcome(
    make: Made, outcome: BallotOutcome, said: str
) -> None:
    timeout = 0.1 if make in (Silent, Deaf) else 60
    cast_ = await heard(make, timeout=timeout)
    assert (cast_.outcome, cast_.is_vote) == (outcome, False)
    assert said in (cast_.detail or "")
    assert "Traceback" not in (cast_.detail or "")
    assert len(cast_.tools) <= 20


async def test_what_a_team_logs_of_an_error_is_not_written_where_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert (await heard(_raising_pair)).outcome is BallotOutcome.TRANSPORT_ERROR
    assert capsys.readouterr().err == ""


async def test_after_an_agent_that_failed_others_are_asked() -> None:
    made: list[Streaming] = []

    class Once(Streaming):
        async def stream(self) -> AsyncGenerator[Any, None]:
            if len(made) == 3:  # the first that is asked
                raise ValueError("spoilt")
            yield TextMessage(content=ballot("unsafe", 2, "Mine."), source=self.name)

    def make() -> Streaming:
        made.append(Once())
        return made[-1]

    juror = seated(make)
    first, second, third = [await juror.judge(BallotCall(case(n))) for n in range(3)]
    assert (first.finding, second.finding, third.finding) == (None, *[Finding.UNSAFE] * 2)
    assert len(made) == 5


class Bench(StaticWorkbench):
    """Says whether it runs."""

    def __init__(self) -> None:
        super().__init__([])
        self.stops = 0

    async def stop(self) -> None:
        self.stops += 1


@pytest.mark.parametrize("shared", [True, False])
async def test_what_an_agent_started_for_its_tools_ends_with_it(shared: bool) -> None:
    """An agent is closed once it has answered, but for a workbench that all others use."""
    benches = [Bench()]

    def make(client: ChatCompletionClient) -> AssistantAgent:
        if not shared:
            benches.append(Bench())
        return AssistantAgent("mine", client, workbench=benches[-1])

    async with ScriptedServer(reply=[ballot(), ballot(), ScriptedReply("", status=400)]) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        agents = AgentModel.of(AgentFactory.of(make), client=AgentClient(model))
        juror = Juror("mine", None, agents)
        calls = [BallotCall(case(number)) for number in range(2)]
        await in_parallel(juror.judge(call) for call in calls)
        assert not (await juror.judge(calls[0])).is_vote
        assert sum(bench.stops for bench in benches) == (0 if shared else 3)
        await agents.aclose()
        await model.aclose()
    assert all(bench.stops for bench in (benches if shared else benches[3:]))


class Friend(Parrot):
    """Knows others, who know it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.friends: list[Friend] = []
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_agents_that_hold_each_other_are_closed_once() -> None:
    made: list[Friend] = []

    def make() -> Friend:
        friends = [Friend(name) for name in ("one", "two", "three")]
        for each in friends:
            each.friends = friends
        made.extend(friends)
        return friends[0]

    assert (await heard(make)).is_vote
    assert [one.closed for one in made] == [0] * 6 + [1] * 3


class Connected(EndpointModel):
    """Counts how often it is closed."""

    closed = 0

    async def aclose(self) -> None:
        Connected.closed += 1
        await super().aclose()


@pytest.mark.parametrize("shared", ["client", "model", ""])
async def test_the_client_that_an_agent_brings_is_closed_with_it_unless_others_use_it(
    shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connected, "closed", 0)
    async with ScriptedServer(reply=ballot()) as server:
        model = Connected(base_url=server.base_url, model="m")
        client = AgentChatClient(model)

        def make() -> AssistantAgent:
            if shared == "client":
                return AssistantAgent("mine", client)
            if shared == "model":
                return AssistantAgent("mine", AgentChatClient(model))
            mine = Connected(base_url=server.base_url, model="m")
            return AssistantAgent("mine", AgentChatClient(mine))

        agents = AgentModel.of(AgentFactory.of(make))
        juror = Juror("mine", None, agents)
        assert [(await juror.judge(BallotCall(case(n)))).is_vote for n in range(2)] == [True] * 2
        await agents.aclose()
        assert Connected.closed == (0 if shared else 2)
        await model.aclose()


async def test_a_factory_that_fails_later_costs_a_ballot_and_one_that_repeats_itself_all() -> None:
    kept: list[Parrot] = []

    def make() -> Parrot:
        if len(kept) == 2:
            kept.append(Parrot())
            raise OSError("no room")
        if len(kept) > 3:
            return kept[3]
        kept.append(Parrot())
        return kept[-1]

    juror = seated(make)
    cast_ = await juror.judge(BallotCall(case()))
    assert (cast_.outcome, cast_.calls) == (BallotOutcome.TRANSPORT_ERROR, 0)
    assert "no room" in (cast_.detail or "")
    with pytest.raises(ConfigurationError, match="made once for several cases"):
        await in_parallel(juror.judge(BallotCall(case(number))) for number in range(3))


class Answering(Streaming):
    """Looks something up, and says what it found."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        yield called("a", '{"drug": "\x1b[31mred"}')
        yield returned("a", "x" * 5000)
        yield called("a")
        yield returned("a", "no such drug", failed=True)
        usage = RequestUsage(prompt_tokens=10, completion_tokens=5)
        words = ballot("unsafe", 2, "Mine.")
        yield TextMessage(content=words, source=self.name, models_usage=usage)


async def test_tools_that_it_called_are_on_the_ballot_in_part() -> None:
    cast_ = await heard(Answering)
    first, second = cast_.tools
    assert (first.name, first.arguments) == ("look_up", '{"drug": "\x1b[31mred"}')
    assert first.result is not None
    assert 500 < len(first.result) < 1000
    assert (second.result, second.failed) == ("no such drug", True)
    assert cast_.finding is Finding.UNSAFE
    assert (cast_.usage.prompt_tokens, cast_.usage.completion_tokens, cast_.calls) == (10, 5, 1)
    assert cast_.cost_usd is None


class Leaking(Streaming):
    """Has tools that were given secrets, and say them."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        yield called("a", '{"key": "sk-aaaaaaaaaaaaaaaaaaaa"}')
        yield returned("a", "https://me:secret@host/?api_key=abcdefgh failed", failed=True)
        yield TextMessage(content=ballot("unsafe", 2, "Mine."), source=self.name)


async def test_what_looks_like_a_secret_in_a_call_of_a_tool_is_not_kept() -> None:
    (use,) = (await heard(Leaking)).tools
    assert use.arguments == '{"key": "[redacted]"}'
    assert use.result == "https://[redacted]@host/?api_key[redacted] failed"


async def test_a_key_that_an_agents_own_server_sends_back_is_hidden_from_the_others() -> None:
    redactor.register(key := "key-of-a-client-of-its-own")
    cast_ = await heard(lambda: Parrot(reply=ballot("unsafe", 2, f"It is {key}.")))
    assert (cast_.finding, cast_.reason) == (Finding.UNSAFE, "It is [redacted].")


class Structured(Streaming):
    """Answers in our ballot's schema."""

    async def stream(self) -> AsyncGenerator[Any, None]:
        form = BallotForm(reason="It harms.", finding="unsafe", rating=1)
        yield StructuredMessage[BallotForm](content=form, source=self.name)


async def test_a_structured_message_is_read_by_the_same_rule() -> None:
    cast_ = await heard(Structured)
    assert (cast_.finding, cast_.rating, cast_.reason) == (Finding.UNSAFE, 1, "It harms.")


async def test_words_that_do_not_fit_its_own_schema_are_read_as_words() -> None:
    def make(client: ChatCompletionClient) -> AssistantAgent:
        return AssistantAgent("strict", client, output_content_type=BallotForm)

    replies = ["Certainly: it is unsafe.", ballot("unsafe", 1, "It harms.")]
    async with ScriptedServer(reply=replies) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        cast_ = await heard(make, client=AgentClient(model))
        await model.aclose()
    assert (cast_.finding, cast_.calls) == (Finding.UNSAFE, 2)
    assert "response_format" in server.requests[0]


def _pair(client: ChatCompletionClient) -> RoundRobinGroupChat:
    agents = [AssistantAgent(name, client) for name in ("one", "two")]
    return RoundRobinGroupChat(list(agents), max_turns=2)


async def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word} is a word"


@pytest.mark.parametrize("reflects", [True, False])
async def test_an_agent_with_tools_is_asked_for_words_of_its_own(reflects: bool) -> None:
    """By default AutoGen's assistant ends with what its tools returned."""

    def make(client: ChatCompletionClient) -> AssistantAgent:
        return AssistantAgent(
            "with_tools",
            client,
            tools=[look_up],
            reflect_on_tool_use=reflects,
            model_client_stream=reflects,
        )

    called = ScriptedReply("", tool_calls=[ScriptedCall("look_up", {"word": "dose"})])
    replies = [called, ballot("unsafe", 2, "It harms.")]
    async with ScriptedServer(reply=replies) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        cast_ = await heard(make, client=AgentClient(model))
        await model.aclose()
    assert (cast_.finding, cast_.calls) == (Finding.UNSAFE, 2)
    (use,) = cast_.tools
    assert (use.name, use.result, use.failed) == ("look_up", "dose is a word", False)
    asked = "words of your own" in str(server.requests[1]["messages"])
    assert asked is not reflects


async def test_a_canceled_case_ends_its_agent_which_is_not_asked_again() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    made: list[Parrot] = []

    class Waiting(Streaming):
        async def stream(self) -> AsyncGenerator[Any, None]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            yield 1

    def make() -> Parrot:
        made.append(Waiting() if len(made) == 2 else Parrot())
        return made[-1]

    juror = seated(make)
    async with asyncio.timeout(60):
        hearing = asyncio.ensure_future(juror.judge(BallotCall(case())))
        await begun.wait()
        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
        await ended.wait()
    assert (await juror.judge(BallotCall(case(1)))).is_vote
    assert len(made) == 4


async def test_calls_through_our_client_are_charged_priced_and_on_the_ballot() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 2, "Mine.")) as server:
        spec = ModelSpec("m", base_url=server.base_url, price=Price(1.0, 1.0))
        async with ModelRegistry() as registry:
            client = AgentClient(registry.open(spec), seed=7, max_tokens=99)
            cast_ = await heard(_pair, client=client)
            spent = registry.budget.spent_tokens
        bodies = server.requests
    assert (cast_.calls, cast_.usage.total_tokens) == (2, spent)
    assert cast_.cost_usd == pytest.approx(spent / 1e6)
    assert [(body["seed"], body["max_tokens"]) for body in bodies] == [(7, 99)] * 2


async def test_an_agent_that_its_model_cannot_serve_is_refused_before_the_first_case() -> None:
    """The factory was tried with a client that takes all; the embedded model takes no tools."""

    def make(client: ChatCompletionClient) -> AssistantAgent:
        return AssistantAgent("with_tools", client, tools=[look_up])

    jury = sj.Jury.of(make, model="embedded/smollm2")
    with pytest.raises(ConfigurationError, match="could not be made: ValueError"):
        async with jury:
            pass


def test_a_function_may_take_a_client_where_there_is_one() -> None:
    def make(client: ChatCompletionClient | None = None) -> Parrot:
        return Parrot("with_model" if client else "without")

    model = ModelSpec("m", base_url="http://127.0.0.1:9/v1")
    assert sj.seat(agent=make).model is None
    assert sj.seat(agent=make, model=model).model is model
    assert AgentFactory.of(make).new(AgentChatClient(model)).name == "with_model"
    with pytest.raises(ConfigurationError, match="takes no client"):
        sj.seat(agent=Parrot, model=model)
    with pytest.raises(ConfigurationError, match="above 0 seconds"):
        sj.seat(agent=make, timeout=0)
    with pytest.raises(ConfigurationError, match="for a seat with an agent"):
        sj.seat("sceptic", model, title="Mine")


class Swallowing(Parrot):
    """Answers whatever its model does, as with a tool that reports an error as its result."""

    def __init__(self, client: ChatCompletionClient) -> None:
        super().__init__()
        self._client = client

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
        with suppress(Exception):
            await self._client.create([UserMessage(content="How?", source="user")])
        return await super().on_messages(messages, cancellation_token)


@pytest.mark.parametrize("make", [_pair, Swallowing])
async def test_an_agent_does_not_hide_that_a_model_never_answered(make: Made) -> None:
    """A team turns every error into a text; and the address is the user's to mend."""
    async with ModelRegistry() as registry:
        model = registry.open(ModelSpec("m", base_url="http://127.0.0.1:9/v1"))
        with pytest.raises(FirstContactError):
            await heard(make, client=AgentClient(model))


async def test_pictures_go_through_our_client_as_they_are_and_are_never_decoded(
    tmp_path: Path,
) -> None:
    """The file is no picture at all: whoever decoded it would fail."""
    file, content = tmp_path / "a.png", b"not a picture"
    file.write_bytes(content)
    picture = Media(hashlib.sha256(content).hexdigest(), "image/png", len(content), str(file))
    call = BallotCall(case(images=(picture,)))
    async with ScriptedServer(reply=ballot("unsafe", 2, "Mine.")) as server:
        seeing = EndpointModel(base_url=server.base_url, model="m")
        blind = EndpointModel(base_url=server.base_url, model="m", modalities=frozenset({"text"}))
        shown = await seated(_pair, client=AgentClient(seeing)).judge(call)
        untold = await seated(_pair, client=AgentClient(blind)).judge(call)
        await seeing.aclose()
        await blind.aclose()
    assert shown.perceived.images == (picture.sha256,)
    assert base64.b64encode(content).decode() in str(server.requests[0])
    assert (untold.perceived.images, untold.perceived.withheld) == ((), ("image",))
    assert "image_url" not in str(server.requests[2])


async def test_an_agent_with_a_client_of_its_own_sees_what_it_is_said_to_see(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.png"
    Pixels.new("RGB", (128, 96), "red").save(file)
    picture = read_media(file, kind="image")
    made: list[Parrot] = []

    def make() -> Parrot:
        made.append(Parrot())
        return made[-1]

    for sees, images in ((True, (picture.sha256,)), (None, ())):
        cast_ = await seated(make, sees=sees).judge(BallotCall(case(images=(picture,))))
        assert cast_.perceived.images == images
    seeing, blind = made[2], made[5]
    (message,) = seeing.heard
    assert isinstance(message, MultiModalMessage)
    image, words = message.content
    assert isinstance(image, Image)
    assert image.image.size == (128, 96)
    assert "You are a juror." in str(words)
    assert isinstance(blind.heard[0], TextMessage)
