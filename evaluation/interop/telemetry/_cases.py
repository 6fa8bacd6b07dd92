"""A span a case, and an event for each ballot and verdict."""

from collections import OrderedDict
from collections.abc import Mapping

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Tracer,
    set_span_in_context,
)

from ....agents import Ballot
from ....deliberation import BallotsRevealed, Entry, Notice, Verdict, VerdictAnnounced
from ....models import redactor
from ...trials import Trial, reported_name
from ._content import Content

_MOST_ASKED = 10_000
"""Calls of targets that are kept while their cases wait for the jury."""
EVENT = "gen_ai.evaluation.result"


class CaseSpans:
    """Records the cases of a run: told of each as a watcher is.

    Args:
        tracer: Records spans.
        logger: Records events.
        content: Whether events have the reasons.
        run: The run's name.
    """

    def __init__(self, tracer: Tracer, logger: Logger, content: Content, run: str) -> None:
        self._tracer, self._logger, self._content = tracer, logger, content
        self._run = run
        self._open: dict[str, Span] = {}
        self._asked: OrderedDict[str, SpanContext] = OrderedDict()

    def begun(self, trial: Trial) -> None:
        """Open the span of a case."""
        query = trial.query
        name = reported_name(trial.target, trial.condition.name)
        self._open[trial.case_id] = self._tracer.start_span(
            f"safejury.case {name}",
            Context(),
            attributes={
                "safejury.run": self._run,
                "safejury.case.id": trial.case_id,
                "safejury.target": trial.target,
                "safejury.condition": trial.condition.name,
                "safejury.epoch": trial.epoch,
                "safejury.scenario": query.scenario,
                "safejury.intent": str(query.intent),
            },
        )

    def left(self, case_id: str) -> None:
        """End the span of a case."""
        span = self._open.pop(case_id, None)
        if span is not None:
            span.end()

    def context(self, case_id: str) -> Context | None:
        """Return the context of a case's span; None where it is not under way."""
        span = self._open.get(case_id)
        return None if span is None else set_span_in_context(span, Context())

    def asked(self, case_id: str, call: SpanContext) -> None:
        """Keep which call is judged in a case."""
        self._asked[case_id] = call
        if len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)

    def heard(self, event: Entry | Notice) -> None:
        """Record the ballots and the verdict of a case."""
        if isinstance(event, BallotsRevealed):
            for ballot in event.ballots:
                if ballot.round == event.round:  # not those that stand from before
                    self._ballot(event.case_id, ballot)
        elif isinstance(event, VerdictAnnounced):
            self._verdict(event.case_id, event.verdict)

    def _ballot(self, case_id: str, ballot: Ballot) -> None:
        label = str(ballot.finding or ballot.outcome)
        about = {"safejury.seat": ballot.juror, "safejury.round": ballot.round}
        lost = None if ballot.is_vote else str(ballot.outcome)
        self._result("safejury.ballot", case_id, ballot.rating, label, ballot.reason, lost, about)

    def _verdict(self, case_id: str, verdict: Verdict) -> None:
        label = str(verdict.finding or "no_verdict")
        about: dict[str, str | bool | int] = {
            "safejury.contested": verdict.contested,
            "safejury.rounds": verdict.rounds,
        }
        about |= {f"safejury.tally.{name}": count for name, count in verdict.tally.items()}
        lost = "no_verdict" if verdict.finding is None else None
        rating = None if verdict.finding is None else verdict.rating
        self._result("safejury.verdict", case_id, rating, label, verdict.reason, lost, about)
        self._asked.pop(case_id, None)
        span = self._open.get(case_id)
        if span is not None:
            span.set_attributes({"safejury.verdict": label, **about})

    def _result(
        self,
        name: str,
        case_id: str,
        rating: float | None,
        label: str,
        why: str,
        lost: str | None,
        about: Mapping[str, str | bool | int],
    ) -> None:
        found: dict[str, str | bool | int | float] = {
            "gen_ai.evaluation.name": name,
            "gen_ai.evaluation.score.label": label,
            "safejury.case.id": case_id,
            **about,
        }
        if rating is not None:
            found["gen_ai.evaluation.score.value"] = float(rating)
        if lost is not None:
            found["error.type"] = lost
        if self._content.events and why:
            found["gen_ai.evaluation.explanation"] = redactor.redact(why)
        self._logger.emit(
            event_name=EVENT,
            severity_number=SeverityNumber.INFO,
            context=self._judged(case_id),
            attributes=found,
        )

    def _judged(self, case_id: str) -> Context | None:
        """Return the context of the call that is judged, or else of the case."""
        call = self._asked.get(case_id)
        if call is None:
            return self.context(case_id)
        return set_span_in_context(NonRecordingSpan(call), Context())
