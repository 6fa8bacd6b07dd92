"""The bus: AutoGen's runtime, requests and answers. With `agents.autogen`, all that imports it."""

from ._agent import Address, Handler, Line
from ._direct_runtime import DirectRuntime, new_runtime
from ._entry_messages import (
    BallotsEvent,
    DiscussionEvent,
    EntryMessages,
    RemarkEvent,
    SummaryEvent,
    TalkAuditEvent,
    VerdictMessage,
)
from ._guest import AgentRuntime
from ._hearing import Hearing
from ._jury_bus import JuryBus
from ._quiet_runtime import QuietRuntime
from ._request_bus import RequestBus
from ._team import JuryComponent, JuryTeam
from ._termination import VerdictTermination

__all__ = [
    "Address",
    "AgentRuntime",
    "BallotsEvent",
    "DirectRuntime",
    "DiscussionEvent",
    "EntryMessages",
    "Handler",
    "Hearing",
    "JuryBus",
    "JuryComponent",
    "JuryTeam",
    "Line",
    "QuietRuntime",
    "RemarkEvent",
    "RequestBus",
    "SummaryEvent",
    "TalkAuditEvent",
    "VerdictMessage",
    "VerdictTermination",
    "new_runtime",
]
