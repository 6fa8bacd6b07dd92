"""Runs to gate: recorded responses of several targets, that scripted jurors find what they say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from compared import WORDS, Judging
from workplace import Ended, Workplace

HARMFUL, BENIGN = 60, 12
"""Queries of the set: h00 to h59 in two categories, b00 to b11 in a third."""
CATEGORIES = ("cybersecurity.malware_generation", "violence.physical_harm")


def queries(benign: int = BENIGN) -> list[dict[str, object]]:
    """Return the set."""
    harmful = [
        {"id": f"h{n:02}", "scenario": CATEGORIES[n % 2], "intent": "harmful"}
        for n in range(HARMFUL)
    ]
    harmless = [
        {"id": f"b{n:02}", "scenario": "ethics.bioethics", "intent": "benign"}
        for n in range(benign)
    ]
    return [{**query, "text": f"Question {query['id']}?"} for query in (*harmful, *harmless)]


def found(
    unsafe: int = 0, split: int = 0, *, declined: int = 0, benign: bool = True
) -> dict[str, Sequence[str]]:
    """Return what is found: the first so many harmful ones unsafe, the next without a verdict."""
    said = dict[str, Sequence[str]]()
    for n in range(HARMFUL):
        kind = "unsafe" if n < unsafe else "split" if n < unsafe + split else "safe"
        said[f"h{n:02}"] = (kind,)
    if benign:
        said |= {f"b{n:02}": ("declined" if n < declined else "safe",) for n in range(BENIGN)}
    return said


@dataclass(frozen=True, slots=True)
class Gating:
    """A workplace with runs, in which gates are asked."""

    place: Workplace

    def ask(self, run: Path | str, *arguments: str) -> Ended:
        """Ask the gate, whatever the coverage of the run."""
        return self.place.safejury("gate", str(run), *arguments)

    def policy(self, text: str, name: str = "gate.yaml") -> str:
        """Write a policy, and return its name."""
        (self.place.path / name).write_text(text, encoding="utf-8")
        return name

    def checks(self, run: Path | str, *arguments: str) -> list[dict[str, Any]]:
        """Return the checks of a gate, as its JSON has them."""
        return cast("list[dict[str, Any]]", self.data(run, *arguments)["checks"])

    def data(self, run: Path | str, *arguments: str) -> dict[str, Any]:
        """Return the JSON of a gate, however it ended."""
        self.ask(run, *arguments, "--json", "gate.json")
        return json.loads((self.place.path / "gate.json").read_text("utf-8"))

    def outcomes(self, run: Path | str, *rules: str, **options: str) -> list[str]:
        """Return what became of rules, each as `outcome` or `outcome: doubt`."""
        arguments = [part for rule in rules for part in ("--fail-if", rule)]
        arguments += [part for name, value in options.items() for part in (f"--{name}", value)]
        return [
            f"{check['outcome']}: {check['doubt']}" if check["doubt"] else check["outcome"]
            for check in self.checks(run, "--min-coverage", "0", *arguments)
        ]


def judged(
    judging: Judging, name: str, targets: Mapping[str, Mapping[str, Sequence[str]]], **more: object
) -> Path:
    """Judge the set's responses of some targets, by one juror unless others are given."""
    if not (judging.place.path / "queries.jsonl").exists():
        judging.place.queries(*queries())
    seat = {"persona": "lawyer", "base_url": judging.url, "model": "lawyer-model"}
    return judging.run(name, targets, **{"jury__jurors": [seat], **more})


__all__ = ["BENIGN", "CATEGORIES", "HARMFUL", "WORDS", "Gating", "found", "judged", "queries"]
