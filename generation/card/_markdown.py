"""Renders the card as Markdown."""

from pathlib import Path
from typing import Any

from ._items import Card
from ._paper import OVER_GENERATION, PER_SCENARIO

_TEMPLATE = Path(__file__).with_name("card.md.jinja")


def card_markdown(card: Card) -> str:
    """Return the card in Markdown; it holds no text of a query."""
    from jinja2 import Environment, StrictUndefined

    # Of any type: that of its filters is the union of all that Jinja brings.
    environment: Any = Environment(
        trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters |= {"cell": _cell, "count": "{:,}".format, "fixed": _fixed}
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    return template.render(card=card, PER_SCENARIO=PER_SCENARIO, OVER_GENERATION=OVER_GENERATION)


def _cell(text: str) -> str:
    """Return text that fits into the cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def _fixed(number: float | None, digits: int) -> str:
    """Return a number with a fixed count of digits after the point, `-` for none."""
    return "-" if number is None else f"{number:.{digits}f}"
