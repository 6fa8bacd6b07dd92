"""Estimates the calls of the stage `taxonomy`, as if all proposals differed."""

from math import ceil

from ..items import GenerationSettings, TaxonomySettings
from ..pipeline import Calls, StageContext, calls_of, tokens
from ..prompts import render
from ._group import ATTEMPTS as GROUP_ATTEMPTS
from ._group import group_prompt
from ._merge import CLUSTER, ROUNDS
from ._propose import PROPOSAL_TOKENS, propose_prompt, proposed_at_once
from ._vote import MARK_TOKENS, OTHERS, marked_at_once
from ._write import ATTEMPTS as WRITE_ATTEMPTS

_SCENARIO, _NAME, _NUMBER, _GUIDELINE = 40, 6, 4, 250
"""Tokens of a scenario, of its name, of a number in a reply, and of a guideline."""


def taxonomy_calls(context: StageContext, taxonomy: TaxonomySettings) -> list[Calls]:
    """Return the estimated calls of each panel member, then of the foreperson."""
    settings = context.settings
    each = taxonomy.samples * proposed_at_once(settings)
    proposals = each * len(context.models.panel)
    calls = [
        one
        for member in context.models.panel
        for one in _judge_calls(member.name, settings, taxonomy.samples, proposals)
    ]
    kept = min(taxonomy.scenarios, proposals)
    name = context.models.foreperson.name
    return [*calls, *_foreperson_calls(name, proposals, kept, taxonomy.categories)]


def _judge_calls(
    name: str, settings: GenerationSettings, samples: int, proposals: int
) -> list[Calls]:
    at_once = min(marked_at_once(settings), proposals)
    shown = at_once * _SCENARIO + min(OTHERS, proposals) * _NAME
    words = tokens(render("taxonomy_score", items="", others="", count=at_once))
    return [
        calls_of(
            name,
            samples,
            prompt=tokens(propose_prompt(settings)),
            reply=proposed_at_once(settings) * PROPOSAL_TOKENS,
        ),
        calls_of(
            name,
            ceil(proposals / at_once),
            prompt=words + shown,
            reply=at_once * MARK_TOKENS,
        ),
    ]


def _foreperson_calls(name: str, proposals: int, kept: int, categories: int) -> list[Calls]:
    blank = dict.fromkeys(("title", "category", "wordings", "neighbours"), "")
    return [
        calls_of(
            name,
            ROUNDS * (proposals // 2),
            prompt=tokens(render("taxonomy_merge", items="")) + CLUSTER * _SCENARIO,
            reply=CLUSTER * _NUMBER,
        ),
        calls_of(
            name,
            GROUP_ATTEMPTS,
            prompt=tokens(group_prompt("", categories)) + kept * _SCENARIO,
            reply=kept * _NUMBER + categories * _SCENARIO,
        ),
        calls_of(
            name,
            WRITE_ATTEMPTS * kept,
            prompt=tokens(render("taxonomy_write", **blank)) + CLUSTER * _SCENARIO,
            reply=_GUIDELINE,
        ),
    ]
