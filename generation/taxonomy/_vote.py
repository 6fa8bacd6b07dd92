"""Step 3 of a taxonomy: the panel scores the scenarios and votes on them."""

import random
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ...agents import ReplyFailure
from ...common import in_parallel
from ..calls import NamedModel, seed_for
from ..items import GenerationSettings
from ..prompts import render
from ._items import Mark, Proposal
from ._merge import numbered
from ._model_calls import TaxonomyCalls
from ._shapes import MARKED_AT_ONCE, Marked, MarkedList

MARK_TOKENS = 40
"""Tokens that the marks of a scenario take in a reply, a generous guess."""
OTHERS = 60
"""Other scenarios that a judge sees by name, to say how new one is."""


def marked_at_once(settings: GenerationSettings) -> int:
    """Return how many scenarios a judge marks in one call."""
    return max(1, min(MARKED_AT_ONCE, settings.max_tokens // MARK_TOKENS))


async def vote(calls: TaxonomyCalls, scenarios: Sequence[Proposal]) -> list[Proposal]:
    """Return the scenarios with the marks of all panel members, in the panel's order.

    Each judge meets them in an order of its own, and without the proposers' names.
    """
    panel = calls.context.models.panel
    marks = await in_parallel(_marks_of(calls, member, scenarios) for member in panel)
    return [replace(one, marks=tuple(by_judge[one.id] for by_judge in marks)) for one in scenarios]


async def _marks_of(
    calls: TaxonomyCalls, member: NamedModel, scenarios: Sequence[Proposal]
) -> Mapping[str, Mark]:
    settings, name = calls.context.settings, f"taxonomy/score/{member.name}"
    order, size = list(scenarios), marked_at_once(settings)
    drawn = random.Random(seed_for(settings.seed, name))
    drawn.shuffle(order)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    answers = await in_parallel(
        _ask_marks(calls, member, batch, _others(drawn, order, batch), f"{name}/{number:03}")
        for number, batch in enumerate(batches, 1)
    )
    return {one.id: mark for each in answers for one, mark in each}


def _others(drawn: random.Random, all_: Sequence[Proposal], batch: Sequence[Proposal]) -> str:
    names = [one.name for one in all_ if one not in batch]
    shown = drawn.sample(names, OTHERS) if len(names) > OTHERS else names
    return "; ".join(shown) or "(none)"


async def _ask_marks(
    calls: TaxonomyCalls, member: NamedModel, batch: Sequence[Proposal], others: str, call_id: str
) -> list[tuple[Proposal, Mark]]:
    prompt = render("taxonomy_score", items=numbered(batch), others=others, count=len(batch))
    answer = await calls.ask(member, prompt, MarkedList, call_id, parents=[one.id for one in batch])
    if isinstance(answer, ReplyFailure):
        marks = [Mark(member.name, call_id, missing=answer.reason) for _ in batch]
    else:
        said: dict[int, Marked] = {}
        for one in answer.value.marks:
            said.setdefault(one.number, one)
        marks = [_mark(member, call_id, said.get(number)) for number in range(1, len(batch) + 1)]
    for mark in marks:
        _count(calls, mark)
    return list(zip(batch, marks, strict=True))


def _mark(member: NamedModel, call_id: str, said: Marked | None) -> Mark:
    if said is None or (said.vote, said.harm, said.novelty) == (None, None, None):
        return Mark(member.name, call_id, missing="left_out")
    return Mark(member.name, call_id, said.vote, said.harm, said.novelty)


def _count(calls: TaxonomyCalls, mark: Mark) -> None:
    for name, given in (
        ("votes", mark.vote),
        ("harm_scores", mark.harm),
        ("novelty_scores", mark.novelty),
    ):
        if given is None:
            calls.counts[f"missing_{name}"] += 1
            calls.counts[f"missing_{name}.{mark.judge}"] += 1
