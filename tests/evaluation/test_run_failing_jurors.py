"""A jury of which several members fail at once ends with one error, and never hangs."""

import asyncio
from collections.abc import Sequence

import pytest
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response as Said
from autogen_agentchat.messages import BaseChatMessage
from autogen_core import CancellationToken

from safejury.agents import BallotMessage, Case
from safejury.common import FirstContactError
from safejury.datasets import Intent, Query
from safejury.deliberation import PRESETS, Jury
from safejury.targets import Response, ResponseOutcome

CASE = Case(
    "q/t/0",
    Query("q", "ethics.bioethics", "Why?", Intent.HARMFUL),
    Response(ResponseOutcome.ANSWERED, "Because."),
)


class _Failing(BaseChatAgent):
    """Fails after so many turns of the event loop."""

    def __init__(self, name: str, turns: int) -> None:
        super().__init__(name, "fails")
        self._turns = turns

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (BallotMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Said:
        for _ in range(self._turns):
            await asyncio.sleep(0)
        raise FirstContactError(f"{self.name} cannot be reached")

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Do nothing."""


@pytest.mark.parametrize("apart", range(12))
async def test_two_jurors_fail_shortly_after_each_other(apart: int):
    seats = {name: _Failing(name, turns) for name, turns in (("a", 3), ("b", 3 + apart), ("c", 3))}
    async with asyncio.timeout(10):
        with pytest.raises(FirstContactError, match="cannot be reached"):
            async with Jury(seats, PRESETS["vote"]) as jury:
                await jury.hear(CASE)
