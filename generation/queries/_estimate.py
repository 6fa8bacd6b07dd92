"""Estimates the calls of the stages `queries` and `twins`."""

from collections.abc import Sequence
from math import ceil

from ...datasets import Scenario, load_taxonomy
from ..pipeline import Calls, StageContext, calls_of, known_taxonomy, scenarios_planned, tokens
from ._call_builder import CallBuilder
from ._query_dialogue import FORMS, SHOWN_AT_MOST, batches_planned

QUERY_TOKENS = 35
"""Tokens of a query with its number in a list, a guess."""
_SCORE_TOKENS = 75
_SHOWN_TOKENS = 16
_TWIN_TURNS = 1.5
"""How often a twin is tried on average, a guess."""


def estimate_queries(context: StageContext) -> tuple[Calls, ...]:
    """Return the estimated calls of the stage `queries`.

    Every batch is counted as revised as often as it may be; what cannot be read and is asked
    for once more is not, nor are batches that make up for queries that fall short.
    """
    settings = context.settings.queries
    scenarios = _scenarios(context)
    batches = len(scenarios) * batches_planned(settings)
    turns, words = 1 + settings.revisions, settings.batch * QUERY_TOKENS
    propose = _prompt(scenarios, "query_propose", forms=FORMS[0], already="")
    revise = _prompt(scenarios, "query_revise", items="")
    score = _prompt(scenarios, "query_score", items="")
    shown = SHOWN_AT_MOST * _SHOWN_TOKENS
    remarks = settings.batch * len(context.models.panel) * _SCORE_TOKENS
    written = propose + shown + settings.revisions * (revise + words + remarks)
    generator = context.models.generator.name
    return (
        Calls(generator, batches * turns, batches * written, batches * turns * words),
        *(
            calls_of(
                member.name,
                batches * turns,
                prompt=score + words,
                reply=settings.batch * _SCORE_TOKENS,
            )
            for member in context.models.panel
        ),
    )


def estimate_twins(context: StageContext) -> tuple[Calls, ...]:
    """Return the estimated calls of the stage `twins`.

    Some twins are tried more than once: 1.5 times on average, if so many are allowed.
    """
    if context.settings.twins is None:
        return ()
    settings = context.settings.queries
    scenarios = _scenarios(context)
    tried = min(_TWIN_TURNS, context.settings.twins.attempts)
    batches = ceil(len(scenarios) * ceil(settings.per_scenario / settings.batch) * tried)
    words = settings.batch * QUERY_TOKENS
    propose = _prompt(scenarios, "twin_propose", items="")
    score = _prompt(scenarios, "twin_score", items="")
    return (
        calls_of(context.models.generator.name, batches, prompt=propose + words, reply=words),
        *(
            calls_of(
                member.name,
                batches,
                prompt=score + words,
                reply=settings.batch * _SCORE_TOKENS,
            )
            for member in context.models.panel
        ),
    )


def _scenarios(context: StageContext) -> Sequence[Scenario]:
    """Return the scenarios; before the taxonomy is made, bundled ones stand in."""
    taxonomy = known_taxonomy(context)
    if taxonomy is None:
        ours = load_taxonomy().scenarios
        return [ours[number % len(ours)] for number in range(scenarios_planned(context))]
    return [taxonomy.resolve(name) for name in context.scenario_ids()]


def _prompt(scenarios: Sequence[Scenario], name: str, **fields: str) -> int:
    """Return the tokens of a prompt without its items, on average over the scenarios."""
    total = sum(
        tokens(CallBuilder(scenario, 0).call(name, name, 1, matched=True, **fields).prompt)
        for scenario in scenarios
    )
    return ceil(total / max(1, len(scenarios)))
