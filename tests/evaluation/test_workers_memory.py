"""Neither driver nor workers keep anything of a case that is finished."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from same_process import same_process
from test_workers import Notes, planned
from workplace import Workplace

from safejury.agents import Case
from safejury.datasets import Query
from safejury.evaluation import CaseResult
from safejury.evaluation.engine import run_with
from safejury.evaluation.trials import Exchange, Trial
from safejury.testing import ScriptedServer

pytestmark = pytest.mark.slow

STEP, CASES = 100, 600
KINDS = (Case, CaseResult, Exchange, Query, Trial)


class Counting(Notes):
    """Counts the objects that are alive after every so many cases."""

    def __init__(self, server: ScriptedServer) -> None:
        super().__init__()
        self.server = server
        self.alive: list[int] = []

    def case_finished(self, result: CaseResult) -> None:
        super().case_finished(result)
        if self.finished % STEP == 0:
            self.server.requests.clear()
            gc.collect()
            # Of these kinds alone: what others hold, such as a log, varies by more than cases.
            self.alive.append(sum(isinstance(one, KINDS) for one in gc.get_objects()))


async def test_objects_do_not_grow_with_cases(
    workplace: Workplace, scripted: Callable[..., ScriptedServer], tmp_path: Path
) -> None:
    workplace.many(CASES + STEP)
    server = scripted()
    config = workplace.config(server.base_url, jury__protocol="vote", limits__concurrency=8)
    counting = Counting(server)
    async with same_process(tmp_path / "workers", 2) as pool:
        await run_with(planned(config), pool, counting)
    first, last = min(counting.alive[:3]), min(counting.alive[3:6])
    assert last - first < STEP, counting.alive  # a kept case would add three times as many
