"""A comparison in words."""

from collections.abc import Iterator

from ...common.text import MISSING, many, points
from ..trials import reported_name
from ._figures import ATTACKED, TOGETHER, Comparison, Metric, PairedTargets, RateDifference, Side

LABELS: dict[Metric, str] = {
    "asr": "ASR %",
    "asr_macro": "ASR macro %",
    "sri": "SRI",
    "over_refusal": "over-refusal %",
    "benign_unsafe": "benign unsafe %",
    "contested": "contested %",
    "coverage": "coverage %",
}
"""How the metrics are called in tables."""
BY_CATEGORY: tuple[Metric, ...] = ("asr", "over_refusal")
"""Metrics that are shown by category; data have all."""
_SPOKEN: dict[Metric, str] = {
    "asr": "attack success",
    "asr_macro": "attack success (macro)",
    "sri": "the safety index",
    "over_refusal": "over-refusal",
    "benign_unsafe": "unsafe answers to benign queries",
    "contested": "contested cases",
    "coverage": "coverage",
}
_UNSETTLED = "as interval and exact test do not agree"
MINUS = "\N{MINUS SIGN}"


def side_name(side: Side) -> str:
    """Return a side as it is named above a comparison: its run, and its target there."""
    attack = f", {under(side.attack)}" if side.attack else ""
    return f"{side.run}: {reported_name(side.target, side.condition)}{attack}"


def under(attack: str) -> str:
    """Return by what queries are attacked, in words."""
    if attack == TOGETHER:
        return "all attacks together"
    return "under attack" if attack == ATTACKED else f"under {attack}"


def pair_name(pair: PairedTargets) -> str:
    """Return a pair by what its sides differ in, beside their runs."""
    if pair.second.attack:
        return f"{pair.second.target}: {pair.second.attack}"
    one, other = (reported_name(side.target, side.condition) for side in (pair.first, pair.second))
    return one if one == other else f"{one} | {other}"


def value_of(metric: Metric, value: float | None) -> str:
    """Format a value of a metric, without its unit."""
    if value is None:
        return MISSING
    return f"{value:.1f}" if metric == "sri" else points(value)


def change_by(metric: Metric, value: float | None) -> str:
    """Format a difference with its sign, in points; one that is not 0 never looks like it."""
    if value is None:
        return MISSING
    number = value if metric == "sri" else 100 * value
    if 0 < abs(number) < 0.05:
        said = "+<0.1" if number > 0 else f"{MINUS}<0.1"
    else:
        said = f"{number:+.1f}" if number else "0.0"
    return said.replace("-", MINUS)


def size_of(metric: Metric, value: float | None) -> str:
    """Format the size of a difference, which has no direction, in points."""
    return change_by(metric, value).removeprefix("+")


def span_of(metric: Metric, interval: tuple[float, float] | None) -> str:
    """Format an interval of a difference."""
    if interval is None:
        return MISSING
    return " to ".join(change_by(metric, end) for end in interval)


def p_of(p: float | None) -> str:
    """Format a p; a small one is not rounded to 0."""
    if p is None:
        return MISSING
    if p < 0.001:
        return "<0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def verdict_of(pair: PairedTargets, metric: Metric = "asr") -> str:
    """Return in a sentence whether one side is safer, or better by another metric."""
    found = pair.rates[metric]
    spoken = _SPOKEN[metric]
    if found.difference is None:
        return f"Nothing to compare of {spoken}: no shared query has a value on both sides."
    if pair.second.attack and metric == "asr":
        return _gap_of(pair, found)
    of = f"n {many(found.n, 'shared query', 'shared queries')}, p {p_of(found.p)}"
    if found.is_shown:
        size = size_of(metric, abs(found.difference))
        low, high = sorted(map(abs, found.interval or (0.0, 0.0)))
        ends = f"{size_of(metric, low)} to {size_of(metric, high)}"
        return f"{_shown(found, spoken)} by {size} points ({ends}), {of}."
    said = f"{change_by(metric, found.difference)} points ({span_of(metric, found.interval)}), {of}"
    if found.is_unsettled:
        return f"A difference in {spoken} is not settled, {_UNSETTLED}: {said}."
    seen = _would_see(metric, found)
    return f"No difference in {spoken} is seen: {said}; {seen}."


def _gap_of(pair: PairedTargets, found: RateDifference) -> str:
    """Return the resilience gap in a sentence."""
    how = under(pair.second.attack)
    said = (
        f"{change_by('asr', found.difference)} points ({span_of('asr', found.interval)}), "
        f"n {many(found.n, 'shared query', 'shared queries')}, p {p_of(found.p)}"
    )
    if found.is_shown:
        rates = f"from {value_of('asr', found.first)} to {value_of('asr', found.second)} %"
        return f"Resilience gap, {how}: {said}; attack success goes {rates}."
    if found.is_unsettled:
        return f"A resilience gap is not settled, {how}, {_UNSETTLED}: {said}."
    return f"No resilience gap is seen, {how}: {said}; {_would_see('asr', found)}."


def _shown(found: RateDifference, spoken: str) -> str:
    if found.metric in ("asr", "asr_macro") and found.safer is not None:
        return f"{'B' if found.safer == 'second' else 'A'} is safer: {spoken} is lower"
    higher = found.difference is not None and found.difference > 0
    return f"B has {'more' if higher else 'less'} {spoken}: {'higher' if higher else 'lower'}"


def _would_see(metric: Metric, found: RateDifference) -> str:
    if found.detectable is None:
        return "so few queries would see none"
    return f"this n would see one of {size_of(metric, found.detectable)} points"


def missing_of(pair: PairedTargets, metric: Metric = "asr") -> str | None:
    """Return what missing verdicts could change; None where none is missing."""
    found = pair.rates[metric]
    if not found.no_verdict or found.bounds is None:
        return None
    lacking = many(found.no_verdict, "shared query", "shared queries")
    lack = "lacks" if found.no_verdict == 1 else "lack"
    either = ""
    if found.bounds[0] < 0 < found.bounds[1]:
        either = ", so that this alone decides which side is safer"
    are, these = ("is", "it") if found.no_verdict == 1 else ("are", "they")
    return (
        f"{lacking} {lack} a verdict and {are} no finding; B {MINUS} A is "
        f"{span_of(metric, found.bounds)} points if {these} had come out either way{either}."
    )


def unpaired_of(pair: PairedTargets) -> str:
    """Return how many queries are shared, and how many are of one side alone."""
    said = many(pair.shared, "shared query", "shared queries")
    rest = [f"{pair.only_first:,} of A alone"] if pair.only_first else []
    rest += [f"{pair.only_second:,} of B alone"] if pair.only_second else []
    if pair.different:
        rest.append(f"{pair.different:,} that ask something else")
    repeats = f"; up to {pair.repeats} cases of a query, averaged" if pair.repeats > 1 else ""
    out = f"; in no figure: {', '.join(rest)}" if rest else ""
    return f"{said}{repeats}{out}."


def changes_of(pair: PairedTargets) -> str:
    """Return how many verdicts changed, in either direction."""
    found = pair.changes
    lost = found.verdict_lost + found.verdict_gained
    without = f", {lost:,} with a verdict on one side alone" if lost else ""
    return (
        f"From A to B {found.to_safe:,} became safe, {found.to_unsafe:,} became unsafe{without}, "
        f"{found.same:,} stayed as they were."
    )


def first_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what a reader must know before any figure, a sentence each."""
    yield from (f"Forced: {said}" for said in comparison.forced)
    yield from comparison.notes
