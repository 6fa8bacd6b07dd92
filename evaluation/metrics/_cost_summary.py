"""What a run spent, as plain numbers; the names of the fields are keys of the JSON report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimated:
    """Calls that were counted at what was reserved for them.

    They failed, timed out or were cut off after the server may have worked on them, or
    their replies told no credible usage. No other figure holds what they took.

    Attributes:
        calls: How many.
        tokens: What they were counted at.
        usd: US dollars that they were counted at.
        unpriced: Those of them whose price is unknown; `usd` is without them.
    """

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class CostTotals:
    """What calls took, as a budget counts it.

    Attributes:
        replies: Replies that came.
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
    """What bounds a run's spending; None for no bound, or where that is not known."""

    max_tokens_total: int | None = None
    max_cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ServerTime:
    """What a managed server took that has a price by the hour, over all its starts.

    Attributes:
        server: Its name.
        targets: Those that it was for alone; none where jurors use it.
        gpu_hours: Hours that it ran, each GPU counted.
        usd: US dollars for them.
    """

    server: str
    targets: tuple[str, ...]
    gpu_hours: float
    usd: float


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run spent in all, and how much of it is in no target's figures.

    Attributes:
        total: All of it: what the run's budget counts.
        estimated: The part that was counted at what was reserved.
        unfinished: The part that went into cases which are not finished.
        replaced: The part that went into hearings which others replaced.
        limits: What bounds the run.
        unfinished_cases: Ids of the cases in `unfinished`.
        servers: The time of managed servers, which is part of `total`.
    """

    total: CostTotals
    estimated: Estimated
    unfinished: CostTotals
    replaced: CostTotals
    limits: Limits = Limits()
    unfinished_cases: tuple[str, ...] = ()
    servers: tuple[ServerTime, ...] = ()
