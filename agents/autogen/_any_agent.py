"""What may sit on the jury."""

from autogen_agentchat.base import ChatAgent, Team

AnyAgent = ChatAgent | Team
"""What may sit on the jury: an agent, or a team of agents."""
