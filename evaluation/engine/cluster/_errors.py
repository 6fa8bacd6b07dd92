"""What errors of Ray say, in a line."""

import re

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def why_lost(error: BaseException) -> str:
    """Return why an actor is lost."""
    said = str(error)
    for words, why in (
        ("node", "its node is gone"),
        ("OOM", "its node had no memory left"),
        ("killed", "its process was killed"),
    ):
        if words in said and ("died" in said or "dead" in said):
            return why
    if "unavailable" in said:
        return "it is out of reach"
    if "creation task" in said:  # which ends with what a process said that could not begin
        return f"it cannot begin: {_lines(error)[-1]}"
    return first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return _lines(error)[0]


def _lines(error: BaseException) -> list[str]:
    lines = [line.strip() for line in _COLORS.sub("", str(error)).splitlines()]
    return [line for line in lines if line] or [type(error).__name__]
