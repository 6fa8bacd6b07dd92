"""Workers share one limit and one budget, and a run ends at them as in one process."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from same_process import same_process
from workplace import Workplace

from safejury.assembly import load_config
from safejury.evaluation import RunOutcome, RunPlan, run, set_up
from safejury.evaluation.engine import run_with
from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
CAP = 30_000


def planned(config: str, *changes: str) -> RunPlan:
    return set_up(load_config(Path(config), changes), Path())


async def with_workers(plan: RunPlan, folder: Path, **options: Any) -> RunOutcome:
    async with same_process(folder, **options) as pool:
        return await run_with(plan, pool)


def metered(body: Mapping[str, Any]) -> ScriptedReply:
    """Answer with a credible usage."""
    prompt = len(json.dumps(body["messages"])) // 4
    text = "An answer." if body["model"] == "target" else ballot("safe", 5)
    return ScriptedReply(text, usage={"prompt_tokens": prompt, "completion_tokens": 50})


def tokens_of(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body["messages"])) // 4 + 50


@pytest.mark.parametrize(("most", "workers"), [(2, 4), (7, 3)])
async def test_an_endpoint_gets_no_more_calls_at_a_time_than_from_one_process(
    workplace: Workplace, scripted: Start, tmp_path: Path, most: int, workers: int
) -> None:
    workplace.many(25)
    server = scripted(latency=0.02)
    config = workplace.config(server.base_url, jury__protocol="vote", limits__concurrency=most)
    outcome = await with_workers(planned(config), tmp_path / "workers", number=workers)
    assert outcome.verdicts == 25
    assert server.stats.peak_in_flight == most


async def test_a_budget_ends_as_in_one_process_and_a_higher_one_goes_on(
    workplace: Workplace, scripted: Start, tmp_path: Path
) -> None:
    workplace.many(120)
    server = scripted(metered, latency=0.01)
    config = workplace.config(
        server.base_url,
        jury__protocol="vote",
        run__max_tokens=100,
        jury__max_tokens=100,
        limits__concurrency=16,
        limits__max_tokens_total=CAP,
    )
    alone = await run(planned(config, "run.name=alone"))
    used = sum(map(tokens_of, server.requests))
    together = await with_workers(planned(config), tmp_path / "workers", number=3)
    assert alone.stopped is not None
    assert together.stopped is not None
    assert together.stopped.split("(")[0].split("up to")[0] == alone.stopped.split("up to")[0]
    both = sum(map(tokens_of, server.requests))
    assert 0.9 * CAP < both - used <= CAP
    # Hardly a response was paid for without its ballots.
    assert abs(together.verdicts - alone.verdicts) <= 2
    assert together.cases - together.verdicts <= 1
    more = planned(config, "limits.max_tokens_total=1000000")
    assert (await with_workers(more, tmp_path / "workers", number=3)).verdicts == 120


async def test_what_calls_of_a_lost_worker_held_is_charged_once(
    workplace: Workplace, scripted: Start, tmp_path: Path
) -> None:
    workplace.many(40)
    server = scripted(metered, latency=0.05)
    config = workplace.config(
        server.base_url, jury__protocol="vote", limits__concurrency=8,
        limits__max_tokens_total=2_000_000,
    )  # fmt: skip
    losses = list[int]()

    def lost(report: int) -> bool:
        if report == 6 and not losses:
            losses.append(report)
            return True
        return False

    outcome = await with_workers(planned(config), tmp_path / "workers", reported=lost)
    assert losses
    assert outcome.verdicts == 40
    kinds = {kind for (kind,) in workplace.stored("SELECT kind FROM charges")}
    assert kinds <= {"estimated"}
    reported = workplace.report()["run"]["spent"]
    # Each call that was made is charged by its reply or by estimate, those of the loss as well.
    assert reported["total"]["tokens"] >= sum(map(tokens_of, server.requests)) - 8 * 1200
