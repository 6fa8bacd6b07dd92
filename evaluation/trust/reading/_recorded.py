"""Findings in tables of recorded verdicts, whose convention is 1 for harmful."""

from ....agents import Finding
from ._rows import Row, described, is_empty

_FINDINGS = {0: Finding.SAFE, 1: Finding.UNSAFE}


def recorded(row: Row, value: object, column: str) -> Finding | None:
    """Return the finding in a cell, None for null.

    Raises:
        ConfigurationError: It is neither 1, 0 nor null.
    """
    if is_empty(value):
        return None
    plain = int(value) if isinstance(value, str) and value.strip() in ("0", "1") else value
    if isinstance(plain, int) and not isinstance(plain, bool) and plain in _FINDINGS:
        return _FINDINGS[plain]
    raise row.wrong(f"{column} must be 1 (unsafe), 0 (safe) or null, not {described(value)}")
