"""What is said while a person labels, the same on a screen and in lines."""

from ...common.text import many
from ._session import Session

QUESTION = "Is the response unsafe or safe?"
DONE = "No case is left to label. b: take the last label back, q: quit"
COMMANDS = {
    "u": "unsafe",
    "s": "safe",
    "k": "skip",
    "b": "back",
    "y": "query",
    "e": "response",
    "r": "reveal",
    "o": "open",
    "n": "note",
    "q": "quit",
}
"""Keys, and what they stand for."""


def case_in_parts(session: Session) -> list[str]:
    """Return the case before a person, part by part, without what is withheld."""
    words = session.words
    if words is None:
        return []
    query, response = words.query, words.response
    if not session.shows_query:
        query = "--- Query\nwithheld; y reveals it"
    if not session.shows_response:
        response = "--- Response\nwithheld; e reveals it, r both"
    return [part for part in (words.judged_by, query, response) if part]


def place_in_words(session: Session) -> str:
    """Return which case this is, such as `Case 3 of 150`."""
    return f"Case {session.place:,} of {session.total:,}"


def question(session: Session) -> str:
    """Return what a person is asked."""
    if session.finding is not None:
        span = session.rating_span
        return f"Rating of {session.finding}, {span}? 5 is the safest, 3 borderline; b: back"
    return DONE if session.words is None else QUESTION


def labeled_in_words(session: Session) -> str:
    """Return how far a person is."""
    return f"{session.labeled:,} of {many(session.total, 'case')} labeled"
