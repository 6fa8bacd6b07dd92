"""Estimates how many calls a set takes."""

from contextlib import suppress
from dataclasses import dataclass

from ...common import DatasetError
from ...datasets import Taxonomy
from ._context import StageContext
from ._folder import TAXONOMY

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Calls:
    """The estimated calls of a stage to one model.

    Attributes:
        member: Name of the model.
        calls: How many.
        prompt_tokens: Tokens of all their prompts together, a guess.
        completion_tokens: Tokens of all their replies together, a guess.
        usd: US dollars of all together, for a service that is not paid by the token; None
            where its price is unknown, and for models.
    """

    member: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None = None


def tokens(text: str) -> int:
    """Return about how many tokens a text has, at 4 characters a token."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def calls_of(member: str, calls: int, *, prompt: int, reply: int) -> Calls:
    """Return the estimate for a number of like calls.

    Args:
        member: Name of the model.
        calls: How many.
        prompt: Tokens of one prompt.
        reply: Tokens of one reply.
    """
    return Calls(member, calls, calls * prompt, calls * reply)


def known_taxonomy(context: StageContext) -> Taxonomy | None:
    """Return the set's taxonomy, None if it is missing or cannot be read."""
    if context.settings.taxonomy is None:
        return context.taxonomy()
    with suppress(DatasetError):  # whoever needs it says what is wrong with it
        if context.folder.exists(TAXONOMY):
            return context.taxonomy()
    return None


def scenarios_planned(context: StageContext) -> int:
    """Return the number of scenarios, an estimate before the taxonomy is made."""
    settings = context.settings
    if settings.taxonomy is None or known_taxonomy(context) is not None:
        return len(context.scenario_ids())
    return len(set(settings.scenarios or ())) or settings.taxonomy.scenarios


def items_planned(context: StageContext) -> int:
    """Return the number of queries and twins that are wanted."""
    settings = context.settings
    queries = scenarios_planned(context) * settings.queries.per_scenario
    return queries * (1 if settings.twins is None else 2)
