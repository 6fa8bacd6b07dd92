"""Words of models, made fit to stand in a prompt or a file."""

from ...agents import neutralize


def printable_line(text: str) -> str:
    """Return a text in one line, without control tokens and what cannot be seen."""
    printable = (c if c.isprintable() else " " for c in neutralize(text))
    return " ".join("".join(printable).split())
