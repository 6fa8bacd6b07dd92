"""What a worker reports of its leases, and what it is granted; plain data, to be sent anywhere."""

from dataclasses import dataclass, field

from ..chat import Charge

STEADY_S = 0.5
"""Seconds between the renewals of a worker that has what it needs."""
BRISK_S = 0.05
"""Seconds between the renewals of a worker whose calls wait for a share, of few workers."""


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """What a worker holds and needs of one place.

    Attributes:
        holds: The most calls that it may have under way until it hears of its next share.
        calls: Calls under way, and those that wait.
        grown: Calls that succeeded since the last report while it used all of its share.
        cut: Whether the place rejected a call or let one time out, which counts once.
        cuts: How many cuts of the limit it knew of then.
        paused_for: Seconds of pause that the place asked for since the last report.
        started: Calls started since the last report, where calls a minute are limited.
        permits: Calls that it may still start, where calls a minute are limited.
        wanted: Calls that it may start soon, where calls a minute are limited.
    """

    holds: int
    calls: int
    grown: int = 0
    cut: bool = False
    cuts: int = 0
    paused_for: float = 0.0
    started: int = 0
    permits: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class PlaceGrant:
    """What a worker may take of one place.

    Attributes:
        share: Calls at a time; more that are under way are finished.
        cuts: How often the limit was cut so far.
        slowed: Whether errors keep the limit of all workers below its maximum.
        paused_for: Seconds for which no call may start, 0 for none.
        permits: More calls that it may start, by the seconds before each.
    """

    share: int = 0
    cuts: int = 0
    slowed: bool = False
    paused_for: float = 0.0
    permits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseCharge:
    """What the calls of a case were charged so far, those under way included.

    Attributes:
        case_id: The case.
        tokens: Tokens.
        usd: US dollars.
        ended: Whether it makes no more calls.
    """

    case_id: str
    tokens: int
    usd: float
    ended: bool = False


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """What a worker spent, and what it holds and needs of the budget.

    Attributes:
        allowance: The most that it may have spent and reserved until its next grant, from its
            first call on; None where nothing is limited.
        spent: What it spent so far, from its first call on.
        reserved: What its calls under way reserve.
        calls: Calls under way.
        unknown: Calls of unknown price so far.
        estimated: Calls charged by estimate so far.
        least: What the smallest call that waits needs, None where none waits.
        wanted: What all calls that wait need together.
        cases: Cases whose charges changed since the last report.
    """

    allowance: Charge | None = None
    spent: Charge = Charge(0, 0.0)
    reserved: Charge = Charge(0, 0.0)
    calls: int = 0
    unknown: int = 0
    estimated: int = 0
    least: Charge | None = None
    wanted: Charge = Charge(0, 0.0)
    cases: tuple[CaseCharge, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetGrant:
    """What a worker may spend.

    Attributes:
        allowance: As reported, and changed: more, or less once that is free.
        ahead: What it may hold beside what its calls need; the rest goes back.
        refused: Why the smallest call that waits is not covered; None if it may be yet.
        stopped: Why no new case is started, None while cases are.
    """

    allowance: Charge = Charge(0, 0.0)
    ahead: Charge = Charge(0, 0.0)
    refused: str | None = None
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class LeaseReport:
    """A worker's report on all its leases, which renews them.

    Attributes:
        worker: Its name, which none had before.
        places: By the names of places.
        budget: Of the budget.
    """

    worker: str
    places: dict[str, PlaceReport] = field(default_factory=dict[str, PlaceReport])
    budget: BudgetReport = BudgetReport()


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """What a worker may take until its next report.

    Attributes:
        places: By the names of places; of others it may take nothing.
        budget: Of the budget.
        renew_in: Seconds until it should report again, if it does not need to sooner.
        apart: Fewest seconds between two reports.
    """

    places: dict[str, PlaceGrant] = field(default_factory=dict[str, PlaceGrant])
    budget: BudgetGrant = BudgetGrant()
    renew_in: float = STEADY_S
    apart: float = BRISK_S
