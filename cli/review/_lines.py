"""Labels cases line by line, where there is no full terminal, or a file or a pipe types."""

import sys

from ._session import Session
from ._words import COMMANDS, case_in_parts, labeled_in_words, place_in_words, question

_WORDS = {**COMMANDS, **{word: word for word in COMMANDS.values()}}
_HELP = (
    "(u)nsafe, (s)afe, s(k)ip, (b)ack, (r)eveal, quer(y), r(e)sponse, (n)ote, (o)pen files, (q)uit"
)


def review_in_lines(session: Session) -> None:
    """Ask case by case on standard output, and read the answers from standard input.

    It ends with the input, and when no case is left.
    """
    words: object = None
    shown: list[str] = []
    while True:
        parts = case_in_parts(session)
        if session.words is not words:
            words, shown = session.words, []
            _say(f"\n=== {place_in_words(session)}\n\n" if parts else "")
        if fresh := [part for part in parts if part not in shown]:
            _say("\n\n".join(fresh) + "\n\n")
        shown = parts
        if session.words is None and not session.can_go_back:
            return
        typed = _asked(_prompt(session))
        if typed is None or not _obeyed(session, typed):
            return


def _obeyed(session: Session, typed: str) -> bool:
    """Do what was typed; return whether to go on."""
    command = typed if typed.isdecimal() else _WORDS.get(typed.casefold())
    if command == "quit" or (session.words is None and not typed):
        return False
    if command is None:
        _say(f"Please type one of {_HELP}.\n")
        return True
    if command == "note":
        note = _asked("Note, one line: ")
        if note is None:
            return False
        session.take_note(note)
    else:
        session.do(command)
    if session.message:
        _say(f"{session.message} {labeled_in_words(session)}.\n")
    return True


def _prompt(session: Session) -> str:
    asked = question(session)
    return (
        f"{asked} {_HELP}: " if session.words is not None and not session.finding else f"{asked}: "
    )


def _asked(prompt: str) -> str | None:
    """Return a line without the space around it, None at the end of the input."""
    _say(prompt)
    line = sys.stdin.readline()
    return line.strip() if line else None


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
