"""What errors of Ray say, in a line."""


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
    return "it is out of reach" if "unavailable" in said else first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
