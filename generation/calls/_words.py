"""Cleans text that models wrote, for prompts and files."""

from ...agents import neutralize


def printable_line(text: str) -> str:
    """Return a text as one printable line, without control tokens."""
    printable = (c if c.isprintable() else " " for c in neutralize(text))
    return " ".join("".join(printable).split())
