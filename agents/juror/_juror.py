"""Jurors: a persona and a model, asked for ballots as AgentChat agents."""

from ...common import ConfigurationError, DatasetError, ModelError
from ...common.text import quoted
from ...datasets import ImageFitter
from ...models import ChatMessage, ChatModel, ChatRequest, Completion, Sampling
from ..autogen import AgentModel, AnyAgent, BallotCaster, SeatAgent, gives_ballots
from ..ballot import (
    ATTEMPTS,
    BALLOT_SCHEMA,
    QUOTING_BALLOT_SCHEMA,
    Ballot,
    BallotCall,
    BallotForm,
    CallMeter,
    NoBallot,
    StatedBallot,
    cast,
    cast_failure,
    correction,
    fit_pictures,
    heard,
    juror_messages,
    parse_ballot,
    perceive,
    shown,
    task,
    unshown,
)
from ..case import neutralize
from ..personas import Persona

_REPLY_SHOWN_AGAIN = 1000


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
    ) -> None:
        if not name.isidentifier():
            raise ConfigurationError(
                f"juror name {quoted(name)}: use letters, digits and underscores only"
            )
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

    async def judge(self, call: BallotCall) -> Ballot:
        """Return the juror's ballot; failures of the model are outcomes of it.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        meter, modalities = CallMeter(), self.model.modalities
        try:
            call, modalities = await fit_pictures(call, modalities, self._fitting, meter)
        except DatasetError as error:
            return unshown(self.name, call, error, meter)
        perceived = perceive(call.case, modalities)
        evidence = shown(call, perceived)
        messages = juror_messages(call, self._task, perceived)
        read: BallotForm | NoBallot | None = None
        for attempt in range(ATTEMPTS):
            try:
                completion = await self.model.complete(self._request(call, messages, attempt))
            except ModelError as error:
                return cast_failure(self.name, call, error, perceived=perceived, meter=meter)
            meter.add(completion)
            read = parse_ballot(completion, evidence=evidence, peers=heard(call))
            if not (isinstance(read, NoBallot) and read.may_retry):
                break
            messages = (*messages, *_correction(completion, read, call))
        assert read is not None
        return cast(self.name, call, read, perceived=perceived, meter=meter)

    def _request(
        self, call: BallotCall, messages: tuple[ChatMessage, ...], attempt: int
    ) -> ChatRequest:
        return ChatRequest(
            messages,
            QUOTING_BALLOT_SCHEMA if call.quotes else BALLOT_SCHEMA,
            self._sampling,
            self._seed,
            self._max_tokens,
            f"{call.case.id}/r{call.round}/{self.name}/a{attempt}",
        )


def _correction(
    completion: Completion, problem: NoBallot, call: BallotCall
) -> tuple[ChatMessage, ChatMessage]:
    # Chat templates and servers reject turns that are empty.
    said = neutralize(completion.text[:_REPLY_SHOWN_AGAIN]).strip() or "(nothing)"
    return ChatMessage.of("assistant", said), ChatMessage.of("user", correction(problem, call))


def juror_of(agent: AnyAgent, name: str) -> SeatAgent:
    """Return an agent or a team as a juror of that name; one that gives ballots as it is.

    Any other reads the whole prompt as a message, answers in words or in a `StructuredMessage`,
    and is read like a juror. It hears one case at a time: `AgentModel.of` makes one for each.
    """
    if gives_ballots(agent):
        return agent
    return Juror(name if name.isidentifier() else agent.name, None, AgentModel.alone(agent))
