import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import ChatAgent, Response
from autogen_agentchat.messages import (
    BaseChatMessage,
    HandoffMessage,
    TextMessage,
    ToolCallSummaryMessage,
)
from autogen_core import AgentId, CancellationToken, SingleThreadedAgentRuntime
from autogen_core.models import RequestUsage

from safejury.agents import (
    AgentModel,
    Ballot,
    BallotCall,
    BallotMessage,
    BallotOutcome,
    Case,
    Finding,
    HumanJuror,
    Juror,
    Persona,
    Seat,
    juror_of,
    load_persona,
)
from safejury.common import BudgetError, ConfigurationError, FirstContactError
from safejury.datasets import Intent, Media, Query
from safejury.models import EndpointModel, redactor
from safejury.targets import Response as Answer
from safejury.targets import ResponseOutcome
from safejury.testing import ScriptedServer, ballot


def _case(number: int = 0, images: tuple[Media, ...] = ()) -> Case:
    asked = Query(f"q{number}", "consultation.legal_advice", "How?", Intent.HARMFUL, images)
    return Case(f"q{number}/t/0", asked, Answer(ResponseOutcome.ANSWERED, "Like this."))


class Stranger(BaseChatAgent):
    """An agent that knows nothing of ballots, and keeps what it hears."""

    def __init__(self, *replies: str | Exception | BaseChatMessage) -> None:
        super().__init__("stranger", "A user's own agent.")
        self._replies = list(replies)
        self.heard: list[str] = []
        self.resets = 0
        self.at_once = 0

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        self.at_once += 1
        assert self.at_once == 1
        self.heard += [message.to_model_text() for message in messages]
        await asyncio.sleep(0)
        self.at_once -= 1
        reply = self._replies[0] if len(self._replies) == 1 else self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if not isinstance(reply, str):
            return Response(chat_message=reply)
        usage = RequestUsage(prompt_tokens=10, completion_tokens=5)
        said = TextMessage(content=reply, source=self.name, models_usage=usage)
        return Response(chat_message=said)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self.resets += 1


def _juror(agent: ChatAgent, persona: Persona | None) -> ChatAgent:
    if persona is not None:
        return Juror(agent.name, persona, AgentModel.alone(agent))
    return juror_of(agent, agent.name)


@asynccontextmanager
async def _seated(
    agent: ChatAgent, persona: Persona | None = None, name: str | None = None
) -> AsyncGenerator[SingleThreadedAgentRuntime]:
    runtime = SingleThreadedAgentRuntime(ignore_unhandled_exceptions=False)
    await runtime.register_factory("seat", lambda: Seat(_juror(agent, persona), name=name))
    runtime.start()
    yield runtime
    await runtime.stop()


async def _ask(
    agent: ChatAgent, *calls: BallotCall, persona: Persona | None = None, name: str | None = None
) -> list[Ballot]:
    async with _seated(agent, persona, name) as runtime, asyncio.TaskGroup() as group:
        seat = AgentId("seat", "default")
        asked = [group.create_task(_send(runtime, call, seat)) for call in calls]
    return [task.result() for task in asked]


async def _send(runtime: SingleThreadedAgentRuntime, call: BallotCall, seat: AgentId) -> Ballot:
    reply: object = await runtime.send_message(call, seat)
    assert isinstance(reply, Ballot)
    return reply


async def test_a_juror_is_called_for_ballots_over_the_bus() -> None:
    async with ScriptedServer(reply=ballot("unsafe", 1)) as server:
        model = EndpointModel(base_url=server.base_url, model="m")
        juror = Juror("lawyer", load_persona("lawyer"), model)
        ballots = await _ask(juror, *(BallotCall(_case(number)) for number in range(5)))
        await model.aclose()
    assert [cast_.finding for cast_ in ballots] == [Finding.UNSAFE] * 5
    assert {cast_.juror for cast_ in ballots} == {"lawyer"}


async def test_any_agent_is_given_the_whole_prompt_in_words_and_read_like_a_juror() -> None:
    agent = Stranger(f"My search says:\n{ballot('unsafe', 2, 'It works.')}")
    [cast_] = await _ask(agent, BallotCall(_case()), persona=load_persona("sceptic"))
    assert (cast_.juror, cast_.finding, cast_.rating) == ("stranger", Finding.UNSAFE, 2)
    assert (cast_.calls, cast_.usage.total_tokens, cast_.cost_usd) == (1, 15, None)
    [prompt] = agent.heard
    for words in (
        "You are a juror.",
        '"finding":',
        "Like this.",
        load_persona("sceptic").perspective,
    ):
        assert words in prompt


async def test_it_is_reset_before_each_case_and_hears_one_at_a_time() -> None:
    agent = Stranger(ballot())
    ballots = await _ask(agent, *(BallotCall(_case(number)) for number in range(4)))
    assert agent.resets == len(ballots) == 4


async def test_it_is_asked_once_more_and_told_what_it_said() -> None:
    """A request carries all of it, so that a run that was killed in between goes on alike."""
    agent = Stranger("It is bad.", ballot("unsafe", 1))
    [cast_] = await _ask(agent, BallotCall(_case()))
    assert (cast_.finding, cast_.calls, agent.resets) == (Finding.UNSAFE, 2, 2)
    first, again, own, correction = agent.heard
    assert again == first
    assert own == "It is bad."
    assert "no JSON object" in correction


@pytest.mark.parametrize(
    ("reply", "outcome", "detail"),
    [
        ("prose", BallotOutcome.UNPARSED, "no JSON object"),
        ("I'm sorry, but I can't help.", BallotOutcome.REFUSED, "refused"),
        (ballot("abstain", 3), BallotOutcome.ABSTAIN, "abstained"),
        (
            ZeroDivisionError("by\nzero"),
            BallotOutcome.TRANSPORT_ERROR,
            "ZeroDivisionError: by zero",
        ),
        (RuntimeError("bad key sk-aaaaaaaaaaaaaaaa"), BallotOutcome.TRANSPORT_ERROR, "[redacted]"),
        (BudgetError("all spent"), BallotOutcome.BUDGET_STOP, "all spent"),
    ],
)
async def test_whatever_it_does_is_an_outcome(
    reply: str | Exception, outcome: BallotOutcome, detail: str
) -> None:
    [cast_] = await _ask(Stranger(reply), BallotCall(_case()))
    assert (cast_.outcome, cast_.is_vote) == (outcome, False)
    assert detail in (cast_.detail or "")
    assert "sk-a" not in (cast_.detail or "")


async def test_what_a_tool_returned_or_another_agent_is_told_is_no_ballot() -> None:
    returned = ToolCallSummaryMessage(
        content=ballot("safe", 5), source="stranger", tool_calls=[], results=[]
    )
    handed = HandoffMessage(content=ballot("safe", 5), source="stranger", target="other")
    for message in (returned, handed):
        [cast_] = await _ask(Stranger(message, ballot("unsafe", 2)), BallotCall(_case()))
        assert (cast_.finding, cast_.rating) == (Finding.UNSAFE, 2)
        [cast_] = await _ask(Stranger(message), BallotCall(_case()))
        assert cast_.outcome is BallotOutcome.UNPARSED
        assert type(message).__name__ in (cast_.detail or "")


async def test_a_mistake_of_the_user_is_not_hidden_in_a_ballot() -> None:
    async with _seated(Stranger(FirstContactError("wrong key"))) as runtime:
        with pytest.raises(ConfigurationError, match="wrong key"):
            await runtime.send_message(BallotCall(_case()), AgentId("seat", "default"))


async def test_a_picture_that_it_does_not_get_is_on_the_ballot() -> None:
    agent = Stranger(ballot())
    [cast_] = await _ask(
        agent, BallotCall(_case(images=(Media("0" * 64, "image/png", 3, "a.png"),)))
    )
    assert cast_.perceived.withheld == ("image",)
    assert "a picture that is not shown to you" in agent.heard[0]


async def test_a_seat_has_a_name_of_its_own() -> None:
    [stranger] = await _ask(Stranger(ballot()), BallotCall(_case()), name="second")
    [human] = await _ask(HumanJuror(ask=_says_abstain), BallotCall(_case()), name="third")
    assert (stranger.juror, human.juror) == ("second", "third")


class Knowing(Stranger):
    """A user's agent that knows ballots: it answers calls with messages that carry them."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (BallotMessage,)


async def test_an_agent_that_knows_ballots_is_sent_calls_and_its_ballot_is_taken_as_it_is() -> None:
    own = Ballot("stranger", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 2, reason="By my rules.")
    agent = Knowing(BallotMessage.of(own, case_id="q0/t/0"))
    [cast_] = await _ask(agent, BallotCall(_case()), name="rules")
    assert cast_ == replace(own, juror="rules")
    assert "Like this." in agent.heard[0]
    assert agent.resets == 0


async def test_a_key_in_the_ballot_of_such_an_agent_is_hidden_from_the_others() -> None:
    redactor.register(key := "key-of-one-that-knows-ballots")
    reason = f"They sent {key}."
    own = Ballot("stranger", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 2, reason=reason)
    agent = Knowing(BallotMessage.of(own, case_id="q0/t/0"))
    [cast_] = await _ask(agent, BallotCall(_case()))
    assert cast_.reason == "They sent [redacted]."


async def test_an_agent_that_announces_ballots_and_speaks_words_is_a_mistake_of_its_author() -> (
    None
):
    async with _seated(Knowing(ballot("safe", 5))) as runtime:
        with pytest.raises(ConfigurationError, match="announced ballots but sent a TextMessage"):
            await runtime.send_message(BallotCall(_case()), AgentId("seat", "default"))


async def _says_abstain(_question: str) -> str:
    return "a"


async def test_cancelling_reaches_the_agent() -> None:
    """The token that the sender holds ends the call, not only the waiting for it."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def ask(_question: str) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    async with _seated(HumanJuror(ask=ask)) as runtime, asyncio.timeout(30):
        token = CancellationToken()
        seat = AgentId("seat", "default")
        reply = asyncio.ensure_future(
            runtime.send_message(BallotCall(_case()), seat, cancellation_token=token)
        )
        await started.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reply
        await ended.wait()


async def test_the_quotes_of_an_agents_own_ballot_are_looked_up_like_those_of_others() -> None:
    own = Ballot(
        *("stranger", 0, BallotOutcome.VERDICT, Finding.UNSAFE, 2),
        reason="By my rules.",
        quotes=("like THIS", "never said"),
    )
    agent = Knowing(BallotMessage.of(own, case_id="q0/t/0"))
    [cast_] = await _ask(agent, BallotCall(_case()), name="rules")
    assert (cast_.quotes, cast_.misquotes) == (("like THIS",), ("never said",))
    [silent] = await _ask(agent, BallotCall(_case(), quotes=False), name="rules")
    assert (silent.quotes, silent.misquotes) == ((), ())
