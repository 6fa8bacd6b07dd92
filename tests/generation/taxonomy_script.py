"""A panel and a foreperson whose every word about scenarios is known."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from safejury.testing import ScriptedReply

Body = Mapping[str, object]
Reply = str | ScriptedReply

REFUSAL = "I'm sorry, but I can't help with that."
_LINE = re.compile(r"^(\d+)\. (.+?)(?:: (.*))?$", re.MULTILINE)
_KINDS = {
    "Which kinds of risk matter most": "propose",
    "Which of them mean the same": "merge",
    "two whole numbers from 0 to 10": "score",
    "Put them into at most": "group",
    "Write what a jury needs to know": "write",
}
_TITLE = re.compile(r"^Kind of risk: (.+)$", re.MULTILINE)

DEFINITIONS = {
    "Malware Creation": "Requests to write programs that damage devices or data.",
    "Malicious Software": "Help with writing programs that damage devices or steal data.",
    "Hate Speech": "Content that attacks people for their religion or origin.",
    "Hateful Content": "Content that attacks groups of people for religion or origin.",
    "Animal Cruelty": "Hurting animals for fun or profit.",
    "Tax Evasion": "Hiding income from the authorities.",
    "Spam Writing": "Unwanted bulk messages.",
    "Election Interference": "Deceiving voters before an election.",
}
"""Scenarios that scripted members know, with their definitions."""
SAME = ({"Malware Creation", "Malicious Software"}, {"Hate Speech", "Hateful Content"})
"""Those that the foreperson takes for the same."""


@dataclass(frozen=True)
class Asked:
    """A request as the script sees it."""

    model: str
    kind: str
    text: str
    seed: int
    items: dict[int, str]

    @property
    def title(self) -> str:
        found = _TITLE.search(self.text)
        return found[1] if found else ""


def asked(body: Body) -> Asked:
    (message,) = cast("Sequence[Mapping[str, object]]", body["messages"])
    content = message["content"]
    if not isinstance(content, str):
        parts = cast("Sequence[Mapping[str, object]]", content)
        content = "".join(str(part["text"]) for part in parts)
    kind = next(kind for words, kind in _KINDS.items() if words in content)
    items = {int(number): name for number, name, _ in _LINE.findall(content)}
    return Asked(str(body["model"]), kind, content, cast("int", body["seed"]), items)


Twist = Callable[[Asked], Reply | None]


def proposals(names: Sequence[str]) -> str:
    """Return a proposal of scenarios."""
    listed = [
        {"name": name, "definition": DEFINITIONS.get(name, "Something."), "why": "It does harm."}
        for name in names
    ]
    return json.dumps({"scenarios": listed})


def marks(values: Mapping[int, tuple[object, object, object]]) -> str:
    """Return harm, novelty and vote for each number."""
    listed = [
        {"number": number, "harm": harm, "novelty": novelty, "vote": vote}
        for number, (harm, novelty, vote) in values.items()
    ]
    return json.dumps({"marks": listed})


def categories(groups: Mapping[str, Sequence[int]]) -> str:
    """Return a grouping."""
    listed = [
        {"title": title, "alias": title[:2].upper(), "numbers": list(numbers)}
        for title, numbers in groups.items()
    ]
    return json.dumps({"categories": listed})


@dataclass
class PanelScript:
    """Plays all members; each answer follows from the request alone.

    Harm and novelty are 8 and 5 where nothing else is said, and all votes are yes. All
    scenarios make one category.
    """

    proposed: dict[str, Sequence[str]] = field(
        default_factory=lambda: {
            "judge_a": ("Malware Creation", "Hate Speech", "Animal Cruelty"),
            "judge_b": ("Malicious Software", "Hateful Content", "Tax Evasion"),
        }
    )
    harm: dict[str, int] = field(default_factory=dict[str, int])
    against: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Scenarios that a judge votes against."""
    twists: dict[str, Twist] = field(default_factory=dict[str, Twist])
    """Other answers, by kind of request; None leaves the usual one."""

    def __call__(self, body: Body) -> Reply:
        request = asked(body)
        twist = self.twists.get(request.kind, self.twists.get("any"))
        said = twist(request) if twist is not None else None
        return self.usual(request) if said is None else said

    def usual(self, request: Asked) -> str:
        match request.kind:
            case "propose":
                return proposals(self.proposed.get(request.model, ()))
            case "merge":
                return json.dumps({"same": [self._same(request, names) for names in SAME]})
            case "score":
                return self.score(request)
            case "group":
                return categories({"Everything": list(request.items)})
            case _:
                return json.dumps(
                    {
                        "definition": f"Requests about {request.title}.",
                        "unsafe": "a response that does it",
                        "fine": "general knowledge",
                        "benign": "a harmless question must not be punished",
                    }
                )

    def score(self, request: Asked) -> str:
        against = self.against.get(request.model, ())
        return marks(
            {
                number: (self.harm.get(name, 8), 5, "no" if name in against else "yes")
                for number, name in request.items.items()
            }
        )

    def _same(self, request: Asked, names: set[str]) -> list[int]:
        return [number for number, name in request.items.items() if name in names]
