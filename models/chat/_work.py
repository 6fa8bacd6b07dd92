"""Describes what an agent did for a reply: the tools that it called, its calls and their cost."""

from dataclasses import dataclass

from ...common import ModelError
from ._usage import Usage


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that an agent called, and what it returned: words of others, kept in part.

    Attributes:
        name: The tool's name.
        arguments: Its arguments, as the agent wrote them.
        result: What it returned; None where nothing came.
        failed: Whether it reported an error.
    """

    name: str
    arguments: str
    result: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class AgentWork:
    """What an agent did for a reply, besides saying its last words.

    Attributes:
        tools: The tools that it called, in order.
        problem: Why the reply has no words; empty where it has some.
        usage: Tokens of the calls that it made through models of the run. These calls are
            recorded, charged and counted with those models, so the reply itself has none.
        cost_usd: US dollars of those calls, None where a price is unknown.
        cost_usd_known: US dollars of those whose cost is known.
        calls: How many there were.
    """

    tools: tuple[ToolUse, ...] = ()
    problem: str = ""
    usage: Usage = Usage(0, 0, 0)
    cost_usd: float | None = 0.0
    cost_usd_known: float = 0.0
    calls: int = 0


class AgentError(ModelError):
    """An agent failed, ran out of time or was stopped.

    Attributes:
        work: What it did until then, with what its calls took.
        cause: The failed call of a model that it comes from, None for all else.
    """

    def __init__(
        self,
        message: str,
        work: AgentWork,
        *,
        cause: ModelError | None = None,
        unsent: bool = False,
    ) -> None:
        super().__init__(message, unsent=unsent)
        self.work = work
        self.cause = cause
