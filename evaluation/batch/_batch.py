"""Collects the requests that a run's jury makes in round 0, without sending them."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from ...agents import BallotCall, Case, Guard, Juror
from ...common import ConfigurationError, ModelError, first_failure
from ...deliberation import JurySpec, SeatSpec, Verdict
from ...models import (
    ChatModel,
    ChatRequest,
    Middleware,
    ModelRegistry,
    ModelSpec,
    Usage,
    redactor,
    with_options,
)
from ...targets import ResponseOutcome
from ..plan import RunPlan
from ..runner import Examiner, Stage, open_targets, unfinished_trials
from ..trials import Exchange, Trial
from ._id import CustomId
from ._open import NOT_ASKED, OpenRun

_NOT_HEARD = Verdict(None, reason="left to a batch", rounds=0, usage=Usage(0, 0, 0), cost_usd=0.0)
_PLAIN = re.compile(r"[A-Za-z0-9._/:-]+")
_TAG_DIGITS = 40


@dataclass(frozen=True, slots=True, repr=False)
class BatchCall:
    """A call of a juror in round 0.

    Attributes:
        spec: The juror's model.
        model: The model's name and address, without secrets.
        request: The request, as in a live run.
        key: The request's key in the run's record.
    """

    spec: ModelSpec
    model: str
    request: ChatRequest
    key: str

    @property
    def tag(self) -> str:
        """The call's id, or a hash of it where a provider may not accept the id."""
        call_id = self.request.call_id
        if len(call_id) <= CustomId.LONGEST_TAG and _PLAIN.fullmatch(call_id):
            return call_id
        return hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_DIGITS]


def batch_model(spec: ModelSpec) -> str | None:
    """Return the model's name in a batch, None where it has no batch API."""
    if spec.api != "chat":
        return None
    if spec.base_url is not None or spec.server is not None:
        return spec.model
    provider, _, name = spec.model.partition("/")
    return name if provider == "openai" else None


def batch_seats(plan: RunPlan) -> tuple[SeatSpec, ...]:
    """Return the seats whose round-0 ballots a batch can answer.

    Raises:
        ConfigurationError: There is none.
    """
    seats = tuple(
        seat
        for seat in plan.jury.seats
        if seat.agent is None and seat.model is not None and batch_model(seat.model) is not None
    )
    if not seats:
        raise ConfigurationError(
            "no juror can be asked in a batch: use a model with a base_url or vllm, or openai/NAME"
        )
    return seats


class RequestCollector:
    """Goes through the cases of a run and collects the requests of its jurors.

    Args:
        plan: The run.
        opened: Its record and models.
        take: Called with each call; those of one case follow each other.
    """

    def __init__(self, plan: RunPlan, opened: OpenRun, take: Callable[[BatchCall], None]) -> None:
        jury = plan.jury.only(*batch_seats(plan))
        agents = jury.agents(_CapturingRegistry(opened.jurors, take), media=plan.media)
        jurors = [juror for juror in agents.values() if isinstance(juror, Juror | Guard)]
        self._plan = plan
        self._record = opened.record
        targets = open_targets(plan, opened.targets)
        stage = Stage(opened.record, plan)
        self._examiner = Examiner(
            targets,
            _RoundZeroJury(jurors, plan.jury),
            stage,
            opened.transcripts,
            plan.taxonomy,
            judge_truncated=plan.judges_truncated,
        )

    async def collect(
        self,
        report: Callable[[Trial, ResponseOutcome | None], None],
        *,
        finished: bool,
        workers: int = 1,
    ) -> None:
        """Go through the cases.

        Args:
            report: Called with each case and the outcome of its response; None where the
                target has not been asked yet.
            finished: Whether to include cases that have a verdict.
            workers: Number of concurrent cases.
        """
        plan, record = self._plan, self._record
        trials = plan.trials() if finished else unfinished_trials(plan, record, (), lost=())
        async with first_failure(), asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._drain(trials, report))

    async def _drain(
        self, trials: Iterator[Trial], report: Callable[[Trial, ResponseOutcome | None], None]
    ) -> None:
        for trial in trials:
            kept = self._record.response(trial.case_id)
            exchange = kept or await self._examiner.ask(trial)
            missing = _is_missing(exchange)
            if not missing:
                await self._examiner.judge(trial, exchange)
            report(trial, None if missing else exchange.response.outcome)
            await asyncio.sleep(0)  # recorded responses never wait: Ctrl-C needs a turn


def _is_missing(exchange: Exchange) -> bool:
    response = exchange.response
    return response.outcome is ResponseOutcome.ERROR and response.detail == NOT_ASKED


class _RoundZeroJury:
    """Stands for a jury and only calls the ballots of round 0."""

    def __init__(self, jurors: list[Juror | Guard], jury: JurySpec) -> None:
        self._jurors = jurors
        self._jury = jury

    async def hear(self, case: Case) -> Verdict:
        if case.is_heard:
            jury = self._jury
            call = BallotCall(_as_kept(case), rubric=jury.rubric, quotes=jury.quotes)
            for juror in self._jurors:
                await juror.judge(call)
        return _NOT_HEARD


def _as_kept(case: Case) -> Case:
    """Redact echoed keys in a case, as a run that reads it from its record does."""
    if not case.response.calls:
        return case
    text = redactor.redact_fields(case.response.text)
    return replace(case, response=replace(case.response, text=text))


class _CapturingRegistry:
    """Opens jurors' models so that their requests are captured."""

    def __init__(self, known: ModelRegistry, take: Callable[[BatchCall], None]) -> None:
        self._known = known
        self._take = take

    def open(self, spec: ModelSpec) -> ChatModel:
        return with_options(_CapturedModel(self._known.open(spec), spec, self._take), spec.options)

    def adopt(self, model: ChatModel, *, pays: bool) -> ChatModel:
        return model  # never asked: `batch_seats` leaves agents out


class _CapturedModel(Middleware):
    """Captures the requests to a model without sending them."""

    def __init__(
        self, model: ChatModel, spec: ModelSpec, take: Callable[[BatchCall], None]
    ) -> None:
        super().__init__(model)
        self._spec = spec
        self._take = take

    async def complete(self, request: ChatRequest) -> NoReturn:
        self._take(BatchCall(self._spec, self.name, request, request.key(self.name)))
        raise ModelError("left to a batch")
