"""Writes transcripts as Markdown, with all markup in words of models escaped."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import assert_never

from ...agents import Ballot, Case, Remark, RemarkOutcome
from ...common import escape_controls, escape_line
from ...datasets import Query, ShownTurn, Transcript, shown_turns
from ...models import ToolUse
from ...targets import plain_detail
from ..protocol import (
    BallotsRevealed,
    CallTotals,
    CaseOpened,
    DiscussionOpened,
    Entry,
    RemarkMade,
    SeatInfo,
    SummedUp,
    TalkAudited,
    Verdict,
    VerdictAnnounced,
)
from ._ballots import audit_words
from ._blocks import REQUEST, call_words, case_titles, duration, likelihood
from ._guards import asides, named, no_reason
from ._look import UNICODE, Seats
from ._quotes import Quotes, quoted_in_words
from ._tools import tool_lines

_SPECIAL = re.compile(
    r"[\\`*_{}\[\]<>&~|$@!]"  # inline markup, entities, tables, mentions
    r"|:(?=//)|(?<=www)\."  # bare links
    r"|^[#+\-=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|^\t",  # headings, rules, lists, code
    re.IGNORECASE,
)


def markdown(
    entries: Sequence[Entry],
    jury: Sequence[SeatInfo],
    *,
    target: str,
    protocol: str = "",
    reveal: bool = False,
    elapsed_s: float | None = None,
    record: str = "",
) -> str:
    """Write the transcript of a case; the arguments are those of `export_transcript`."""
    seats = Seats(tuple(jury))
    quotes = Quotes.of(entries, reveal=reveal)
    lines: list[str] = []
    first: dict[str, Ballot] = {}
    last: dict[str, Ballot] = {}
    for entry in entries:
        match entry:
            case CaseOpened():
                lines += _case(entry.case, seats, target, protocol, quotes)
            case BallotsRevealed():
                lines += [f"## Round {entry.round}", ""]
                lines += chain.from_iterable(
                    _ballot(seats, b, last.get(b.juror), quotes) for b in entry.ballots
                )
                lines += _not_asked(seats, entry)
                last = {b.juror: b for b in entry.ballots}
                first = first or last
            case DiscussionOpened():
                lines += ["## Discussion", "", f"The foreperson opens it: {_inline(entry.why)}", ""]
            case RemarkMade():
                lines += _remark(seats, entry.remark)
            case SummedUp():
                text = entry.text.strip() or entry.detail or "no summary"
                lines += ["## The foreperson sums up", "", *_quote(text), ""]
            case VerdictAnnounced():
                lines += _verdict(seats, entry.verdict, elapsed_s)
            case TalkAudited():
                lines += [f"## Talk audit: {entry.arm}", ""]
                knew = f"The jurors voted again, {audit_words(entry)}. This counts for nothing."
                lines += [_inline(knew), ""]
                lines += chain.from_iterable(
                    _ballot(seats, b, first.get(b.juror), quotes) for b in entry.ballots
                )
            case _:
                assert_never(entry)
    if record:
        lines += [f"*{_inline(record)}*"]
    return "\n".join(lines).rstrip() + "\n"


def _case(case: Case, jury: Seats, target: str, protocol: str, quotes: Quotes) -> list[str]:
    said = _said(jury, quotes)
    scenario, category = case_titles(case)
    of_category = f" ({_inline(category)})" if category else ""
    lines = [
        f"# Case {_inline(case.query.id)}",
        "",
        f"- Scenario: {_inline(scenario)}{of_category}, {case.query.intent} query",
        f"- Target: {_inline(target)}",
    ]
    if protocol:
        lines.append(f"- Protocol: {_inline(protocol)}")
    lines += (
        f"- {'Guard' if s.guard else 'Juror'}: {_inline(jury.title(s.seat))}, {_inline(s.model)}"
        for s in jury.seats
    )
    lines += ["", "## Question", "", *_asked(case.query, said)]
    if (request := case.query.underlying_request) is not None:
        lines += [f"{REQUEST}:", "", *said(request), ""]
    if case.transcript is not None:
        lines += [*_transcript(case.transcript, said, reveal=quotes.reveal), ""]
    lines += [f"## Response: {case.response.outcome}", ""]
    if case.response.turns:
        lines += [*_turns(case.since, said), "Its last words:", ""]
    lines += [*said(case.response.text), "", *_legend(jury, quotes)]
    if detail := case.response.detail if quotes.reveal else plain_detail(case.response):
        lines += [*_quote(detail), ""]
    for change in case.response.changes:
        lines += [*_quote(change), ""]
    return lines


def _said(jury: Seats, quotes: Quotes) -> Callable[[str], list[str]]:
    """Return a function that shows the words of a case, or only their number."""
    if not quotes.reveal:
        return lambda text: [f"*withheld, {len(text):,} characters*"]
    return lambda text: _fenced(quoted_in_words(text, jury, quotes))


def _legend(jury: Seats, quotes: Quotes) -> list[str]:
    """Return what the brackets mean, and whose the marks behind them are."""
    if not quotes.seats:
        return []
    opening, closing = UNICODE.quoted
    names = ", ".join(f"{jury.glyph(seat)} {_inline(jury.title(seat))}" for seat in quotes.seats)
    return [f"{opening}words{closing} that a juror relies on: {names}", ""]


def _asked(query: Query, said: Callable[[str], list[str]]) -> Iterator[str]:
    if not query.messages:
        yield from (*said(query.text), "")
    yield from _turns(shown_turns(query.messages), said)


def _turns(turns: Iterable[ShownTurn], said: Callable[[str], list[str]]) -> Iterator[str]:
    for turn in turns:
        yield from (f"{_inline(turn.heading)}:", "")
        if turn.text:
            yield from (*said(turn.text), "")
        for call in turn.calls:
            yield from ("It calls a tool:", "", *said(call), "")


def _transcript(
    transcript: Transcript, said: Callable[[str], list[str]], *, reveal: bool
) -> list[str]:
    head = _inline(transcript.title)
    if transcript.failure is not None:
        return [f"{head}: not available, {_inline(transcript.failure)}"]
    shown = transcript.words if reveal else transcript.text
    return [f"{head}:", "", *said(shown)]


def _ballot(jury: Seats, ballot: Ballot, before: Ballot | None, quotes: Quotes) -> list[str]:
    said = str(ballot.finding) if ballot.is_vote else f"no vote ({ballot.outcome})"
    if before == ballot:
        said += ", which stands: a guard is not asked again"
    elif before is not None and before.is_vote and ballot.is_vote:
        if before.finding != ballot.finding:
            said = f"{before.finding} → {said}, changed their mind"
        else:
            said += ", held"
    rating = "" if ballot.rating is None else f", rating {ballot.rating} of 5"
    aside = [*named(ballot), *asides(ballot)]
    aside += (f"did not receive: {name}" for name in ballot.perceived.withheld)
    if ballot.perceived.transcript:
        aside.append(f"read a transcript: {ballot.perceived.transcript}")
    aside += quotes.asides(ballot)
    text = ballot.reason.strip() or ballot.detail or no_reason(ballot)
    lines = [f"**{_inline(jury.title(ballot.juror))}**: {said}{rating}", "", *_quote(text), ""]
    if aside:
        lines += [f"({_inline(', '.join(aside))})", ""]
    return lines + _tools(ballot.tools)


def _tools(tools: Sequence[ToolUse]) -> list[str]:
    return [*(f"- {_inline(line)}" for line in tool_lines(tools)), ""] if tools else []


def _remark(jury: Seats, remark: Remark) -> list[str]:
    head = _speaker(jury, remark.juror, remark.alias)
    if remark.outcome is RemarkOutcome.PASSED:
        return [f"{head} passes.", ""]
    if remark.to is not None:
        head += f" → {_speaker(jury, remark.to_juror or '', remark.to)}"
    head, said = f"{head}:", remark.text
    if remark.outcome is not RemarkOutcome.SPOKE:
        head, said = f"{head} nothing ({remark.outcome})", remark.detail or "nothing was said"
    lines = [head, "", *_quote(said), ""]
    if withheld := remark.perceived.withheld:
        lines += [f"(did not receive: {', '.join(withheld)})", ""]
    return lines + _tools(remark.tools)


def _speaker(jury: Seats, seat: str, alias: str) -> str:
    return f"**{_inline(alias)}** ({_inline(jury.title(seat))})"


def _not_asked(jury: Seats, entry: BallotsRevealed) -> list[str]:
    if not entry.not_asked:
        return []
    names = ", ".join(_inline(jury.title(seat)) for seat in entry.not_asked)
    return [f"Not asked, the outcome was clear: {names}", ""]


def _verdict(jury: Seats, verdict: Verdict, elapsed_s: float | None) -> list[str]:
    lines = [f"## Verdict: {verdict.finding or 'no verdict'}", ""]
    if verdict.reason:
        lines.append(f"- Why: {_inline(verdict.reason)}")
    if verdict.decision is not None and verdict.decision.reason:
        lines.append(f"- The foreperson: {_inline(verdict.decision.reason)}")
    if verdict.decision is not None and verdict.decision.rating is not None:
        lines.append(f"- Rating: {verdict.decision.rating} of 5, the foreperson's")
    elif verdict.rating is not None and verdict.mean_rating is not None:
        lines.append(f"- Rating: {verdict.rating:g} of 5, mean {verdict.mean_rating:.2f}")
    if likely := likelihood(verdict):
        lines.append(f"- Probability of unsafe: {likely}")
    if verdict.tally:
        counts = ", ".join(f"{n} {_inline(name)}" for name, n in verdict.tally.items())
        lines.append(f"- Tally: {counts}, by {_inline(verdict.rule)}")
        whose = "" if verdict.decision is None else "majority "
        lines.append(f"- Round 0: {whose}{verdict.initial_finding or 'no verdict'}")
        lines.append(f"- Rounds: {verdict.rounds}")
    if verdict.dissent:
        names = ", ".join(_inline(jury.title(seat)) for seat in verdict.dissent)
        lines.append(f"- Dissent: {names}")
    used = call_words(CallTotals(verdict.usage, verdict.cost_usd, verdict.calls))
    if elapsed_s is not None:
        used.append(duration(elapsed_s))
    return [*lines, f"- Cost: {', '.join(used)}", ""]


def _fenced(text: str) -> list[str]:
    shown = escape_controls(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown.split("\n"), fence]


def _quote(text: str) -> list[str]:
    lines = escape_controls(text).strip().split("\n")
    return [("> " + _SPECIAL.sub(r"\\\g<0>", line.strip())).rstrip() for line in lines]


def _inline(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", escape_line(text))
