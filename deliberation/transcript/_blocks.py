"""Renders the parts of a transcript other than ballots, from the case to the verdict."""

from collections.abc import Callable, Iterable, Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...agents import Case, Finding
from ...datasets import (
    UNCATEGORISED,
    Media,
    Query,
    ShownTurn,
    Transcript,
    load_taxonomy,
    shown_turns,
)
from ...targets import ResponseOutcome, plain_detail
from ..protocol import CallTotals, DiscussionOpened, SeatInfo, SummedUp, Verdict
from ._look import AMBER, BLUE, GRAY, GREEN, RED, Look, Seats, finding_color
from ._quotes import Quotes, with_quotes

REQUEST = "What it asks for, as its set says"
"""Heading of a query's underlying request."""


def case_titles(case: Case) -> tuple[str, str]:
    """Return the titles of a case's scenario and category, or their ids if unknown.

    A case without a scenario has no category either.
    """
    scenario = case.query.scenario
    if scenario in ("", UNCATEGORISED.id):
        return UNCATEGORISED.title, ""
    if (known := case.titles or load_taxonomy().titles(scenario)) is not None:
        return known
    category_id, _, name = scenario.rpartition(".")
    return name, category_id or "unknown category"


def header(look: Look, jury: Seats, case: Case, target: str, protocol: str) -> RenderableType:
    """Return the header of a case: its target, scenario and jury."""
    scenario, category = case_titles(case)
    grid = _labels()
    where = look.name(scenario, "bold")
    if category:
        where = look.joined(where, look.name(category))
    grid.add_row("scenario", where.append(f" {look.glyphs.dot} {case.query.intent} query", GRAY))
    grid.add_row("target", look.name(target, "bold"))
    if protocol:
        grid.add_row("protocol", look.name(protocol))
    if jury.seats:
        seats = [_seat(look, jury, seat) for seat in jury.seats]
        grid.add_row("jury", Text("\n").join(seats))
    title = Text.assemble("Case ", look.name(case.query.id, "bold"))
    return Padding(_panel(grid, title, BLUE), (1, 0, 0, 0))


def _seat(look: Look, jury: Seats, seat: SeatInfo) -> Text:
    parts = [jury.label(look, seat.seat), look.name(seat.model, GRAY)]
    return look.joined(*parts, *([Text("guard", GRAY)] if seat.guard else []))


def question(look: Look, jury: Seats, case: Case, quotes: Quotes) -> RenderableType:
    """Render the query with its media, underlying request and transcript."""
    note = f" {look.glyphs.dot} ".join(map(_media, case.query.media))
    parts: list[RenderableType] = [look.heading("Question", note)]
    said = _said(look, jury, quotes)
    parts += (Padding(body, (1, 2, 0, 2)) for body in _asked(look, case.query, said))
    if (request := case.query.underlying_request) is not None:
        parts.append(Padding(_request(look, request, said), (1, 2, 0, 2)))
    if case.transcript is not None:
        transcript = _transcript(look, case.transcript, said, reveal=quotes.reveal)
        parts.append(Padding(transcript, (1, 2, 0, 2)))
    return Group(*parts)


def _asked(look: Look, query: Query, said: Callable[[str], Text]) -> Iterator[RenderableType]:
    """Yield the query, turn by turn for a conversation."""
    if not query.messages:
        yield said(query.text)
    yield from _turns(look, shown_turns(query.messages), said)


def _turns(
    look: Look, turns: Iterable[ShownTurn], said: Callable[[str], Text]
) -> Iterator[RenderableType]:
    """Yield turns with their words indented, so that they cannot pose as our headings."""
    for turn in turns:
        lines: list[RenderableType] = [look.name(turn.heading, f"italic {GRAY}")]
        lines += [_indented(said(turn.text))] if turn.text else []
        for call in turn.calls:
            lines += [look.name("it calls a tool:", f"italic {GRAY}"), _indented(said(call))]
        yield Group(*lines)


def _indented(words: Text) -> RenderableType:
    return Padding(words, (0, 0, 0, 2))


def _request(look: Look, request: str, said: Callable[[str], Text]) -> Text:
    head = look.name(REQUEST, f"italic {GRAY}")
    return Text("\n").join([head, said(request)])


def _transcript(
    look: Look, transcript: Transcript, said: Callable[[str], Text], *, reveal: bool
) -> Text:
    head = look.name(transcript.title, f"italic {GRAY}")
    if transcript.failure is not None:
        why = look.name(f"not available: {transcript.failure}", f"italic {AMBER}")
        return look.joined(head, why)
    words = said(transcript.words if reveal else transcript.text)
    return Text("\n").join([head, words])


def _media(media: Media) -> str:
    kind = media.media_type.partition("/")[0]
    size = f"{media.size / 1000:.1f} kB" if media.size >= 1000 else f"{media.size} B"
    return f"with {kind} {media.sha256[:8]}, {size}"


def response(look: Look, jury: Seats, case: Case, target: str, quotes: Quotes) -> RenderableType:
    """Render the response in a frame that shows where it ends."""
    answer = case.response
    title = Text.assemble(look.name(target, "bold"), f" {answer.outcome}")
    said = _said(look, jury, quotes)
    words = said(answer.text.strip() if quotes.reveal else answer.text)
    if not answer.text.strip():
        words = Text("(no words)", f"italic {GRAY}")
    lines: list[RenderableType] = [words]
    if answer.turns:
        turns = _turns(look, case.since, said)
        lines = [Padding(turn, (0, 0, 1, 0)) for turn in turns]
        lines += [look.name("Its last words", f"italic {GRAY}"), _indented(words)]
    if detail := answer.detail if quotes.reveal else plain_detail(answer):
        lines.append(look.words(detail, f"italic {AMBER}"))
    lines += (look.words(change, f"italic {GRAY}") for change in answer.changes)
    color = GRAY if answer.outcome is ResponseOutcome.ANSWERED else AMBER
    return Padding(_panel(Group(*lines), title, color), (1, 0, 0, 0))


def _said(look: Look, jury: Seats, quotes: Quotes) -> Callable[[str], Text]:
    """Return a function that shows the words of a case, or only their number."""
    return with_quotes(look, jury, quotes) if quotes.reveal else _withheld


def _withheld(text: str) -> Text:
    return Text(f"withheld, {len(text):,} characters: reveal them to read", f"italic {GRAY}")


def discussion(look: Look, entry: DiscussionOpened) -> RenderableType:
    """Render why the foreperson opens the discussion."""
    why = Text.assemble(("The foreperson opens the discussion: ", ""), look.words(entry.why))
    return Group(look.heading("Discussion"), Padding(why, (1, 2, 0, 2)))


def summing_up(look: Look, entry: SummedUp) -> RenderableType:
    """Render the foreperson's summary, or why there is none."""
    parts: list[RenderableType] = [look.heading("The foreperson sums up")]
    if entry.text.strip():
        parts.append(Padding(look.words(entry.text.strip(), "italic"), (1, 2, 0, 2)))
    if entry.detail or not entry.text.strip():
        detail = look.words(entry.detail or "no summary", f"italic {AMBER}")
        parts.append(Padding(detail, (1, 2, 0, 2)))
    return Group(*parts)


def verdict(look: Look, jury: Seats, verdict: Verdict, elapsed_s: float | None) -> RenderableType:
    """Return the verdict with its tally, dissent and cost."""
    color = finding_color(verdict.finding)
    grid = _labels()
    if verdict.reason:
        grid.add_row("why", look.words(verdict.reason, f"italic {color}"))
    if (decision := verdict.decision) is not None and decision.reason:
        grid.add_row("foreperson", look.words(decision.reason, "italic"))
    if verdict.tally:
        grid.add_row("rating", _rating(look, verdict))
        grid.add_row("tally", _tally(look, verdict))
    if verdict.dissent:
        names = [jury.label(look, seat) for seat in verdict.dissent]
        grid.add_row("dissent", look.joined(*names))
    elif verdict.finding is not None:
        grid.add_row("dissent", "none")
    if verdict.tally:
        grid.add_row("discussion", _discussion(look, verdict))
    if verdict.declined is not None:
        helped = "declined to help" if verdict.declined else "did not decline"
        grid.add_row("response", helped)
    if likely := likelihood(verdict):
        grid.add_row("calibrated", f"probability of unsafe {likely}")
    title = Text.assemble(("Verdict ", "bold"), _badge(look, verdict.finding))
    panel = _panel(grid, title, color, heavy=True)
    used = CallTotals(verdict.usage, verdict.cost_usd, verdict.calls)
    return Group(Padding(panel, (1, 0, 0, 0)), footer(look, used, elapsed_s))


def _badge(look: Look, finding: Finding | None) -> Text:
    mark, word = look.glyphs.none, "NO VERDICT"
    if finding is not None:
        mark = look.glyphs.unsafe if finding is Finding.UNSAFE else look.glyphs.safe
        word = finding.upper()
    return Text(f" {mark} {word} ", f"bold #ffffff on {finding_color(finding)}")


def _rating(look: Look, verdict: Verdict) -> Text:
    if verdict.rating is None:
        voted = verdict.tally.keys() & {"unsafe", "safe"}
        return Text("none: guards give none" if voted else "none, without a vote", GRAY)
    text = Text.assemble(look.dots(verdict.rating), f"  {verdict.rating:g} of 5")
    if verdict.decision is not None and verdict.decision.rating is not None:
        text.append(" (the foreperson's; 5 is the safest)", GRAY)
    elif verdict.mean_rating is not None:
        text.append(f" (median; mean {verdict.mean_rating:.2f}; 5 is the safest)", GRAY)
    return text


def likelihood(verdict: Verdict) -> str:
    """Return the probability that a response is unsafe in words, empty where none is known."""
    first, last = verdict.initial_probability, verdict.probability
    if verdict.rounds < 2 or first is None:
        return "" if last is None else f"{last:.2f}"
    return f"{'not known' if last is None else f'{last:.2f}'} (round 0: {first:.2f})"


def _tally(look: Look, verdict: Verdict) -> Text:
    colors = {"unsafe": RED, "safe": GREEN}
    squares, words = Text(), list[str]()
    for name, count in verdict.tally.items():
        glyph = look.glyphs.vote if name in colors else look.glyphs.no_vote
        squares.append(glyph * count, colors.get(name, AMBER))
        words.append(f"{count} {name.replace('_', ' ')}")
    counts = f" {look.glyphs.dot} ".join(words)
    return squares.append(f"  {counts}").append(f" (by {verdict.rule})", GRAY)


def _discussion(look: Look, verdict: Verdict) -> Text:
    if verdict.rounds < 2:
        contested = "round 0 was contested" if verdict.contested else "round 0 was not contested"
        return Text(f"none; {contested}")
    before, last = verdict.initial_finding or "no verdict", verdict.finding
    if verdict.decision is not None:  # what talk changed; the decision is shown apart
        before, last = f"majority {before}", verdict.majority
    after = last or "no verdict"
    moves = [
        f"{count} changed to {finding}"
        for count, finding in ((verdict.flips.to_unsafe, "unsafe"), (verdict.flips.to_safe, "safe"))
        if count
    ]
    moved = ", ".join(moves) or "nobody changed their finding"
    rounds = f"{verdict.rounds} rounds"
    return look.joined(rounds, f"{before} {look.glyphs.arrow} {after}", moved)


def footer(look: Look, used: CallTotals | None, elapsed_s: float | None) -> RenderableType:
    """Render calls, tokens, cost and time in one line, as far as they are known."""
    parts = call_words(used) if used else []
    if elapsed_s is not None:
        parts.append(duration(elapsed_s))
    text = look.joined(*parts)
    text.stylize(GRAY)
    return Padding(text, (0, 2))


def call_words(used: CallTotals) -> list[str]:
    """Return calls, tokens and cost as text."""
    tokens = used.usage.total_tokens
    return [
        "1 call" if used.calls == 1 else f"{used.calls:,} calls",
        "tokens unknown" if tokens is None else f"{tokens:,} tokens",
        "cost unknown" if used.cost_usd is None else f"${used.cost_usd:.4f}",
    ]


def duration(seconds: float) -> str:
    """Return a duration as text."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s"


def _labels() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=GRAY, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _panel(body: RenderableType, title: Text, color: str, *, heavy: bool = False) -> Panel:
    return Panel(
        body,
        box=box.HEAVY if heavy else box.ROUNDED,
        title=title,
        title_align="left",
        border_style=color,
        padding=(0, 1),
    )
