"""Writes a case as a sample of Inspect."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inspect_ai.log import EvalError, EvalSample, condense_sample
from inspect_ai.model import ChatCompletionChoice, ModelOutput, ModelUsage, StopReason

from ....agents import Case
from ....deliberation import CaseOpened, Entry, SeatInfo, VerdictAnnounced
from ....models import Usage
from ....targets import Response, ResponseOutcome
from ...record import case_in
from ...trials import CaseResult
from ._events import Transcript
from ._scores import JURY, scores_of
from ._words import Words

TEXTS = "texts"
"""Key of metadata that says whether words of the case are `revealed` or `withheld`."""
_STOPS: Mapping[ResponseOutcome, StopReason] = {
    ResponseOutcome.ANSWERED: "stop",
    ResponseOutcome.FILTERED: "content_filter",
    ResponseOutcome.TRUNCATED: "max_tokens",
}
"""Why the target stopped; by all other outcomes it said nothing."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Makes the samples of a run.

    Attributes:
        words: Writes words of the cases.
        jury: The jury's seats.
        names: Name of the score of each seat.
        at: When the run was recorded.
    """

    words: Words
    jury: Sequence[SeatInfo]
    names: Mapping[str, str]
    at: datetime

    def sample(self, result: CaseResult, entries: Sequence[Entry], model: str) -> EvalSample:
        """Return a case as a sample.

        Args:
            result: The case's result.
            entries: Its transcript.
            model: The model under test.

        Raises:
            RecordChangedError: A medium is gone or was changed.
        """
        opened = next(entry.case for entry in entries if isinstance(entry, CaseOpened))
        case = case_in(opened, self.words.directory)
        response = case.response
        uuid = hashlib.sha256(result.case_id.encode("utf-8", "surrogatepass")).hexdigest()[:22]
        asked = self.words.question(case.query)
        output = self._output(response, model)
        said = [choice.message for choice in output.choices]
        messages = [*asked, *self.words.turns(response.turns), *said]
        for number, message in enumerate(messages):
            message.id = f"{uuid}-m{number}"  # else a random one
        scores = scores_of(result, response, entries, self.names, self.words)
        transcript = Transcript(uuid, self.at, self.jury, self.words)
        transcript.asked(asked, output, response)
        transcript.deliberated(entries, scores[JURY])
        used = _usage_of(response, entries)
        sample = EvalSample(
            id=result.query_id,
            epoch=result.epoch + 1,
            input=asked,
            target="",
            messages=messages,
            output=output,
            scores=scores,
            metadata=self._metadata(case, result),
            events=transcript.events,
            model_usage={model: used["target"]} if "target" in used else {},
            role_usage=used,
            uuid=uuid,
            error=None if output.choices else _error(response, self.words),
        )
        return condense_sample(sample)

    def _output(self, response: Response, model: str) -> ModelOutput:
        stop = _STOPS.get(response.outcome)
        choices = []
        if stop is not None:
            message = self.words.answer(response.text, response.provider_model or model)
            choices = [ChatCompletionChoice(message=message, stop_reason=stop)]
        return ModelOutput(
            model=response.provider_model or model,
            choices=choices,
            usage=usage(response.usage, response.cost_usd) if response.calls else None,
            time=response.latency_s or None,
            error=None if stop == "stop" else self.words.error(response.detail),
        )

    def _metadata(self, case: Case, result: CaseResult) -> dict[str, Any]:
        query = case.query
        about = {
            "scenario": query.scenario,
            "intent": str(query.intent),
            "response": str(case.response.outcome),
            "source": query.source,
            "underlying_request": query.underlying_request
            and self.words.text(query.underlying_request),
            "labels": dict(query.labels),
            "notes": [*case.response.notes, *case.response.changes],
            "case_id": result.case_id,
            TEXTS: "revealed" if self.words.reveal else "withheld",
        }
        return {key: value for key, value in about.items() if value}


def usage(used: Usage, cost_usd: float | None = None) -> ModelUsage | None:
    """Return tokens as Inspect counts them, None where they are not known."""
    if used.prompt_tokens is None or used.completion_tokens is None:
        return None
    cached = min(used.cached_tokens or 0, used.prompt_tokens)
    return ModelUsage(
        input_tokens=used.prompt_tokens - cached,
        input_tokens_cache_read=used.cached_tokens,
        output_tokens=used.completion_tokens,
        total_tokens=used.prompt_tokens + used.completion_tokens,
        total_cost=cost_usd,
    )


def _usage_of(response: Response, entries: Sequence[Entry]) -> dict[str, ModelUsage]:
    """Return the known usage by role."""
    found: dict[str, ModelUsage | None] = {}
    if response.calls:
        found["target"] = usage(response.usage, response.cost_usd)
    for entry in entries:
        if isinstance(entry, VerdictAnnounced) and entry.verdict.calls:
            found[JURY] = usage(entry.verdict.usage, entry.verdict.cost_usd)
    return {role: used for role, used in found.items() if used is not None}


def _error(response: Response, words: Words) -> EvalError:
    said = words.error(response.detail) or str(response.outcome).replace("_", " ")
    return EvalError(message=said, traceback=said, traceback_ansi=said)
