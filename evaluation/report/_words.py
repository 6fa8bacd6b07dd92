"""Words for costs, names, verdicts and media in reports that people read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...common import escape_line
from ...common.text import MISSING, count, dollars, gpu_hours, many, percent
from ..metrics import Estimated, RunSummary, ServerTime, TargetSummary
from ..record import Integrity

COMPARABILITY = "Comparability"
"""Heading of the list of what makes targets hard to compare."""
_MEDIA = {"image": "a picture", "audio": "a recording"}
_INSTEAD = {
    "withheld": ", and do not know what is in it: use jurors that take it.",
    "request": ", but read a description of it from the set.",
    "transcript": ", but read a transcript of it.",
}
"""What jurors got in place of a medium."""
LEAST_N = 5
"""Minimum number of harmful cases with a verdict for a scenario among the riskiest."""
Cell = str | float | int | None
"""A value in a CSV file."""
NO_LABEL = "(no label)"
"""Name of the row of cases that lack the label of a breakdown."""


def cost(target: TargetSummary) -> str:
    """Return the cost of a target, as a lower bound where only a part is known."""
    if target.cost_usd is not None:
        return dollars(target.cost_usd)
    return f"≥{dollars(target.cost_usd_known)}" if target.cost_usd_known > 0 else MISSING


def describe_asked(target: TargetSummary) -> str | None:
    """Return how many jurors were asked, such as `asked 2.0 of 7 jurors a case`.

    None where all were, or nobody.
    """
    ballots = target.outcomes.ballots
    seats, left_out = sum(ballots.values()), ballots.get("not_asked", 0)
    if not left_out or not target.heard:
        return None
    asked = (seats - left_out) / target.heard
    return f"asked {asked:.1f} of {round(seats / target.heard)} jurors a case"


def describe_server_time(time: ServerTime) -> str:
    """Return the cost of a server's time, such as `server time $1.20 (0.48 GPU hours)`."""
    return f"server time {dollars(time.usd)} ({gpu_hours(time.gpu_hours)})"


def describe_estimated(charged: Estimated) -> str:
    """Return a sentence on calls that reported no credible usage, and their charges."""
    unpriced = f" and {many(charged.unpriced, 'unknown price')}" if charged.unpriced else ""
    return (
        f"{many(charged.calls, 'call')} reported no credible usage and "
        f"{'counts' if charged.calls == 1 else 'count'} at what was reserved: "
        f"{count(charged.tokens)} tokens, {dollars(charged.usd)}{unpriced}"
    )


def describe_unchained(found: Integrity) -> str | None:
    """Return how far cases without a chain could be checked, None where all cases have one."""
    if not found.unchained:
        return None
    without = many(found.uncompared, "result")
    uncompared = f"; {without} could not be compared: no verdict was announced"
    return (
        f"{many(found.unchained, 'case')} without a chain (recorded by an earlier version): "
        "ballots were compared with their seals and results with their transcripts"
        f"{uncompared if found.uncompared else ''}. A matching change of both would not be noticed."
    )


def ends(name: str, interval: tuple[float, float] | None) -> dict[str, Cell]:
    """Return the two ends of an interval as cells of a CSV file."""
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def title(name: str) -> str:
    """Return an id as words: `illegal_and_criminal_behavior` without underscores."""
    return escape_line(name.rpartition(".")[2].replace("_", " "))


def ranked(summary: RunSummary) -> Sequence[TargetSummary]:
    """Sort the targets by attack success rate, lowest first, those without verdicts last.

    Ties go to the higher safety index, then by name.
    """

    def place(target: TargetSummary) -> tuple[bool, float, float, str]:
        missing = target.asr.micro is None
        return missing, target.asr.micro or 0.0, -(target.sri.micro or 0.0), target.name

    return sorted(summary.targets, key=place)


def riskiest(target: TargetSummary, limit: int = 5) -> Sequence[tuple[str, float, int]]:
    """Return scenario, attack success rate and n of the riskiest scenarios, worst first.

    Scenarios where no attack succeeded are left out, and those with an n below `LEAST_N`.
    """
    rates = [
        (name, part.asr.micro, part.asr.n)
        for name, part in target.scenarios.items()
        if part.asr.micro and part.asr.n >= LEAST_N
    ]
    return sorted(rates, key=lambda rate: (-rate[1], -rate[2], rate[0]))[:limit]


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Counts of cases by verdict, for harmful queries, benign queries or both.

    Attributes:
        intent: `harmful`, `benign` or `both`.
        unsafe: Cases with an unsafe verdict.
        safe: Cases with a safe verdict.
        lost: Cases without a verdict.
        given_up: Cases in which the attack asked nothing.
    """

    intent: str
    unsafe: int
    safe: int
    lost: int
    given_up: int

    def as_cells(self) -> list[str]:
        """Return intent, cases, and of these unsafe, safe, no verdict and given up."""
        parts = (self.unsafe, self.safe, self.lost, self.given_up)
        return [self.intent, count(sum(parts)), *map(count, parts)]


def verdicts_by_intent(target: TargetSummary) -> list[VerdictCounts]:
    """Count a target's cases by verdict: harmful ones and, if any, benign ones and both."""
    asr, benign, every = target.asr, target.benign_unsafe, target.asr_with_given_up
    given_up = 0 if every is None else every.n - asr.n
    harmful = _verdicts("harmful", asr.unsafe, asr.n, target.harmful, given_up)
    if not target.benign:
        return [harmful]
    rest = target.given_up - given_up
    other = _verdicts("benign", benign.count, benign.n, target.benign, rest)
    unsafe, decided = asr.unsafe + benign.count, asr.n + benign.n
    return [harmful, other, _verdicts("both", unsafe, decided, target.cases, target.given_up)]


def _verdicts(intent: str, unsafe: int, decided: int, cases: int, given_up: int) -> VerdictCounts:
    lost = cases - decided - given_up
    return VerdictCounts(intent, unsafe, decided - unsafe, lost, given_up)


def describe_complete(target: TargetSummary) -> str:
    """Return a sentence with the attack success rates of all and of complete responses."""
    whole = target.asr_complete
    return (
        f"ASR is {percent(target.asr.micro)} (n {count(target.asr.n)}), and "
        f"{percent(whole.micro)} (n {count(whole.n)}) of those that are complete"
    )


def unseen_media_warnings(summary: RunSummary) -> tuple[str, ...]:
    """Return a sentence for each share of votes cast without a medium of the query."""
    return tuple(
        f"{escape_line(target.name)}: {percent(votes / sum(ways.values()))} of ballots on "
        f"queries with {_MEDIA[medium]} were cast by jurors that were not sent it{_INSTEAD[how]}"
        for target in summary.targets
        for medium, ways in target.media.items()
        for how, votes in ways.items()
        if how in _INSTEAD and votes
    )


def markdown_table(
    header: str, rows: Iterable[Sequence[str]], *, escaped: bool = False
) -> list[str]:
    """Return the lines of a table in Markdown.

    Args:
        header: The headings, with `|` between them.
        rows: Their cells, of which only the first may need escaping.
        escaped: Whether the first is escaped already.
    """
    names = header.split("|")
    rule = ["---", *("---:" for _ in names[1:])]
    body = [row if escaped else [inline(row[0]), *row[1:]] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *body)]


def inline(value: object) -> str:
    """Escape text for Markdown and HTML."""
    text = MISSING if value is None else escape_line(str(value))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*[]|#!" else c for c in text)
