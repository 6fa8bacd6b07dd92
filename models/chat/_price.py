"""Computes what calls cost, in tokens and money."""

from dataclasses import dataclass

from ._chat import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    Attributes:
        input_per_million: For tokens of the request.
        output_per_million: For tokens of the reply.
        cached_input_per_million: For tokens of the request that came from a prefix
            cache; None if they cost as much as the others.
    """

    input_per_million: float
    output_per_million: float
    cached_input_per_million: float | None = None

    @property
    def is_free(self) -> bool:
        """Whether calls are free."""
        return not (
            self.input_per_million or self.output_per_million or self.cached_input_per_million
        )

    def of(self, usage: Usage) -> float | None:
        """Return the cost of `usage` in US dollars, None if it is unknown."""
        if self.is_free:
            return 0.0
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
        cached_price = self.cached_input_per_million
        if cached_price is None:
            cached_price = self.input_per_million
        millionths = (
            (usage.prompt_tokens - cached) * self.input_per_million
            + cached * cached_price
            + usage.completion_tokens * self.output_per_million
        )
        return millionths / 1e6


@dataclass(frozen=True, slots=True)
class Charge:
    """Tokens and money, expected or spent.

    Attributes:
        tokens: Of request and reply together.
        usd: US dollars, None if the price is unknown.
    """

    tokens: int
    usd: float | None

    def __add__(self, other: "Charge") -> "Charge":
        """Add two charges; the price of the sum is unknown if either is."""
        unknown = self.usd is None or other.usd is None
        usd = None if unknown else (self.usd or 0.0) + (other.usd or 0.0)
        return Charge(self.tokens + other.tokens, usd)
