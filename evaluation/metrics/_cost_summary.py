"""The cost of a run as plain numbers; the names of the fields are keys of the JSON report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimated:
    """Calls that were charged what was reserved for them, because their usage is unknown.

    They failed, timed out or were cut off after the server may have worked on them, or
    their replies reported no credible usage. No other figure includes their cost.

    Attributes:
        calls: Number of calls.
        tokens: Tokens that they were charged.
        usd: US dollars that they were charged.
        unpriced: Those of the calls whose price is unknown; `usd` is without them.
    """

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class CostTotals:
    """Tokens and money of some calls, as a budget counts them.

    Attributes:
        replies: Replies received.
        tokens: Of prompts and replies together, estimates included.
        usd: US dollars, estimates included, calls of unknown price left out.
        unpriced: Calls of unknown price.
    """

    replies: int
    tokens: int
    usd: float
    unpriced: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The cost limits of a run; None for no limit, or where it is not known."""

    max_tokens_total: int | None = None
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ServerTime:
    """GPU time and cost of a managed server that has an hourly price, over all its starts.

    Attributes:
        server: Its name.
        targets: The targets that only this server ran; empty where jurors use it.
        gpu_hours: Hours that it ran, times its GPUs.
        usd: US dollars for these hours.
    """

    server: str
    targets: tuple[str, ...]
    gpu_hours: float
    usd: float


@dataclass(frozen=True, slots=True)
class RunCost:
    """The total cost of a run, and the parts of it that no target's figures include.

    Attributes:
        total: The whole cost, as the run's budget counts it.
        estimated: The part that was charged by estimate.
        unfinished: The part spent on cases that are not finished.
        replaced: The part spent on attempts that a retry replaced.
        limits: The cost limits of the run.
        unfinished_cases: Ids of the cases in `unfinished`.
        servers: The time of managed servers, which is part of `total`.
        functions: The targets that are functions: what they took themselves is in no figure
            here, only in their own.
        talk_audit: The part spent on votes without talk, see `run.audit_talk`; None where there
            was none.
    """

    total: CostTotals
    estimated: Estimated
    unfinished: CostTotals
    replaced: CostTotals
    limits: Limits = Limits()
    unfinished_cases: tuple[str, ...] = ()
    servers: tuple[ServerTime, ...] = ()
    functions: tuple[str, ...] = ()
    talk_audit: CostTotals | None = None
