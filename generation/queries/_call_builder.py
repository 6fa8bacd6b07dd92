"""Builds the calls of a dialogue from prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...agents import QueryCall, neutralize
from ...datasets import Scenario
from ..calls import seed_for
from ..prompts import render


@dataclass(frozen=True, slots=True)
class CallBuilder:
    """Builds the calls about one scenario.

    Attributes:
        scenario: What the calls are about.
        seed: The set's seed.
    """

    scenario: Scenario
    seed: int

    def call(
        self, prompt: str, call_id: str, count: int, *, matched: bool = True, **fields: str
    ) -> QueryCall:
        """Return a call for the items 1 to `count`.

        Args:
            prompt: Name of the prompt file.
            call_id: Names the call within the set; its seed follows from it.
            count: How many items are asked for.
            matched: See `QueryCall`.
            fields: What the prompt has beside title, definition, count and scale.
        """
        words = render(
            prompt,
            title=neutralize(self.scenario.title),
            definition=neutralize(self.scenario.definition),
            count=count,
            scale=render("score_scale"),
            **fields,
        )
        numbers = tuple(range(1, count + 1))
        return QueryCall(words, numbers, call_id, seed_for(self.seed, call_id), matched)


def numbered(texts: Sequence[str], remarks: Sequence[str] = ()) -> str:
    """Return texts as a numbered list, each with its remark, if any, on the next line.

    Control tokens of chat templates in them are broken.
    """
    lines: list[str] = []
    for number, text in enumerate(texts, 1):
        lines.append(f"{number}. {neutralize(text)}")
        if number <= len(remarks) and remarks[number - 1]:
            lines.append(f"   {neutralize(remarks[number - 1])}")
    return "\n".join(lines)


def in_short(text: str, longest: int = 60) -> str:
    """Return the beginning of a text, cut at a word."""
    if len(text) <= longest:
        return text
    return f"{text[:longest].rpartition(' ')[0] or text[:longest]} …"
