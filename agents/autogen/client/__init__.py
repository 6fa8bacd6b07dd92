"""Our models as the clients that AutoGen's agents expect."""

from ._client import AgentChatClient
from ._messages import Names, converted

__all__ = ["AgentChatClient", "Names", "converted"]
