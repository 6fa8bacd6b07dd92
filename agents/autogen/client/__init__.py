"""Our models as the clients that AutoGen's agents expect."""

from ._client import AgentChatClient

__all__ = ["AgentChatClient"]
