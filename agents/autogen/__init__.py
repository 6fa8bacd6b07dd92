"""AutoGen: seats, messages and the model client. With `deliberation.bus`, all that imports it."""

from typing import TYPE_CHECKING

from ...common import lazy

if TYPE_CHECKING:
    from ._ballot_caster import BallotCaster
    from ._client import AgentChatClient
    from ._messages import BallotMessage, CallMessage
    from ._seat import Seat, SeatAgent

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_ballot_caster": ["BallotCaster"],
            "_client": ["AgentChatClient"],
            "_messages": ["BallotMessage", "CallMessage"],
            "_seat": ["Seat", "SeatAgent"],
        },
    )

__all__ = [
    "AgentChatClient",
    "BallotCaster",
    "BallotMessage",
    "CallMessage",
    "Seat",
    "SeatAgent",
]
