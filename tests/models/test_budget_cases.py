"""How many cases a budget lets begin at once, by what those before them took."""

import asyncio

import pytest

from safejury.models import Budget, Charge

EXPECTED = Charge(100, 0.1)
LIMIT = 1_000


async def take(budget: Budget, case_id: str, part: float) -> None:
    """Go through a case whose only call takes a part of what is expected of the case."""
    await budget.begin_case(case_id, EXPECTED)
    reserved = await budget.reserve(EXPECTED, f"{case_id}/target")
    budget.settle(reserved, Charge(int(100 * part), 0.1 * part))
    budget.end_case(case_id)


async def begin_at_once(budget: Budget) -> int:
    """Begin one case after the other until one has to wait, end them, and return how many began."""
    begun: list[str] = []

    async def begin() -> None:
        for number in range(20):
            await budget.begin_case(f"q{number}/t/0", EXPECTED)
            begun.append(f"q{number}/t/0")

    async with asyncio.TaskGroup() as group:
        beginning = group.create_task(begin())
        await asyncio.sleep(0)
        beginning.cancel()
    for case_id in begun:
        budget.end_case(case_id)
    return len(begun)


@pytest.mark.parametrize("budget", [Budget(LIMIT), Budget(max_cost_usd=1.0)], ids=["tokens", "usd"])
async def test_cases_count_as_what_one_took_once_one_has_ended(budget: Budget) -> None:
    assert await begin_at_once(budget) == 1  # each may take ten times what is expected
    await take(budget, "a/t/0", 0.5)
    assert await begin_at_once(budget) == 9  # 50 are spent, and 100 are held for each
    await take(budget, "b/t/0", 2.0)
    assert await begin_at_once(budget) == 3  # 250 are spent, and 200 are held for each
