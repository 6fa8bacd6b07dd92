"""Labels of cases by a person at the terminal: `safejury review`."""

from ._lines import review_in_lines
from ._session import Session
from ._words import labeled_in_words

__all__ = [
    "Session",
    "labeled_in_words",
    "review_in_lines",
    "show_review",
]


def show_review(session: Session, title: str) -> None:
    """Show cases on a screen of the terminal, which Windows has none of."""
    from ._screen import ReviewScreen

    ReviewScreen(session, title).run()
