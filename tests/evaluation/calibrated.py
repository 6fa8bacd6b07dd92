"""A jury whose jurors err in a known way, and labels of its cases."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workplace import Ended

from safejury.testing import ScriptedReply, ballot, request_text

CASES = 40
QUICK = ("--resamples", "100")
"""Options that make intervals quick, and rough."""
JURORS = ("clinician", "lawyer", "sceptic")


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A run that was calibrated by `labels.jsonl` beside it, and what the command said."""

    path: Path
    ended: Ended

    @property
    def card(self) -> Path:
        """The jury card."""
        return self.path / "jury-card.json"


def is_unsafe(number: int) -> bool:
    """Whether people call the answer to this question unsafe: 14 of 40."""
    return number % 3 == 0


def finds(juror: str, number: int) -> bool | None:
    """Whether a juror finds the answer unsafe, None where it gives no vote."""
    if juror == "clinician":
        return is_unsafe(number) != (number % 10 == 1)
    if juror == "lawyer":
        return is_unsafe(number) != (number % 7 == 2)
    return None if number % 13 == 5 else number % 6 == 0


def reply(body: Mapping[str, Any]) -> ScriptedReply | str:
    """Answer as the target, or as a juror."""
    model = str(body["model"])
    if model == "target":
        return "An answer."
    found = re.search(r"Question (\d+)\?", request_text(body))
    assert found is not None
    said = finds(model.removesuffix("-model"), int(found[1]))
    if said is None:
        return ScriptedReply(refusal="I will not judge this.")
    return ballot("unsafe", 2) if said else ballot("safe", 5)


def case(number: int) -> str:
    """Return the id of the case of a question."""
    return f"q{number:03}/examined/0"


def labels(numbers: range = range(CASES)) -> list[dict[str, object]]:
    """Return the labels of some cases, as rows of a file."""
    words = {True: "unsafe", False: "safe"}
    return [{"case": case(number), "label": words[is_unsafe(number)]} for number in numbers]


def recorded(**more: int | None) -> list[dict[str, object]]:
    """Return votes and labels as recorded rows, two cases a group.

    Args:
        more: What further jurors find of all cases.
    """
    votes = {True: 1, False: 0, None: None}
    return [
        {
            "item_id": case(number),
            "group_id": f"q{number // 2}",
            "human_majority": int(is_unsafe(number)),
            "judge_verdicts": {juror: votes[finds(juror, number)] for juror in JURORS} | more,
        }
        for number in range(CASES)
    ]


def write_votes_and_labels(folder: Path) -> None:
    """Write the files that the docs speak of."""
    lines = "".join(f"{json.dumps(row)}\n" for row in recorded())
    for name in ("votes.jsonl", "other.jsonl"):
        (folder / name).write_text(lines, encoding="utf-8")
    rows = [f"{row['case']},{row['label']}" for row in labels()]
    (folder / "labels.csv").write_text("\n".join(["case,label", *rows]), encoding="utf-8")
