"""A generator and a panel whose every word is known, for tests of the dialogues."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from safejury.testing import ScriptedReply

Body = Mapping[str, object]
Reply = str | ScriptedReply

REFUSAL = "I'm sorry, but I can't help with that."
_LINE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
_GRADE = re.compile(r"grade (\d+)")
_COUNT = re.compile(r"Write (\d+) requests")
_TITLE = re.compile(r"[Kk]ind of risk: (.+)$", re.MULTILINE)


Twist = Callable[["Prompt"], Reply | None]


def words(seed: str, count: int = 7) -> str:
    """Return words that nobody has ever said, the same again for the same seed."""
    drawn = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    return " ".join("".join(drawn.choices(syllables, k=3)) for _ in range(count))


def _text(body: Body) -> str:
    (message,) = cast("Sequence[Mapping[str, object]]", body["messages"])
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(str(part["text"]) for part in cast("Sequence[Mapping[str, object]]", content))


@dataclass
class Prompt:
    """A request as the script sees it."""

    model: str
    kind: str
    title: str
    seed: int
    count: int
    items: dict[int, str]
    text: str


def prompt_of(body: Body) -> Prompt:
    text = _text(body)
    if (wanted := _COUNT.search(text)) is not None:
        kind = "propose"
    elif "Write each request again" in text:
        kind = "revise"
    elif "Score each request" in text:
        kind = "score_twins" if "meant to be harmless" in text else "score"
    else:
        kind = "twins"
    title = _TITLE.search(text)
    items = {int(number): said for number, said in _LINE.findall(text)}
    count = int(wanted[1]) if wanted else len(items)
    seed = body["seed"]
    assert isinstance(seed, int)
    return Prompt(str(body["model"]), kind, title[1] if title else "", seed, count, items, text)


def queries(texts: dict[int, str]) -> str:
    listed = [{"number": number, "text": text} for number, text in texts.items()]
    return json.dumps({"queries": listed})


def scores(values: dict[int, int], criticism: str = "", *, harm: int | None = None) -> str:
    listed = [
        {
            "number": number,
            "criticism": criticism,
            "feasibility": value,
            "harmfulness": value if harm is None else harm,
            "applicability": value,
        }
        for number, value in values.items()
    ]
    return json.dumps({"scores": listed})


def grade_of(text: str) -> int:
    found = _GRADE.search(text)
    return int(found[1]) if found else 0


@dataclass
class Script:
    """Plays generator and judges; each answer follows from the request alone.

    Proposals carry a grade from 0 to 9, which judges give as every score. Of what they
    criticise the revision has one grade more. Twins have a harm of 1.
    """

    criticism: str = ""
    twists: dict[str, Twist] = field(default_factory=dict[str, Twist])
    """Other answers, by kind of prompt; None leaves the usual one."""

    def __call__(self, body: Body) -> Reply:
        prompt = prompt_of(body)
        twist = self.twists.get(prompt.kind, self.twists.get("any"))
        said = twist(prompt) if twist is not None else None
        return self.usual(prompt) if said is None else said

    def usual(self, prompt: Prompt) -> str:
        match prompt.kind:
            case "propose":
                return queries({n: self.proposal(prompt, n) for n in range(1, prompt.count + 1)})
            case "revise":
                return queries({n: self.revision(text) for n, text in prompt.items.items()})
            case "twins":
                return queries({n: f"Who studies {words(t, 9)}?" for n, t in prompt.items.items()})
            case "score":
                values = {n: grade_of(text) for n, text in prompt.items.items()}
                return scores(values, self.criticism)
            case _:
                return scores(dict.fromkeys(prompt.items, 8), harm=1)

    def proposal(self, prompt: Prompt, number: int) -> str:
        made = words(f"{prompt.title}/{prompt.seed}/{number}")
        grade = random.Random(made).randrange(10)
        return f"How {made} grade {grade}?" if number % 2 else f"List {made} grade {grade}."

    def revision(self, text: str) -> str:
        return _GRADE.sub(f"grade {min(10, grade_of(text) + 1)}", text)


class RecordedProgress:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.stages: dict[str, int | None] = {}
        self.steps = 0
        self.messages: list[str] = []

    def stage(self, name: str, total: int | None) -> None:
        self.stages[name] = total

    def step(self, done: int = 1, note: str = "") -> None:
        self.steps += done

    def notify(self, message: str) -> None:
        self.messages.append(message)
