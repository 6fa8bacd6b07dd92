"""Writes ballots, remarks and verdicts as plain data."""

from collections.abc import Iterable
from typing import Any

from ...agents import Ballot, Remark
from ...common import escape_controls
from ...deliberation import Verdict
from ...deliberation.transcript import asides, named, no_reason, tool_lines

Data = dict[str, Any]


class Before:
    """Remembers what each juror said in earlier rounds, to say who changed their mind."""

    def __init__(self) -> None:
        self._first = dict[str, Ballot]()
        self._last = dict[str, Ballot]()

    def of(self, ballot: Ballot) -> Ballot | None:
        """Return what the same juror said in the round before."""
        return self._last.get(ballot.juror)

    def at_first(self, ballot: Ballot) -> Ballot | None:
        """Return what the same juror said in round 0."""
        return self._first.get(ballot.juror)

    def next(self, ballots: Iterable[Ballot]) -> None:
        """Take down a round."""
        self._last = {ballot.juror: ballot for ballot in ballots}
        self._first = self._first or self._last


def ballot_data(ballot: Ballot, before: Ballot | None, *, texts: bool) -> Data:
    """Return a ballot.

    Args:
        ballot: The ballot.
        before: What the same juror said before, None for nothing.
        texts: Whether its words are there at all.
    """
    data: Data = {
        "seat": ballot.juror,
        "round": ballot.round,
        "outcome": str(ballot.outcome),
        "finding": None if ballot.finding is None else str(ballot.finding),
        "rating": ballot.rating,
        "declined": ballot.declined,
        "contradicts_itself": ballot.contradicts_itself,
        "withheld": list(ballot.perceived.withheld),
        "transcript": ballot.perceived.transcript,
        "latency_s": ballot.latency_s or None,
        "calls": ballot.calls,
        "cost_usd": ballot.cost_usd,
        "prompt_tokens": ballot.usage.prompt_tokens,
        "completion_tokens": ballot.usage.completion_tokens,
        "quoting": len(ballot.quotes),
        "misquoting": len(ballot.misquotes),
        "stands": before == ballot,
        "changed": _changed(ballot, before),
    }
    if ballot.guard is not None:
        data["guard"] = ballot.guard.guard
        data["categories"] = named(ballot)
        data["asides"] = asides(ballot)
    if not texts:
        return data
    return data | {
        "criteria": list(map(escape_controls, ballot.criteria)),
        "reason": escape_controls(ballot.reason.strip()),
        "no_reason": no_reason(ballot),
        "detail": None if ballot.detail is None else escape_controls(ballot.detail),
        "quotes": list(map(escape_controls, ballot.quotes)),
        "misquotes": list(map(escape_controls, ballot.misquotes)),
        "notes": list(ballot.notes),
        "tools": list(map(escape_controls, tool_lines(ballot.tools))),
        "before": _before(ballot, before),
    }


def _changed(ballot: Ballot, before: Ballot | None) -> str | None:
    """Return the finding that a juror gave up, None where it held or did not vote twice."""
    if before is None or before.finding is None or ballot.finding is None:
        return None
    return str(before.finding) if before.finding is not ballot.finding else None


def _before(ballot: Ballot, before: Ballot | None) -> str | None:
    """Return the reason of the finding that was given up."""
    if before is None or _changed(ballot, before) is None:
        return None
    return escape_controls(before.reason.strip())


def remark_data(remark: Remark, *, texts: bool) -> Data:
    """Return a turn at the roundtable; see `ballot_data`."""
    return {
        "seat": remark.juror,
        "alias": remark.alias,
        "round": remark.round,
        "turn": remark.turn,
        "outcome": str(remark.outcome),
        "to": remark.to,
        "to_seat": remark.to_juror,
        "words": escape_controls(remark.text.strip()) if texts else "",
        "detail": escape_controls(remark.detail) if texts and remark.detail else None,
        "tools": list(map(escape_controls, tool_lines(remark.tools))) if texts else [],
    }


def _quotes(verdict: Verdict) -> bool:
    """Return whether its reason quotes an error, which may quote the question, or a ballot."""
    decision = verdict.decision
    return not verdict.rounds or (decision is not None and decision.finding is None)


def verdict_data(verdict: Verdict, *, texts: bool) -> Data:
    """Return a verdict; see `ballot_data`."""
    decision = verdict.decision
    return {
        "finding": None if verdict.finding is None else str(verdict.finding),
        "why": escape_controls(verdict.reason) if texts or not _quotes(verdict) else "",
        "rating": verdict.rating,
        "mean_rating": verdict.mean_rating,
        "tally": dict(verdict.tally),
        "initial_tally": dict(verdict.initial_tally),
        "initial_finding": None
        if verdict.initial_finding is None
        else str(verdict.initial_finding),
        "rule": verdict.rule,
        "contested": verdict.contested,
        "rounds": verdict.rounds,
        "dissent": list(verdict.dissent),
        "declined": verdict.declined,
        "probability": verdict.probability,
        "initial_probability": verdict.initial_probability,
        "revote_lost": verdict.revote_lost,
        "summary_dropped": verdict.summary_dropped,
        "calls": verdict.calls,
        "cost_usd": verdict.cost_usd,
        "majority": None if verdict.majority is None else str(verdict.majority),
        "decision": None if decision is None else ballot_data(decision, None, texts=texts),
    }
