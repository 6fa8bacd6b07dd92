"""Leases: one limit of each place and one budget for the workers of several processes."""

from ._book import LeaseBook
from ._budget import LeasedBudget
from ._holder import Leaseholder
from ._lending import LendingBudget
from ._limiter import LeasedLimiter
from ._messages import (
    BudgetGrant,
    BudgetReport,
    CaseCharge,
    LeaseGrant,
    LeaseReport,
    PlaceGrant,
    PlaceReport,
)
from ._shares import PlaceShares

__all__ = [
    "BudgetGrant",
    "BudgetReport",
    "CaseCharge",
    "LeaseBook",
    "LeaseGrant",
    "LeaseReport",
    "LeasedBudget",
    "LeasedLimiter",
    "Leaseholder",
    "LendingBudget",
    "PlaceGrant",
    "PlaceReport",
    "PlaceShares",
]
