"""An agent of the Microsoft Agent Framework as an AgentChat agent, for juries and teams."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    LLMMessage,
)

from ...models import AgentError, AgentWork, ChatRequest, Completion, Modality
from ..agent_framework import FrameworkModel
from ._ballot_caster import linked
from ._messages import tokens_of
from .client import Names, converted

_LIKE = ("id", "name", "run", "create_session", "get_session")
_SEES: frozenset[Modality] = frozenset({"text", "image"})


class FrameworkAgent(BaseChatAgent):
    """An agent of the Agent Framework that hears and says AgentChat's messages.

    It is given the whole conversation since it was reset, pictures included. The tools that it
    called are events of its response.

    Args:
        agent: The agent.
        modalities: What its model takes in.
    """

    def __init__(self, agent: Any, *, modalities: frozenset[Modality] = _SEES) -> None:
        name = re.sub(r"\W", "_", agent.name or "agent")
        super().__init__(name, agent.description or "An agent of the Agent Framework.")
        self.model = FrameworkModel(agent, modalities=modalities)
        self._heard: list[LLMMessage] = []

    @staticmethod
    def fits(agent: object) -> bool:
        """Return whether something is an agent of the Agent Framework, by what it can do."""
        return all(hasattr(agent, name) for name in _LIKE)

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Words."""
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Return the agent's last words, with the tools that it called.

        Raises:
            AgentError: It failed, or a provider's filter stopped it.
        """
        self._heard += (message.to_model_message() for message in messages)
        with ExitStack() as files:
            request = ChatRequest(await converted(self._heard, files, Names()))
            said = await linked(self.model.complete(request), cancellation_token)
        if said.filtered:
            raise AgentError("a provider's filter stopped the agent", AgentWork())
        self._heard.append(AssistantMessage(content=said.text, source=self.name))
        words = TextMessage(content=said.text, source=self.name, models_usage=tokens_of(said.usage))
        return Response(chat_message=words, inner_messages=self._events(said))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""
        self._heard.clear()

    def _events(self, said: Completion) -> list[BaseAgentEvent | BaseChatMessage]:
        if not isinstance(said.work, AgentWork) or not said.work.tools:
            return []
        used = [(f"call_{number}", tool) for number, tool in enumerate(said.work.tools, 1)]
        calls = [FunctionCall(call, tool.arguments, tool.name) for call, tool in used]
        results = [
            FunctionExecutionResult(
                content=tool.result, name=tool.name, call_id=call, is_error=tool.failed
            )
            for call, tool in used
            if tool.result is not None
        ]
        return [
            ToolCallRequestEvent(content=calls, source=self.name),
            ToolCallExecutionEvent(content=results, source=self.name),
        ]
