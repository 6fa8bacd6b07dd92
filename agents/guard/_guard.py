"""A guard on the jury: a safety classifier that is asked once, in its own dialect."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from ...common import ModelError, RequestError, in_parallel
from ...datasets import ImageFitter
from ...models import ChatModel, ChatRequest, Completion, Sampling
from ..autogen import BallotCaster
from ..ballot import (
    TEXT_ONLY,
    Ballot,
    BallotCall,
    BallotOutcome,
    CallMeter,
    Classification,
    Finding,
    NoBallot,
    Perceived,
    cast,
    cast_failure,
    fit_pictures,
    perceive,
    shown,
)
from ._asking import Asked, ask
from ._dialect import Controversial, load_guard
from ._reading import GuardForm, read_guard

_TOP_LOGPROBS = 5
"""More than some servers return are refused by them."""


class Guard(BallotCaster):
    """A safety classifier on the jury. It keeps no state: a call carries all it needs.

    It is asked once for each case, hears nobody, and gives no rating.

    Example:
        >>> guard = Guard("guard", "llama-guard-3", model)
        >>> ballot = await guard.judge(BallotCall(case))

    Args:
        name: The seat's name: letters, digits and underscores.
        guard: Its dialect; see `bundled_guards`.
        model: What answers.
        sampling: How words are drawn; greedy where that says nothing.
        seed: Seed for models that take one.
        controversial: What a finding between safe and unsafe counts as, where the guard has one.
        fitting: Makes pictures fit the model's limits; None sends them as they are.

    Raises:
        ConfigurationError: There is no such guard, or the name is none.
    """

    def __init__(
        self,
        name: str,
        guard: str,
        model: ChatModel,
        *,
        sampling: Sampling | None = None,
        seed: int | None = None,
        controversial: Controversial = "abstain",
        fitting: ImageFitter | None = None,
    ) -> None:
        self.dialect = load_guard(guard)
        super().__init__(name, self.dialect.title)
        self.guard = guard
        self.model = model
        self._sampling = (sampling or Sampling()).or_greedy()
        self._seed = seed
        self._controversial: Controversial = controversial
        self._fitting = fitting

    async def judge(self, call: BallotCall) -> Ballot:
        """Return the guard's ballot; failures of the model are outcomes of it.

        Raises:
            FirstContactError: The model never answered once and waiting won't help.
        """
        meter = CallMeter()
        modalities = self.model.modalities & frozenset(self.dialect.sees)
        try:
            call, modalities = await fit_pictures(call, modalities, self._fitting, meter)
        except RequestError as error:
            perceived = perceive(call.case, TEXT_ONLY)
            failed = cast_failure(self.name, call, error, perceived=perceived, meter=meter)
            return self._marked(failed)
        perceived = perceive(call.case, modalities)
        if self.dialect.sends == "response":
            perceived = replace(perceived, transcript=None)
        asked = ask(self.dialect, call, perceived)
        requests = [self._request(call, one, number) for number, one in enumerate(asked)]
        replies = await in_parallel(map(self._reply, requests))
        evidence = shown(call, perceived) if "reason" in self.dialect.reply.object else ""
        read, failure = list[GuardForm | NoBallot](), None
        for reply, one in zip(replies, asked, strict=True):
            if isinstance(reply, ModelError):
                failure = failure or reply
                continue
            meter.add(reply)
            read.append(self._read(reply, one, evidence))
        if failure is not None:
            failed = cast_failure(self.name, call, failure, perceived=perceived, meter=meter)
            return self._marked(failed)
        return self._cast(call, read, perceived, meter)

    async def _reply(self, request: ChatRequest) -> Completion | ModelError:
        try:
            return await self.model.complete(request)
        except ModelError as error:  # of one principle: what the others' calls took still counts
            return error

    def _read(self, reply: Completion, asked: Asked, evidence: str) -> GuardForm | NoBallot:
        return read_guard(
            reply,
            self.dialect,
            controversial=self._controversial,
            principle=asked.principle,
            evidence=evidence,
        )

    def _request(self, call: BallotCall, asked: Asked, number: int) -> ChatRequest:
        return ChatRequest(
            asked.messages,
            None,
            self._sampling,
            self._seed,
            self.dialect.max_tokens,
            f"{call.vote_id}/{self.name}/a{number}",
            options=asked.options,
            top_logprobs=_TOP_LOGPROBS if self.dialect.logprobs else None,
        )

    def _cast(
        self,
        call: BallotCall,
        replies: Sequence[GuardForm | NoBallot],
        perceived: Perceived,
        meter: CallMeter,
    ) -> Ballot:
        """Return the ballot: unsafe by any principle, safe only by all."""
        read = [reply for reply in replies if isinstance(reply, GuardForm)]
        unread = next((reply for reply in replies if isinstance(reply, NoBallot)), None)
        violated = [form for form in read if form.finding is Finding.UNSAFE]
        if unread is not None and not violated:
            return self._marked(cast(self.name, call, unread, perceived=perceived, meter=meter))
        meant = violated or [form for form in read if form.finding is None] or read
        finding = meant[0].finding
        categories = tuple(dict.fromkeys(chain(*(form.categories for form in meant))))
        likely = [form.probability for form in read if form.probability is not None]
        return Ballot(
            self.name,
            call.round,
            BallotOutcome.VERDICT if finding else BallotOutcome.ABSTAIN,
            finding=finding,
            criteria=tuple(category.name for category in categories),
            reason=meant[0].reason,
            declined=read[0].declined,
            detail=None if finding else "the guard found the response controversial",
            perceived=perceived,
            guard=Classification(
                self.guard, categories, max(likely) if len(likely) == len(replies) else None
            ),
            **meter.fields(),
        )

    def _marked(self, ballot: Ballot) -> Ballot:
        """Return a ballot that says that it is a guard's, though the guard said nothing."""
        return replace(ballot, guard=Classification(self.guard))
