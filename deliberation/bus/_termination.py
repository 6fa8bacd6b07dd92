"""End a team's conversation by a jury's verdict."""

from collections.abc import Sequence
from typing import Literal, Self

from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from autogen_core import Component
from pydantic import BaseModel

from ...common import ConfigurationError
from ._entry_messages import VerdictMessage, verdict_line

Found = Literal["unsafe", "safe", "no_verdict"]
_FOUND: tuple[Found, ...] = ("unsafe", "safe", "no_verdict")


class _Settings(BaseModel):
    """A `VerdictTermination` as a component's configuration."""

    findings: tuple[Found, ...] = ()
    jury: str | None = None


class VerdictTermination(TerminationCondition, Component[_Settings]):
    """Ends a conversation when a jury's verdict is one of some.

    Example:
        >>> stop = VerdictTermination("unsafe", "no_verdict") | MaxMessageTermination(20)

    Args:
        findings: The verdicts that end it: `unsafe`, `safe` and `no_verdict`; any verdict
            where none is named. No verdict is not a safe one: name it as well where the
            conversation may only go on with what the jury found safe.
        jury: Name of the jury that is listened to; None for all.

    Raises:
        ConfigurationError: A finding is none of these.
    """

    component_type = "termination"
    component_config_schema = _Settings
    component_provider_override = "safejury.deliberation.VerdictTermination"

    def __init__(self, *findings: Found, jury: str | None = None) -> None:
        for finding in findings:
            if finding not in _FOUND:
                raise ConfigurationError(
                    f"a verdict is one of {', '.join(_FOUND)}, and not {finding!r}"
                )
        self._findings = findings
        self._jury = jury
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether such a verdict came."""
        return self._terminated

    async def __call__(
        self, messages: Sequence[BaseAgentEvent | BaseChatMessage]
    ) -> StopMessage | None:
        """Return why to stop, None to go on.

        Raises:
            TerminatedException: It has stopped, and was not reset.
        """
        if self._terminated:
            raise TerminatedException("the verdict has ended the conversation: reset it first")
        for message in messages:
            if isinstance(message, VerdictMessage) and self._ends(message):
                self._terminated = True
                said = f"{message.source}: {verdict_line(message.content)}"
                return StopMessage(content=said, source="VerdictTermination")
        return None

    async def reset(self) -> None:
        """Listen anew."""
        self._terminated = False

    def _ends(self, message: VerdictMessage) -> bool:
        if self._jury is not None and message.source != self._jury:
            return False
        return not self._findings or message.finding in self._findings

    def _to_config(self) -> _Settings:
        return _Settings(findings=self._findings, jury=self._jury)

    @classmethod
    def _from_config(cls, config: _Settings) -> Self:
        return cls(*config.findings, jury=config.jury)
