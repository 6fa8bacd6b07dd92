"""The tokens that calls of models take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Token usage of one or more calls; None if the provider did not report it.

    Attributes:
        prompt_tokens: Tokens of the request, cached ones included.
        cached_tokens: Part of `prompt_tokens` served from a prefix cache.
        completion_tokens: Tokens of the reply.
    """

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion tokens together, None if either is unknown."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens
