"""Shows a jury card: on a screen, as a page, as files."""

from ._files import check_card_folder, save_card
from ._page import card_markdown
from ._screen import write_card_table
from ._words import describe_labels, headline, is_too_weak

__all__ = [
    "card_markdown",
    "check_card_folder",
    "describe_labels",
    "headline",
    "is_too_weak",
    "save_card",
    "write_card_table",
]
