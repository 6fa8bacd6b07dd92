"""Writes one case as plain data: what was asked, the response, and the deliberation."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, assert_never

from ...agents import Case
from ...common import escape_controls, escape_line
from ...datasets import ShownTurn, shown_turns
from ...deliberation import (
    BallotsRevealed,
    CaseOpened,
    DiscussionOpened,
    Entry,
    RemarkMade,
    SummedUp,
    TalkAudited,
    VerdictAnnounced,
)
from ...deliberation.transcript import audit_words, case_titles
from ...targets import plain_detail
from ..record import RecordedCase
from ._ballots import Before, ballot_data, remark_data, verdict_data
from ._marks import marked, quotes_of
from ._media import Shown

Data = dict[str, Any]


def case_data(recorded: RecordedCase, media: Iterable[Shown], *, texts: bool) -> Data:
    """Return all that a page shows of a case.

    Args:
        recorded: The case.
        media: Its pictures and sounds.
        texts: Whether it has the question, the response, the jurors' words and media at all.
    """
    result, entries = recorded.result, recorded.entries
    opened = next((entry.case for entry in entries if isinstance(entry, CaseOpened)), None)
    return {
        "id": result.case_id,
        "target": result.target,
        "query": result.query_id,
        "epoch": result.epoch,
        "condition": result.condition,
        "scenario": result.scenario,
        "intent": str(result.intent),
        "intent_assumed": result.intent_assumed,
        "labels": dict(result.labels),
        "head": recorded.head,
        "cost_usd": result.cost_usd,
        "calls": result.calls,
        "prompt_tokens": result.usage.prompt_tokens,
        "completion_tokens": result.usage.completion_tokens,
        **(_words(opened, entries, media, texts=texts) if opened is not None else {}),
        "entries": list(_deliberation(entries, texts=texts)),
    }


def _words(case: Case, entries: Iterable[Entry], media: Iterable[Shown], *, texts: bool) -> Data:
    scenario, category = case_titles(case)
    response = case.response
    about: Data = {
        "scenario_title": scenario,
        "category_title": category,
        "source": case.query.source,
        "response": {
            "outcome": str(response.outcome),
            "model": response.provider_model or response.model,
            "latency_s": response.latency_s or None,
            "finish_reason": response.finish_reason,
            "completion_tokens": response.usage.completion_tokens,
            "cost_usd": response.cost_usd,
            "characters": len(response.text),
            "changes": list(response.changes),
            "notes": list(response.notes),
        },
    }
    if not texts:
        return about
    quotes = quotes_of(entries)
    question: Data = {"turns": list(_asked(case, quotes))}
    if (request := case.query.underlying_request) is not None:
        question["request"] = marked(request, quotes)
    if (transcript := case.transcript) is not None:
        question["transcript"] = {
            "title": transcript.title,
            "failure": transcript.failure,
            "words": [] if transcript.failure else marked(transcript.words, quotes),
        }
    about["question"] = question
    about["media"] = [_medium(each) for each in media]
    about["response"] |= {
        "turns": [_turn(each, quotes) for each in case.since] if response.turns else [],
        "words": marked(response.text, quotes),
        "detail": None if response.detail is None else escape_controls(response.detail),
        "plain_detail": escape_controls(plain_detail(response) or ""),
    }
    return about


def _asked(case: Case, quotes: Mapping[str, tuple[str, ...]]) -> Iterator[Data]:
    if not case.query.messages:
        yield {"heading": "", "words": marked(case.query.text, quotes), "calls": []}
    for turn in shown_turns(case.query.messages):
        yield _turn(turn, quotes)


def _turn(turn: ShownTurn, quotes: Mapping[str, tuple[str, ...]]) -> Data:
    return {
        "heading": escape_line(turn.heading),
        "words": marked(turn.text, quotes) if turn.text else [],
        "calls": [marked(call, quotes) for call in turn.calls],
    }


def _medium(medium: Shown) -> Data:
    return {
        "sha256": medium.sha256,
        "kind": medium.kind,
        "type": medium.media_type,
        "name": medium.name,
        "size": medium.size,
        "why": medium.why,
    }


def _deliberation(entries: Iterable[Entry], *, texts: bool) -> Iterator[Data]:
    """Yield what happened in a deliberation, in its order."""
    before = Before()
    for entry in entries:
        match entry:
            case CaseOpened():
                pass
            case BallotsRevealed():
                yield {
                    "kind": "round",
                    "round": entry.round,
                    "ballots": [
                        ballot_data(ballot, before.of(ballot), texts=texts)
                        for ballot in entry.ballots
                    ],
                    "seals": list(entry.seals),
                    "not_asked": list(entry.not_asked),
                }
                before.next(entry.ballots)
            case DiscussionOpened():
                yield {"kind": "discussion", "round": entry.round, "why": entry.why}
            case RemarkMade():
                yield {"kind": "remark", **remark_data(entry.remark, texts=texts)}
            case SummedUp():
                words = entry.text.strip() if texts else ""
                detail = entry.detail if texts or entry.detail is None else "not in this page"
                yield {
                    "kind": "summary",
                    "words": escape_controls(words),
                    "detail": None if detail is None else escape_controls(detail),
                }
            case VerdictAnnounced():
                yield {"kind": "verdict", **verdict_data(entry.verdict, texts=texts)}
            case TalkAudited():
                yield {
                    "kind": "audit",
                    "arm": str(entry.arm),
                    "knew": audit_words(entry),
                    "ballots": [
                        ballot_data(ballot, before.at_first(ballot), texts=texts)
                        for ballot in entry.ballots
                    ],
                }
            case _:
                assert_never(entry)
