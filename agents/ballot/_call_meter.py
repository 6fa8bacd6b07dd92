"""Count the tokens, cost and time of the model calls behind one ballot."""

from dataclasses import dataclass
from typing import TypedDict

from ...common import BudgetError, ModelError
from ...models import AgentError, AgentWork, Completion, ToolUse, Usage


class CallFields(TypedDict):
    """The fields of a `Ballot` that say what it cost."""

    usage: Usage
    cost_usd: float | None
    cost_usd_known: float
    latency_s: float
    calls: int
    notes: tuple[str, ...]
    tools: tuple[ToolUse, ...]


@dataclass(slots=True)
class CallMeter:
    """Adds up model calls as they end; a figure that one call lacks is None in the sum.

    Attributes:
        usage: Tokens, None before the first call.
        cost_usd: US dollars.
        cost_usd_known: US dollars of the calls whose cost is known.
        latency_s: Seconds.
        calls: Model calls, retries included.
        notes: What was done otherwise than asked, each said once.
        tools: The tools that an agent called.
    """

    usage: Usage | None = None
    cost_usd: float | None = 0.0
    cost_usd_known: float = 0.0
    latency_s: float = 0.0
    calls: int = 0
    notes: tuple[str, ...] = ()
    tools: tuple[ToolUse, ...] = ()

    def add(self, completion: Completion) -> None:
        """Add one completion."""
        self.add_usage(completion.usage, calls=completion.attempts)
        self.latency_s += completion.latency_s
        self.cost_usd = _sum(self.cost_usd, completion.cost_usd)
        self.cost_usd_known += completion.cost_usd or 0.0
        if completion.notes:
            self.notes = tuple(dict.fromkeys((*self.notes, *completion.notes)))
        if isinstance(completion.work, AgentWork):
            self._add_work(completion.work)

    def add_usage(self, usage: Usage, *, calls: int = 1) -> None:
        """Add the tokens of calls whose price and notes are not known here."""
        self.usage = usage if self.usage is None else _added(self.usage, usage)
        self.calls += calls

    def add_failure(self, error: ModelError) -> None:
        """Add a call that failed: it cost nothing only if the server did not work on it.

        It took no tokens that anybody counted, unless an agent made calls before it failed.
        """
        if isinstance(error, AgentError):
            self._add_work(error.work)
            return
        self.usage = self.usage or Usage(0, 0, 0)
        self.calls += not isinstance(error, BudgetError)
        if not error.unprocessed:
            self.cost_usd = None

    def note(self, sentence: str) -> None:
        """Add a note about the calls."""
        self.notes = (*self.notes, sentence)

    def fields(self) -> CallFields:
        """Return these figures as fields of a `Ballot`."""
        return {
            "usage": self.usage or Usage(),
            "cost_usd": self.cost_usd,
            "cost_usd_known": self.cost_usd_known,
            "latency_s": self.latency_s,
            "calls": self.calls,
            "notes": self.notes,
            "tools": self.tools,
        }

    def _add_work(self, work: AgentWork) -> None:
        self.add_usage(work.usage, calls=work.calls)
        self.cost_usd = _sum(self.cost_usd, work.cost_usd)
        self.cost_usd_known += work.cost_usd_known
        self.tools += work.tools


def _added(one: Usage, two: Usage) -> Usage:
    return Usage(
        _count(one.prompt_tokens, two.prompt_tokens),
        _count(one.cached_tokens, two.cached_tokens),
        _count(one.completion_tokens, two.completion_tokens),
    )


def _count(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else one + two


def _sum(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else one + two
