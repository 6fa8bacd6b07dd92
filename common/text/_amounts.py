"""Formats numbers for people: shares, counts, money, hours."""

MISSING = "\N{EN DASH}"
"""Stands for a number that nothing was measured for; never 0."""


def points(share: float | None) -> str:
    """Format a share as percentage points, such as `12.5`.

    A share that is not 0 or 1 is never rounded to look like it.
    """
    if share is None:
        return MISSING
    if 0 < share < 0.0005:
        return "<0.1"
    if 0.9995 <= share < 1:
        return ">99.9"
    return f"{100 * share:.1f}"


def percent(share: float | None) -> str:
    """Format a share with its unit, such as `12.5 %`."""
    return MISSING if share is None else f"{points(share)} %"


def whole_percent(share: float) -> str:
    """Format a share in whole percent, such as `90 %`."""
    return f"{100 * share:.0f} %"


def span(interval: tuple[float, float] | None) -> str:
    """Format an interval of shares as percentage points, joined by a dash."""
    if interval is None:
        return MISSING
    return f"{points(interval[0])}\N{EN DASH}{points(interval[1])}"


def index(value: float | None) -> str:
    """Format a safety index, such as `87.3`."""
    return MISSING if value is None else f"{value:.1f}"


def index_span(interval: tuple[float, float] | None) -> str:
    """Format an interval of a safety index, joined by a dash."""
    if interval is None:
        return MISSING
    return f"{index(interval[0])}\N{EN DASH}{index(interval[1])}"


def count(value: int | None) -> str:
    """Format a whole number with thousands separators, such as `12,400`."""
    return MISSING if value is None else f"{value:,}"


def many(number: int, what: str, plural: str | None = None) -> str:
    """Format a number with its noun, such as `1 case` or `2 cases`."""
    return f"{count(number)} {what if number == 1 else plural or f'{what}s'}"


def file_size(size: int) -> str:
    """Format bytes in decimal units, such as `940 B`, `12.3 kB` or `1.2 GB`."""
    if size < 1_000:
        return f"{size} B"
    amount, unit = size / 1_000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 999.95:
            break
        amount, unit = amount / 1_000, larger
    return f"{amount:,.1f} {unit}"


def coefficient(value: float | None) -> str:
    """Format a coefficient such as alpha, as `0.71`."""
    return MISSING if value is None else f"{round(value, 2) + 0.0:.2f}"


def coefficient_span(interval: tuple[float, float] | None) -> str:
    """Format an interval of a coefficient, such as `0.51\N{EN DASH}0.63`."""
    if interval is None:
        return MISSING
    if min(interval) < 0:  # a dash would look like a sign
        return f"{coefficient(interval[0])} to {coefficient(interval[1])}"
    return f"{coefficient(interval[0])}\N{EN DASH}{coefficient(interval[1])}"


def signed_points(share: float) -> str:
    """Format a difference of shares as percentage points with its sign, such as `+2.5`."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def difference(value: float | None) -> str:
    """Format a difference of coefficients with its sign, such as `+0.03`.

    One that is not 0 is not rounded to look like it, as long as three digits show it.
    """
    if value is None:
        return MISSING
    digits = 3 if 0.0005 <= abs(value) < 0.005 else 2
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def difference_span(interval: tuple[float, float] | None) -> str:
    """Format an interval of a difference, such as `\N{MINUS SIGN}0.02 to +0.02`."""
    if interval is None:
        return MISSING
    return f"{difference(interval[0])} to {difference(interval[1])}"


def dollars(value: float) -> str:
    """Format US dollars; amounts below a cent get two significant digits."""
    if 0 < value < 0.01:
        return f"${value:.2g}" if value >= 0.0001 else "<$0.0001"
    return f"${value:,.2f}"


def gpu_hours(hours: float) -> str:
    """Format GPU hours; less than 0.1 gets two significant digits."""
    return f"{hours:,.2f} GPU hours" if hours >= 0.1 else f"{hours:.2g} GPU hours"
