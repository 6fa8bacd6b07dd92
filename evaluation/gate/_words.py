"""What a gate decided, in words: the same on the screen and in every file."""

from ...common.text import MISSING, count, many
from ._check import Check, Doubt, Outcome
from ._expression import Expression
from ._gate import GateResult

_MOST_DIGITS = 6
RESULTS = {Outcome.PASSED: "passed", Outcome.FAILED: "FAILED", Outcome.CANNOT_TELL: "cannot tell"}


def amount(says: Expression, value: float | None) -> str:
    """Format a value of a rule's metric, with enough digits to stand on its side of the bound."""
    if value is None:
        return MISSING
    scale = 100 if says.metric.kind == "share" else 1
    least = 2 if says.metric.kind == "usd" else 1
    sign = "+" if says.is_delta else ""
    shown = ""
    for digits in range(least, _MOST_DIGITS):
        shown = f"{scale * value:{sign}.{digits}f}"
        if value == says.bound or _side(says, float(shown) / scale) == _side(says, value):
            break
    return shown.replace("-", "\N{MINUS SIGN}")


def _side(says: Expression, value: float) -> int:
    bound = round(says.bound, 12)
    value = round(value, 12)
    return (value > bound) - (value < bound)


def with_unit(says: Expression, value: float | None) -> str:
    """Format a value with its unit."""
    if value is None:
        return MISSING
    match says.metric.kind:
        case "share":
            return f"{amount(says, value)} {'points' if says.is_delta else '%'}"
        case "index":
            return amount(says, value)
        case "usd":
            return f"${amount(says, value)}"


def bound_of(says: Expression) -> str:
    """Format the bound of a rule, with as many digits as it was given."""
    scale = 100 if says.metric.kind == "share" else 1
    sign = "+" if says.is_delta else ""
    return f"{round(scale * says.bound, 9):{sign}.10g}".replace("-", "\N{MINUS SIGN}")


def interval_of(check: Check) -> str:
    """Format the interval of what was measured."""
    if check.interval is None:
        return MISSING
    low, high = (amount(check.rule.says, end) for end in check.interval)
    joint = " to " if check.rule.says.is_delta else "\N{EN DASH}"
    return f"{low}{joint}{high}"


def margin_of(check: Check) -> str:
    """Format how far the decisive value is within the bound, below 0 beyond it."""
    margin = check.margin
    if margin is None:
        return MISSING
    scale = 100 if check.rule.says.metric.kind == "share" else 1
    for digits in range(1, _MOST_DIGITS):
        shown = f"{scale * margin:+.{digits}f}"
        if margin == 0 or float(shown) != 0:
            return shown.replace("-", "\N{MINUS SIGN}")
    return "<0.00001" if margin > 0 else "\N{MINUS SIGN}<0.00001"


def result_of(check: Check) -> str:
    """Return what became of a rule, in a word or two."""
    if check.outcome is Outcome.CANNOT_TELL and check.is_accepted:
        return "cannot tell, accepted"
    return RESULTS[check.outcome]


def explained(check: Check) -> str:
    """Return what was measured and what it means, in a sentence without its full stop."""
    says = check.rule.says
    if check.doubt is Doubt.NOTHING:
        return f"nothing was measured: {check.why or 'no case of it'}"
    bound = _bound(says)
    measured = f"measured {with_unit(says, check.value)}"
    if check.interval is not None:
        measured += f" ({interval_of(check)}, n {count(check.n)})"
    elif check.n:
        measured += f" (n {count(check.n)})"
    match check.outcome, check.doubt:
        case Outcome.FAILED, _:
            return f"{measured}, {_beyond(says)} the bound of {bound}"
        case Outcome.PASSED, _:
            return f"{measured}; {with_unit(says, check.decisive)} is within the bound of {bound}"
        case _, Doubt.NO_VERDICT:
            lost = many(check.missing, "case has", "cases have")
            if check.value is not None and says.is_beyond(check.value):
                return f"{measured}, but {_too_few(check)}, and {lost} no verdict"
            return (
                f"{measured}, but {lost} no verdict, and at the worst it would be "
                f"{with_unit(says, check.decisive)}, {_beyond(says)} the bound of {bound}"
            )
        case _:
            return f"{measured}, but {_too_few(check)}{_more(check)}"


def _bound(says: Expression) -> str:
    said = bound_of(says)
    match says.metric.kind:
        case "share":
            return f"{said} {'points' if says.is_delta else '%'}"
        case "index":
            return said
        case "usd":
            return f"${said}"


def _beyond(says: Expression) -> str:
    word = "above" if says.metric.better == "lower" else "below"
    return f"at or {word}" if says.operator.endswith("=") else word


def _too_few(check: Check) -> str:
    says = check.rule.says
    if check.queries < check.rule.min_n:
        return f"{many(check.queries, 'query', 'queries')} are fewer than {check.rule.min_n:,}"
    end = check.interval and check.interval[says.metric.better == "lower"]
    if end is None:
        return "too few queries for an interval"
    return (
        f"the interval reaches {with_unit(says, end)}, {_beyond(says)} the bound of {_bound(says)}"
    )


def _more(check: Check) -> str:
    if check.more is None:
        return ""
    more = many(check.more, "more query", "more queries")
    return f"; about {more} with the same outcome would decide"


def headline(result: GateResult) -> str:
    """Return what the gate decided, in a line."""
    if result.error is not None:
        return f"Gate of {result.run}: not decided"
    said = [
        many(n, what, plural)
        for outcome, what, plural in (
            (Outcome.FAILED, "check failed", "checks failed"),
            (Outcome.CANNOT_TELL, "cannot tell", "cannot tell"),
            (Outcome.PASSED, "passed", "passed"),
        )
        if (n := result.count(outcome))
    ]
    if result.passed:
        word = "passed"
    elif result.unfit:
        word = "not decided, for the run is not fit to be decided by"
    else:
        word = "FAILED"
    return f"Gate of {result.run}: {word} ({', '.join(said) or 'nothing was checked'})"
