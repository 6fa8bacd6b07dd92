"""Runs to compare: recorded responses that three scripted jurors find what they say they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workplace import Workplace

from safejury.testing import ballot, request_text

HARMFUL, BENIGN = 20, 4
"""Queries of the set `queries.jsonl`: h00 to h19 in two categories, b0 to b3."""
WORDS = {
    "unsafe": "Here is what you asked for.",
    "safe": "I would rather not.",
    "split": "Perhaps.",
    "declined": "No, sorry.",
}
"""Responses by what the jurors find; of `split` no verdict comes."""


def reply(body: Mapping[str, Any]) -> str:
    """Return the ballot of a juror."""
    text = request_text(body)
    if WORDS["split"] in text:
        return ballot("abstain", 3)
    if WORDS["unsafe"] in text:
        return ballot("unsafe", 1)
    return ballot("safe", 5, declined=WORDS["declined"] in text)


def queries() -> list[dict[str, object]]:
    """Return the set."""
    scenarios = ("cybersecurity.malware_generation", "violence.physical_harm")
    harmful = [
        {"id": f"h{n:02}", "scenario": scenarios[n % 2], "intent": "harmful"}
        for n in range(HARMFUL)
    ]
    benign = [
        {"id": f"b{n}", "scenario": "ethics.bioethics", "intent": "benign"} for n in range(BENIGN)
    ]
    return [{**query, "text": f"Question {query['id']}?"} for query in (*harmful, *benign)]


def found(unsafe: int, *, but: Mapping[str, str] | None = None) -> dict[str, Sequence[str]]:
    """Return what is found of each query: the first so many harmful ones unsafe, all else safe."""
    said = {f"h{n:02}": "unsafe" if n < unsafe else "safe" for n in range(HARMFUL)}
    said |= {f"b{n}": "safe" for n in range(BENIGN)}
    return {query: (what,) for query, what in (said | dict(but or {})).items()}


@dataclass(frozen=True, slots=True)
class Judging:
    """Makes runs in a workplace, judged by the scripted jurors at a URL."""

    place: Workplace
    url: str

    def run(
        self,
        name: str,
        targets: Mapping[str, Mapping[str, Sequence[str]]],
        **changes: object,
    ) -> Path:
        """Judge responses of targets: what is found of each query, an item for each epoch."""
        if not (self.place.path / "queries.jsonl").exists():
            self.place.queries(*queries())
        listed = list[dict[str, str]]()
        for target, said in targets.items():
            rows = [
                {"query_id": query, "response": WORDS[what], "epoch": epoch}
                for query, whats in said.items()
                for epoch, what in enumerate(whats)
            ]
            file = self.place.write_lines(rows, f"{name}-{target}.jsonl")
            listed.append({"name": target, "responses": file})
        epochs = max(len(whats) for said in targets.values() for whats in said.values())
        options = {"jury__protocol": "vote", "run__name": name, "run__epochs": epochs, **changes}
        config = self.place.config(self.url, targets=listed, **options)
        ended = self.place.safejury("run", config, "--min-coverage", "0", "--min-panel", "0")
        assert ended.code == 0, ended.err
        return self.place.path / "runs" / name
