"""A driver's share of a run's budget, which it may spend until it renews its lease.

What all drivers spent, and what the others may spend yet, never exceeds the limit together with
this share. Each driver gets an equal share of what is left. Near the end, where that covers no
call, the first of those that wait gets all of it, and the others wait until it has ended.

Unlike `LendingBudget`, no process knows what all hold: drivers meet in the database alone.
"""

from dataclasses import dataclass
from math import isinf

from ....models import Budget, Charge
from ..postgres import Connection
from ._leases import GONE, Driver, deleted, lock

_OTHERS = f"""
SELECT run.tokens, run.usd, coalesce(sum(greatest(one.may_tokens - one.tokens, 0)), 0)::bigint,
    coalesce(sum(greatest(one.may_usd - one.usd, 0)), 0), count(one.id),
    coalesce(bool_or(one.waits AND one.id < %(driver)s), false)
FROM safejury_runs AS run LEFT JOIN safejury_drivers AS one
    ON one.run = run.id AND one.id <> %(driver)s AND NOT {GONE.format(driver="one")}
WHERE run.id = %(run)s GROUP BY run.id
"""
_OWN = "SELECT tokens, usd FROM safejury_drivers WHERE id = %(driver)s"
_KEEP = """
UPDATE safejury_drivers SET may_tokens = %(tokens)s, may_usd = %(usd)s, waits = %(waits)s
WHERE id = %(driver)s
"""

_Amounts = tuple[float, float]
"""Tokens and US dollars."""


@dataclass(slots=True)
class BudgetShare:
    """What a driver may spend of a budget that holds for all drivers of a run.

    Attributes:
        budget: What the driver spends.
        limit: Of all drivers, infinite where there is none.
        base: What all had spent when this driver began, as its budget and the database say it.
    """

    budget: Budget
    limit: _Amounts
    base: tuple[_Amounts, _Amounts] | None = None
    _others: _Amounts = (0.0, 0.0)

    async def renew(self, connection: Connection, driver: Driver) -> None:
        """Book what others spent, and take another share of what is left."""
        async with connection.transaction():
            await lock(connection, driver)
            cursor = await connection.execute(_OTHERS, driver.values)
            found = await cursor.fetchone()
            stored = await (await connection.execute(_OWN, driver.values)).fetchone()
            if found is None or stored is None:
                raise deleted()
            *spent, held, held_usd, others, first = found
            may = self._take((spent[0], spent[1]), stored, (held, held_usd), others, first)
            waits = self.budget.least_lacking is not None
            values = {**driver.values, "tokens": int(may[0]), "usd": may[1], "waits": waits}
            await connection.execute(_KEEP, values)

    def _take(
        self,
        spent: _Amounts,
        stored: _Amounts,
        held: _Amounts,
        others: int,
        another_first: bool,
    ) -> _Amounts:
        """Return what this driver may spend from its beginning on."""
        budget = self.budget
        if self.base is None:  # the copy, which the budget knows, may be older
            missed = spent[0] - budget.spent_tokens, spent[1] - budget.spent_usd
            budget.add_earlier_cost(max(0, int(missed[0])), max(0.0, missed[1]))
            self.base = (budget.spent_tokens, budget.spent_usd), spent
        now = budget.spent_tokens, budget.spent_usd
        base, base_spent = self.base
        told = self._others
        own = [now[at] - base[at] - told[at] for at in (0, 1)]
        by_others = [max(0.0, spent[at] - base_spent[at] - stored[at]) for at in (0, 1)]
        budget.add_earlier_cost(
            int(by_others[0] - told[0]),
            by_others[1] - told[1],
        )
        self._others = by_others[0], by_others[1]
        lacking, reserved = budget.least_lacking, budget.held
        least = (lacking.tokens, lacking.usd or 0.0) if lacking is not None else (0, 0.0)
        in_use = (own[0] - stored[0] + reserved.tokens, own[1] - stored[1] + (reserved.usd or 0.0))
        grants = list[float]()
        for at in (0, 1):
            free = max(0.0, self.limit[at] - spent[at] - held[at])
            part = max(in_use[at], free / (others + 1))
            if not budget.has_cases:
                part = in_use[at]
            elif others and part < in_use[at] + least[at]:
                part = in_use[at] if another_first else max(part, free)
            grants.append(part)
        tokens, usd = (
            max(0.0, self.limit[at] - spent[at] - grants[at])
            if others and not isinf(self.limit[at])
            else 0.0
            for at in (0, 1)
        )
        budget.leave_to_others(Charge(int(tokens), usd))
        may, may_usd = (
            stored[at] + (0.0 if isinf(self.limit[at]) else grants[at]) for at in (0, 1)
        )
        return may, may_usd
