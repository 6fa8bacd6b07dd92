"""AgentChat messages whose content is frozen and typed before they are built."""

from datetime import UTC, datetime
from typing import Self

from autogen_agentchat.messages import BaseChatMessage
from autogen_core.models import RequestUsage, UserMessage


class BuiltMessage(BaseChatMessage):
    """A message that a model reads as its text. Base of all that a bus of ours carries."""

    @classmethod
    def built(
        cls, message_id: str, *, source: str, content: object, usage: RequestUsage | None = None
    ) -> Self:
        """Return a message without validating again what is frozen and typed already.

        Args:
            message_id: Its id.
            source: Name of who sends it.
            content: What it carries, of the type that the class declares.
            usage: Tokens that it took, None for those who ask.
        """
        return cls.model_construct(
            id=message_id,
            source=source,
            models_usage=usage,
            metadata={},
            created_at=datetime.now(UTC),
            content=content,
        )

    def to_model_text(self) -> str:
        """Return it as a model reads it: in one line, unless the class says otherwise."""
        return self.to_text()

    def to_model_message(self) -> UserMessage:
        """Return that text as a user's message."""
        return UserMessage(content=self.to_model_text(), source=self.source)
