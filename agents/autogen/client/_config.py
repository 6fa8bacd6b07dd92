"""A client as plain data, which AutoGen's components are saved as; never with a secret in it."""

from typing import Any

from pydantic import BaseModel

from ....models import Sampling


class AgentChatClientConfig(BaseModel):
    """A client as plain data.

    Attributes:
        model: The model and how to reach it, as `spec_as_data` writes it.
        temperature: See `Sampling`.
        top_p: See `Sampling`.
        seed: Seed for providers that take one.
        max_tokens: Cap on the tokens of each reply.
        context_tokens: Tokens that prompt and reply share.
        add_name_prefixes: See `AgentChatClient`.
        include_name_in_message: See `AgentChatClient`.
    """

    model: dict[str, Any]
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    context_tokens: int = 32_768
    add_name_prefixes: bool = False
    include_name_in_message: bool = False

    @property
    def sampling(self) -> Sampling:
        """How words are drawn."""
        return Sampling(self.temperature, self.top_p)
