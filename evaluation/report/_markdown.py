"""Writes a report as Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from ...agents import BallotOutcome
from ...common.text import (
    MISSING,
    coefficient,
    count,
    dollars,
    index,
    index_span,
    many,
    percent,
    points,
    span,
)
from ..metrics import (
    DEFAULT_THRESHOLDS,
    LABEL,
    NO_FACTS,
    Breakdown,
    ComparabilityFlag,
    FlipCounts,
    JurorBallots,
    Rate,
    RunFacts,
    RunSummary,
    TargetSummary,
    Thresholds,
    describe_cost,
    first_warnings,
)
from ..trust.talk import TalkFigures, TargetTalk
from ._foreperson import foreperson_lines
from ._guards import guard_lines
from ._health import health_warnings
from ._talk import NO_TALK, talk_lines, talk_sentences
from ._words import (
    COMPARABILITY,
    NO_LABEL,
    cost,
    describe_asked,
    describe_complete,
    describe_server_time,
    ranked,
    title,
    unseen_media_warnings,
    verdicts_by_intent,
)
from ._words import inline as _inline
from ._words import markdown_table as _table
from .corrected import HEADER, corrected_cells, corrected_said, is_corrected

_ASR = "ASR %|95 % interval|n|queries|"
_PART = "SRI|over-refusal %|n|benign unsafe %|n|coverage %|cases"


def report_markdown(
    run_info: Mapping[str, object],
    summary: RunSummary,
    *,
    notes: Sequence[str] = (),
    comparability: Sequence[ComparabilityFlag] = (),
    wanted: Thresholds = DEFAULT_THRESHOLDS,
    facts: RunFacts = NO_FACTS,
    talk: TalkFigures = NO_TALK,
) -> str:
    """Write a report for a page or an issue.

    Args:
        run_info: Facts of the run, such as its name; shown as a list.
        summary: The figures of the run.
        notes: Sentences that the reader must see first.
        comparability: What makes the targets hard to compare.
        wanted: Thresholds below which there is a warning.
        facts: Other facts of the run.
        talk: What talking did.
    """
    lines = ["# Safety report", ""]
    lines += [f"- {_inline(key)}: {_inline(value)}" for key, value in run_info.items()]
    lines += [""] if run_info else []
    warnings = [*first_warnings(summary), *notes, *unseen_media_warnings(summary)]
    warnings += health_warnings(summary, wanted=wanted, facts=facts)
    lines += _listed("Warnings", warnings)
    lines += _listed(COMPARABILITY, [flag.text for flag in comparability])
    lines += _leaderboard(ranked(summary))
    lines += _verdicts(ranked(summary))
    lines += _benign([target for target in ranked(summary) if target.benign])
    for target in ranked(summary):
        lines += _target_section(target, summary.by, talk.targets.get(target.name))
    lines += _listed("What talking did", list(talk_sentences(talk)))
    if summary.spent is not None:
        lines += ["## Cost", "", describe_cost(summary.spent), ""]
    return "\n".join(lines).rstrip() + "\n"


def _listed(heading: str, said: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *(f"- {_inline(line)}" for line in said), ""] if said else []


def _leaderboard(targets: Sequence[TargetSummary]) -> list[str]:
    shown = is_corrected(targets)
    header = (
        f"target|{_ASR}{HEADER if shown else ''}macro ASR %|95 % interval|SRI|95 % interval|"
        "macro SRI|SRI by means|coverage %|cost"
    )
    rows = [
        [
            target.name,
            *_asr(target),
            *corrected_cells(target, shown=shown),
            points(target.asr.macro),
            span(target.asr.macro_interval),
            index(target.sri.micro),
            index_span(target.sri.interval),
            index(target.sri.macro),
            index(target.sri.mean_of_ballots),
            points(target.coverage),
            cost(target),
        ]
        for target in targets
    ]
    reading = (
        "ASR: unsafe verdicts per harmful query, lower is safer; n: harmful cases with a verdict; "
        "queries: different ones among them; macro: mean of the categories. SRI: 20 to 100, "
        "higher is safer, from each case's median rating; by means: from its mean rating. "
        f"{MISSING}: nothing was measured."
    )
    lines = ["## Models under test", "", *_table(header, rows), "", reading, ""]
    corrected = [f"- {_inline(line)}" for line in corrected_said(targets)]
    return [*lines, *corrected, ""] if corrected else lines


def _asr(part: Breakdown | TargetSummary) -> list[str]:
    asr = part.asr
    return [points(asr.micro), span(asr.interval), count(asr.n), count(asr.queries)]


def _verdicts(targets: Iterable[TargetSummary]) -> list[str]:
    rows = [
        [target.name, *row.as_cells()] for target in targets for row in verdicts_by_intent(target)
    ]
    header = "target|intent|cases|unsafe|safe|no verdict|gave up"
    return ["## Cases by verdict", "", *_table(header, rows), ""]


def _benign(targets: Sequence[TargetSummary]) -> list[str]:
    if not targets:
        return []
    header = "target|over-refusal %|95 % interval|n|queries|unsafe %|95 % interval|n|queries"
    rows = [
        [target.name, *_rate_words(target.over_refusal), *_rate_words(target.benign_unsafe)]
        for target in targets
    ]
    return ["## Benign queries", "", *_table(header, rows), ""]


def _rate_words(rate: Rate) -> list[str]:
    return [points(rate.value), span(rate.interval), count(rate.n), count(rate.queries)]


def _target_section(target: TargetSummary, by: str | None, talk: TargetTalk | None) -> list[str]:
    rows: list[list[str]] = []
    shown = is_corrected([target])
    for category, part in target.categories.items():
        rows.append(_part_row(f"**{_inline(title(category))}**", part, shown))
        rows += [
            _part_row(_inline(title(name)), scenario, shown)
            for name, scenario in target.scenarios.items()
            if name.partition(".")[0] == category
        ]
    name = _inline(target.name)
    table = _table(f"category and scenario|{_part_header(target)}", rows, escaped=True)
    grouped = _groups(target, by) if by is not None and by.startswith(LABEL) else []
    return [f"## {name}", "", *table, "", *grouped, *_jury_lines(target, talk), ""]


def _groups(target: TargetSummary, by: str) -> list[str]:
    """Return the table of a requested breakdown, with the total as the last row."""
    shown = is_corrected([target])
    rows = [
        _part_row(NO_LABEL if group.value is None else _inline(group.value), group.figures, shown)
        for group in target.groups
    ]
    rows.append(_part_row("**all**", target, shown))
    return [*_table(f"{_inline(by)}|{_part_header(target)}", rows, escaped=True), ""]


def _part_header(target: TargetSummary) -> str:
    corrected = HEADER if is_corrected([target]) else ""
    return f"{_ASR}{corrected}{_PART}"


def _part_row(name: str, part: Breakdown | TargetSummary, corrected: bool) -> list[str]:
    return [
        name,
        *_asr(part),
        *corrected_cells(part, shown=corrected),
        index(part.sri.micro),
        points(part.over_refusal.value),
        count(part.over_refusal.n),
        points(part.benign_unsafe.value),
        count(part.benign_unsafe.n),
        points(part.coverage),
        count(part.cases),
    ]


def _jury_lines(target: TargetSummary, talk: TargetTalk | None) -> list[str]:
    return [
        f"- Responses: {_counted(target.outcomes.responses)}",
        f"- Verdicts: {_counted(target.outcomes.verdicts)}",
        f"- Ballots: {_counted(target.outcomes.ballots)}",
        *([f"- Jurors: {asked}"] if (asked := describe_asked(target)) else []),
        *([f"- Truncated: {describe_complete(target)}"] if target.truncated_judged else []),
        *(
            _juror_line("Guard" if name in target.guards else "Juror", name, ballots)
            for name, ballots in target.jurors.items()
        ),
        *(f"- {_inline(line)}" for line in guard_lines(target)),
        _round_zero(target),
        _talking(target.flips),
        *(f"- {_inline(line)}" for line in (talk_lines(talk) if talk else ())),
        *([f"- Turns at the roundtable: {_counted(target.talk)}"] if target.talk else []),
        *foreperson_lines(target),
        _cost(target),
    ]


def _juror_line(kind: str, name: str, ballots: JurorBallots) -> str:
    missing = {
        outcome.value: ballots.outcomes[outcome]
        for outcome in BallotOutcome
        if outcome is not BallotOutcome.VERDICT and ballots.outcomes[outcome]
    }
    said = f", {_counted(missing)}" if missing else ""
    return (
        f"- {kind} {_inline(name)}: {count(ballots.outcomes[BallotOutcome.VERDICT])} votes in "
        f"{many(ballots.asked, 'ballot')} of all rounds{said}; "
        f"{percent(ballots.kept)} not lost to failed calls or the budget, "
        f"{many(ballots.verdicts_without_vote, 'verdict lacks', 'verdicts lack')} its vote in a "
        f"round ({count(ballots.verdicts_lacking)} of them due to such a loss)"
        f"{_quoting(ballots)}"
    )


def _quoting(ballots: JurorBallots) -> str:
    if not ballots.quoting:
        return ""
    quoting = many(ballots.quoting, "ballot quotes", "ballots quote")
    return f"; {quoting} the case, {count(ballots.misquoting)} with words that are not in it"


def _round_zero(target: TargetSummary) -> str:
    return (
        f"- Round 0: ASR {_with_n(target.initial_asr)}, contested {_with_n(target.contested)}, "
        f"pairwise agreement {percent(target.agreement.pairwise)}, "
        f"Krippendorff's alpha {coefficient(target.agreement.alpha)} "
        f"(n = {count(target.agreement.cases)})"
    )


def _with_n(rate: Rate) -> str:
    return f"{percent(rate.value)} ({span(rate.interval)}, n = {count(rate.n)})"


def _talking(flips: FlipCounts) -> str:
    return (
        f"- Effect of deliberation: cases discussed {count(flips.cases_discussed)}, "
        f"jurors changed to unsafe {count(flips.to_unsafe)} and to safe {count(flips.to_safe)}, "
        f"verdicts changed {count(flips.verdicts_changed)}"
    )


def _cost(target: TargetSummary) -> str:
    tokens, charged = target.tokens, target.estimated
    text = (
        f"- Cost: calls {count(target.calls)}, prompt tokens {count(tokens.prompt)} "
        f"(cached {count(tokens.cached)}), completion tokens {count(tokens.completion)}, "
        f"{cost(target)}"
    )
    if target.server_time is not None:
        text += f", and {describe_server_time(target.server_time)}"
    if not charged.calls:
        return text
    said = f"{count(charged.tokens)} tokens, {dollars(charged.usd)}"
    return f"{text}, and {many(charged.calls, 'call')} charged by estimate ({said})"


def _counted(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{count(number)} {_inline(title(name))}" for name, number in outcomes.items())
