"""The questions of an import: held on disk, so that its memory stays flat."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A request that the jury is asked in round 0.

    Attributes:
        call_id: The call's id in the run.
        key: The request's key in the run's record.
        spec: Which of the jury's models is asked, from 0.
        answered: Whether it has an answer.
        here: Whether that came in this import.
    """

    call_id: str
    key: str
    spec: int
    answered: bool
    here: bool = False


class Questions:
    """What the jury is asked in round 0, by tag: on disk once there is much of it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(
            "CREATE TABLE questions (tag TEXT PRIMARY KEY, call_id TEXT, key TEXT, spec INTEGER, "
            "answered INTEGER, here INTEGER) WITHOUT ROWID"
        )

    def add(self, tag: str, question: Question) -> None:
        """Enter a question."""
        row = (tag, question.call_id, question.key, question.spec, question.answered)
        self._database.execute("INSERT OR REPLACE INTO questions VALUES (?, ?, ?, ?, ?, 0)", row)

    def find(self, tag: str) -> Question | None:
        """Return a question, None for a tag that leads to none."""
        try:
            row = self._database.execute(
                "SELECT call_id, key, spec, answered, here FROM questions WHERE tag = ?", (tag,)
            ).fetchone()
        except UnicodeEncodeError:  # half a surrogate pair, which no tag of ours has
            return None
        return None if row is None else Question(row[0], row[1], row[2], bool(row[3]), bool(row[4]))

    def answer(self, tag: str) -> None:
        """Say that a question has its answer now."""
        self._database.execute("UPDATE questions SET answered = 1, here = 1 WHERE tag = ?", (tag,))

    def counts(self) -> tuple[int, int]:
        """Return how many there are, and how many of them have an answer."""
        row = self._database.execute(
            "SELECT count(*), coalesce(sum(answered), 0) FROM questions"
        ).fetchone()
        return int(row[0]), int(row[1])

    def close(self) -> None:
        """Let go of them."""
        self._database.close()
