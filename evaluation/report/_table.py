"""Prints a report at a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from ...agents import BallotOutcome, RemarkOutcome
from ...common import escape_line
from ...common.text import MISSING, coefficient, count, dollars, index, points, span
from ..metrics import (
    DEFAULT_THRESHOLDS,
    NO_FACTS,
    ComparabilityFlag,
    RunFacts,
    RunSummary,
    TargetSummary,
    Thresholds,
    describe_cost,
    first_warnings,
)
from ..trust.talk import TalkFigures
from ._foreperson import foreperson_tables
from ._grid import Column, Grid, in_its_encoding, write_lines
from ._guards import guard_tables, seat_of
from ._health import health_warnings
from ._parts import (
    categories,
    groups,
    heat,
    rate_columns,
    repeats,
    share_text,
    write_riskiest,
)
from ._talk import NO_TALK, talk_sentences, talk_tables
from ._words import (
    COMPARABILITY,
    cost,
    describe_asked,
    ranked,
    unseen_media_warnings,
    verdicts_by_intent,
)
from .corrected import corrected_columns, corrected_said

_SCALE = 24
"""Width of the drawing of an interval, in characters."""
_Targets = Sequence[TargetSummary]


def report_table(
    summary: RunSummary,
    console: Console,
    *,
    notes: Sequence[str] = (),
    comparability: Sequence[ComparabilityFlag] = (),
    wanted: Thresholds = DEFAULT_THRESHOLDS,
    facts: RunFacts = NO_FACTS,
    talk: TalkFigures = NO_TALK,
) -> None:
    """Print a report to a console of any width, with or without colors.

    Columns that do not fit are left out and named below their table.

    Args:
        summary: The figures of the run.
        console: Where to write.
        notes: Sentences that the reader must see first.
        comparability: What makes the targets hard to compare.
        wanted: Thresholds below which there is a warning.
        facts: Other facts of the run.
        talk: What talking did.
    """
    first = [*first_warnings(summary), *notes, *unseen_media_warnings(summary)]
    warnings = {
        COMPARABILITY: [flag.text for flag in comparability],
        "Warnings": health_warnings(summary, wanted=wanted, facts=facts),
    }
    in_its_encoding(console, lambda: _write(summary, console, first, warnings, talk))


def _write(
    summary: RunSummary,
    console: Console,
    notes: Sequence[str],
    warnings: Mapping[str, Sequence[str]],
    talk: TalkFigures,
) -> None:
    targets, by, spent = ranked(summary), summary.by, summary.spent
    write_lines(console, "Read this first", notes)
    if notes:
        console.print()
    whole = _leaderboard(targets, console).write(console)
    console.print(_reading(targets), style="dim")
    for line in corrected_said(targets):
        console.print(Text(line, style="bold"))
    for target in targets:
        if target.verdicts:
            console.print()
            whole &= categories(target, console).write(console)
            write_riskiest(console, target)
            if by not in (None, "category"):
                console.print()
                whole &= groups(target, by, console).write(console)
    for grid in _details(targets, talk):
        console.print()
        whole &= grid.write(console)
    if sentences := list(talk_sentences(talk)):
        console.print()
        console.print(Text("\n".join(sentences)))
        console.print()
    for target in targets:
        if asked := describe_asked(target):
            console.print(Text(f"{escape_line(target.name)}: {asked}"))
    if spent is not None:
        console.print(Text(describe_cost(spent)))
    if not whole:
        console.print()
        console.print(
            Text("Some columns are not shown: use a wider terminal or `--format md`."), style="dim"
        )
    for heading, lines in warnings.items():
        if lines:
            console.print()
        write_lines(console, heading, lines)


def _details(targets: _Targets, talk: TalkFigures) -> Iterator[Grid]:
    yield _verdicts(targets)
    if any(target.benign for target in targets):
        yield _benign(targets)
    yield _responses(targets)
    yield _jury(targets)
    yield _effect(targets)
    yield from talk_tables(talk, targets)
    yield from _talk(targets)
    yield from _jurors(targets)
    yield from _quotes(targets)
    yield from foreperson_tables(targets)
    yield from guard_tables(targets)
    yield _costs(targets)


def _reading(targets: _Targets) -> Text:
    repeated = any(target.asr.queries < target.asr.n for target in targets)
    queries = "queries: different ones among them; " if repeated else ""
    return Text(
        "ASR: unsafe verdicts per harmful query, lower is safer; n: harmful cases with a verdict; "
        f"{queries}macro: mean of the categories. SRI: 20 to 100, higher is safer. "
        f"Intervals: 95 %. {MISSING}: nothing was measured."
    )


def _names(targets: _Targets, style: str = "") -> list[Text]:
    return [Text(escape_line(target.name), style=style) for target in targets]


def _leaderboard(targets: _Targets, console: Console) -> Grid:
    asr = [target.asr for target in targets]
    columns = [
        Column("ASR %", [share_text(one.micro) for one in asr], 0),
        Column("interval", [span(one.interval) for one in asr], 2),
        *corrected_columns(targets),
        Column("n", [count(one.n) for one in asr], 1),
        *repeats([(one.queries, one.n) for one in asr], 4),
    ]
    if any(target.truncated_judged for target in targets):
        whole = [target.asr_complete for target in targets]
        columns += [
            Column("complete\nASR %", [share_text(one.micro) for one in whole], 6),
            Column("n", [count(one.n) for one in whole], 6),
        ]
    columns += [
        Column("macro\nASR %", [share_text(one.macro) for one in asr], 3),
        Column("interval", [span(one.macro_interval) for one in asr], 3, "interval of macro"),
        Column("SRI", [index(target.sri.micro) for target in targets], 1),
        Column(
            "SRI by\nmeans",
            [index(target.sri.mean_of_ballots) for target in targets],
            8,
            "SRI by means of ballots",
        ),
        Column("cover-\nage %", [points(target.coverage) for target in targets], 5, "coverage %"),
        Column("cost", [cost(target) for target in targets], 7),
        Column(
            f"0 %{'ASR':^{_SCALE - 8}}100 %",
            [_interval_line(target, console) for target in targets],
            9,
            "drawing",
            left=True,
        ),
    ]
    return Grid("Models under test, safest first", "target", _names(targets, "bold"), columns)


def _interval_line(target: TargetSummary, console: Console) -> Text:
    """Draw the interval as a line with the rate as a point on it."""
    track, line, point = ("-", "=", "O") if console.options.ascii_only else ("·", "━", "●")
    text = Text(track * _SCALE, style="dim")
    if target.asr.micro is None or target.asr.interval is None:
        return text
    low, at, high = (
        min(_SCALE - 1, int(share * _SCALE))
        for share in (target.asr.interval[0], target.asr.micro, target.asr.interval[1])
    )
    drawn = Text(track * low, style="dim")
    drawn.append(line * (at - low) + point + line * (high - at), style=heat(target.asr.micro))
    return drawn.append(track * (_SCALE - 1 - high))


def _verdicts(targets: _Targets) -> Grid:
    """Return the table of cases by intent and verdict, in which each row adds up."""
    names, rows = list[Text](), list[list[str]]()
    for target in targets:
        own = [row.as_cells() for row in verdicts_by_intent(target)]
        names += [Text(escape_line(target.name)), *[Text()] * (len(own) - 1)]
        rows += own
    heads = ["intent", "cases", "unsafe", "safe", "no\nverdict"]
    heads += ["gave\nup"] * any(target.given_up for target in targets)
    columns = [
        Column(head, [row[place] for row in rows], place and 1, left=not place)
        for place, head in enumerate(heads)
    ]
    return Grid("Cases by verdict", "target", names, columns)


def _benign(targets: _Targets) -> Grid:
    declined = [target.over_refusal for target in targets]
    unsafe = [target.benign_unsafe for target in targets]
    columns = [
        *rate_columns("over-\nrefusal %", declined, 0, "over-refusal %", interval=2),
        *repeats([(rate.queries, rate.n) for rate in declined], 5),
        *rate_columns("unsafe %", unsafe, 3, interval=4),
    ]
    return Grid("Benign queries", "target", _names(targets), columns)


def _responses(targets: _Targets) -> Grid:
    kinds = list(targets[0].outcomes.responses) if targets else []
    columns = [
        Column(
            kind.replace("_", "\n"),
            [count(target.outcomes.responses[kind]) for target in targets],
            place,
        )
        for place, kind in enumerate(kinds)
    ]
    return Grid("Responses by outcome", "target", _names(targets), columns)


def _jury(targets: _Targets) -> Grid:
    agreement = [target.agreement for target in targets]
    initial = [target.initial_asr for target in targets]
    columns = [
        Column("agree-\nment %", [points(one.pairwise) for one in agreement], 0, "agreement %"),
        Column("alpha", [coefficient(one.alpha) for one in agreement], 2),
        Column("n", [count(one.cases) for one in agreement], 2),
        *rate_columns("con-\ntested %", [target.contested for target in targets], 3, "contested %"),
        *rate_columns("ASR %\nround 0", initial, 1, interval=4),
    ]
    return Grid("The jury before deliberation", "target", _names(targets), columns)


def _effect(targets: _Targets) -> Grid:
    flips = [target.flips for target in targets]
    columns = [
        Column("cases\ndiscussed", [count(one.cases_discussed) for one in flips], 0),
        Column("verdicts\nchanged", [count(one.verdicts_changed) for one in flips], 1),
        Column("jurors to\nunsafe", [count(one.to_unsafe) for one in flips], 2),
        Column("jurors to\nsafe", [count(one.to_safe) for one in flips], 2),
    ]
    return Grid("Effect of deliberation", "target", _names(targets), columns)


def _talk(targets: _Targets) -> Iterator[Grid]:
    """Yield a table of the turns at the roundtable, if there was one."""
    if not any(target.talk for target in targets):
        return
    columns = [Column("turns", [count(sum(target.talk.values())) for target in targets], 1)]
    for kind in RemarkOutcome:
        counts = [target.talk.get(kind, 0) for target in targets]
        if any(counts) or kind in (RemarkOutcome.SPOKE, RemarkOutcome.PASSED):
            columns.append(Column(kind.replace("_", " "), [count(one) for one in counts], 0))
    yield Grid("Turns at the roundtable", "target", _names(targets), columns)


def _jurors(targets: _Targets) -> Iterator[Grid]:
    """Yield a table of the jurors who did not always vote, if any."""
    rows = [
        (f"{target.name} \N{MIDDLE DOT} {seat_of(target, name)}", ballots)
        for target in targets
        for name, ballots in target.jurors.items()
        if ballots.outcomes[BallotOutcome.VERDICT] < ballots.asked
    ]
    if rows:
        said = [ballots for _, ballots in rows]
        others = [kind for kind in BallotOutcome if not kind.is_lost]
        columns = [
            Column("ballots", [count(one.asked) for one in said], 1),
            Column("lost", [count(one.lost) for one in said], 0),
            Column("kept %", [points(one.kept) for one in said], 1),
            Column("verdicts\nlacking", [count(one.verdicts_lacking) for one in said], 2),
            Column(
                "without\nits vote",
                [count(one.verdicts_without_vote) for one in said],
                2,
                "verdicts without its vote",
            ),
        ]
        columns += [
            Column(kind, [count(one.outcomes[kind]) for one in said], 3)
            for kind in others
            if kind is not BallotOutcome.VERDICT
        ]
        names = [Text(escape_line(name)) for name, _ in rows]
        yield Grid("Ballots without a vote, all rounds", "target and juror", names, columns)


def _quotes(targets: _Targets) -> Iterator[Grid]:
    """Yield a table of the jurors who gave for words of the case what is none, if any."""
    rows = [
        (f"{target.name} \N{MIDDLE DOT} {name}", ballots)
        for target in targets
        for name, ballots in target.jurors.items()
        if ballots.misquoting
    ]
    if rows:
        said = [ballots for _, ballots in rows]
        shares = [ballots.misquoting / ballots.quoting for ballots in said]
        columns = [
            Column("ballots\nthat quote", [count(one.quoting) for one in said], 1),
            Column("with words not\nin the case", [count(one.misquoting) for one in said], 0),
            Column("%", [points(share) for share in shares], 0),
        ]
        names = [Text(escape_line(name)) for name, _ in rows]
        yield Grid(
            "Quotes that are not in the case, all rounds", "target and juror", names, columns
        )


def _costs(targets: _Targets) -> Grid:
    tokens = [target.tokens for target in targets]
    columns = [
        Column("calls", [count(target.calls) for target in targets], 1),
        Column("prompt\ntokens", [count(one.prompt) for one in tokens], 2),
        Column("of these\ncached", [count(one.cached) for one in tokens], 3),
        Column("completion\ntokens", [count(one.completion) for one in tokens], 2),
        Column("cost", [cost(target) for target in targets], 0),
    ]
    times = [target.server_time for target in targets]
    if any(times):
        said = [MISSING if time is None else dollars(time.usd) for time in times]
        columns.append(Column("server\ntime", said, 0))
    return Grid("Cost of target and jury", "target", _names(targets), columns)
