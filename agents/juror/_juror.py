"""Jurors: a persona and a model, asked for ballots as AgentChat agents."""

from dataclasses import replace

from ...common import ModelError, RequestError
from ...datasets import ImageFitter
from ...models import ChatMessage, ChatModel, ChatRequest, JsonSchema, Sampling
from ..autogen import AnyAgent, BallotCaster, SeatAgent, gives_ballots
from ..ballot import (
    BALLOT_SCHEMA,
    QUOTING_BALLOT_SCHEMA,
    TEXT_ONLY,
    Ballot,
    BallotCall,
    BallotForm,
    CallMeter,
    NoBallot,
    StatedBallot,
    case_words,
    cast,
    cast_failure,
    correction,
    fit_case,
    fit_pictures,
    heard,
    juror_messages,
    parse_ballot,
    perceive,
    shown,
    task,
)
from ..personas import Persona
from ..talk import (
    Remark,
    RemarkCall,
    failed_remark,
    parse_remark,
    parse_words,
    remark_again,
    remark_messages,
    remark_of,
    remark_schema,
)
from ._asking import ask


class Juror(BallotCaster):
    """A persona and a model, or an agent in its place. It keeps no state: a call carries all.

    Example:
        >>> juror = Juror("sceptic", load_persona("sceptic"), model)
        >>> ballot = await juror.judge(BallotCall(case))

    Args:
        name: The seat's name: letters, digits and underscores.
        persona: What it looks for; None lets it judge as itself.
        model: What it thinks with; see `AgentModel` for agents.
        sampling: How words are drawn; None takes the persona's. Where neither says
            anything, the juror is greedy.
        seed: Seed for models that take one.
        max_tokens: Cap on the tokens of one reply, at least 1.
        fitting: Makes pictures fit the model's limits; None sends them as they are.
        output_content_type: `StatedBallot` for structured messages in a team of yours; None
            for words.
        speaks_in_words: Whether it answers in words, and not by an object, in its turn at a
            roundtable.
    """

    def __init__(
        self,
        name: str,
        persona: Persona | None,
        model: ChatModel,
        *,
        sampling: Sampling | None = None,
        seed: int | None = None,
        max_tokens: int = 512,
        fitting: ImageFitter | None = None,
        output_content_type: type[StatedBallot] | None = None,
        speaks_in_words: bool = False,
    ) -> None:
        described = persona.title if persona else f"A juror: {name}"
        super().__init__(name, described, output_content_type=output_content_type)
        self.persona = persona
        self.model = model
        own = Sampling()
        if persona is not None:
            own = Sampling(persona.sampling.temperature, persona.sampling.top_p)
        self._sampling = (sampling or own).or_greedy()
        self._seed = seed
        self._max_tokens = max_tokens
        self._fitting = fitting
        self._task = task(persona)
        self._speaks_in_words = speaks_in_words

    async def judge(self, call: BallotCall) -> Ballot:
        """Return the juror's ballot; failures of the model are outcomes of it.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        meter, modalities = CallMeter(), self.model.modalities
        try:
            call, modalities = await fit_pictures(call, modalities, self._fitting, meter)
        except RequestError as error:
            perceived = perceive(call.case, TEXT_ONLY)
            return cast_failure(self.name, call, error, perceived=perceived, meter=meter)
        perceived = perceive(call.case, modalities)
        evidence, peers = shown(call, perceived), heard(call)
        request = self._request(
            juror_messages(call, self._task, perceived),
            QUOTING_BALLOT_SCHEMA if call.quotes else BALLOT_SCHEMA,
            f"{call.vote_id}/{self.name}/a0",
        )
        try:
            read = await ask(
                self.model,
                request,
                meter,
                lambda reply: parse_ballot(reply, evidence=evidence, peers=peers),
                lambda ballot: _ballot_again(call, ballot),
            )
        except ModelError as error:
            return cast_failure(self.name, call, error, perceived=perceived, meter=meter)
        return cast(self.name, call, read, perceived=perceived, meter=meter)

    async def speak(self, call: RemarkCall) -> Remark:
        """Return what came of one turn at the roundtable; failures are outcomes of it.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        meter, modalities = CallMeter(), self.model.modalities
        try:
            case, modalities = await fit_case(call.case, modalities, self._fitting, meter)
        except RequestError as error:
            perceived = perceive(call.case, TEXT_ONLY)
            return failed_remark(self.name, call, error, perceived=perceived, meter=meter)
        call = replace(call, case=case)
        perceived, table = perceive(call.case, modalities), call.conversation
        in_words, evidence = self._speaks_in_words, case_words(call.case, perceived)
        parse = parse_words if in_words else parse_remark
        request = self._request(
            remark_messages(call, self.persona, perceived, in_words=in_words),
            None if in_words else remark_schema(tuple(name for name, _ in table.ballots)),
            f"{call.case.id}/r{call.round}/{self.name}/t{call.turn}a0",
        )
        try:
            read = await ask(
                self.model,
                request,
                meter,
                lambda reply: parse(
                    reply, alias=table.alias, others=table.others, evidence=evidence
                ),
                lambda turn: remark_again(call, turn, in_words=in_words),
            )
        except ModelError as error:
            return failed_remark(self.name, call, error, perceived=perceived, meter=meter)
        return remark_of(self.name, call, read, perceived=perceived, meter=meter)

    def _request(
        self, messages: tuple[ChatMessage, ...], schema: JsonSchema | None, call_id: str
    ) -> ChatRequest:
        return ChatRequest(messages, schema, self._sampling, self._seed, self._max_tokens, call_id)


def _ballot_again(call: BallotCall, read: BallotForm | NoBallot) -> str:
    return correction(read, call) if isinstance(read, NoBallot) and read.may_retry else ""


def juror_of(agent: AnyAgent, name: str) -> SeatAgent:
    """Return an agent or a team as a juror of that name; one that gives ballots as it is.

    Any other reads the whole prompt as a message, answers in words or in a `StructuredMessage`,
    and is read like a juror. It hears one case at a time: `AgentModel.of` makes one for each.
    """
    if gives_ballots(agent):
        return agent
    from ..autogen import AgentModel  # teams and tools: not for jurors of models

    called = name if name.isidentifier() else agent.name
    return Juror(called, None, AgentModel.alone(agent), speaks_in_words=True)
