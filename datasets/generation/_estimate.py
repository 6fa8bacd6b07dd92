"""What the making of a set will ask of its models, guessed before the first call."""

from dataclasses import dataclass

from .._taxonomy import load_taxonomy
from ._settings import GenerationSettings

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that a stage will make of one model.

    Attributes:
        member: Name of the cast member.
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
    """Return calls that are all alike.

    Args:
        member: Name of the cast member.
        calls: How many.
        prompt: Tokens of one prompt.
        reply: Tokens of one reply.
    """
    return Calls(member, calls, calls * prompt, calls * reply)


def items_planned(settings: GenerationSettings) -> int:
    """Return how many queries and twins are wanted."""
    if settings.scenarios is not None:
        scenarios = len(settings.scenarios)
    elif settings.taxonomy is not None:
        scenarios = settings.taxonomy.scenarios
    else:
        scenarios = len(load_taxonomy().scenarios)
    return scenarios * settings.queries.per_scenario * (1 if settings.twins is None else 2)
