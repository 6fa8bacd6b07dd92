"""Limits of single endpoints, and how a wait looks at a terminal."""

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console

from safejury.cli.console import RunProgress
from safejury.evaluation.runner import WorkerCounts
from safejury.models import Wait
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


def answer(body: Mapping[str, object]) -> str:
    return "An answer." if body["model"] == "target" else ballot("safe", 5)


def test_an_endpoint_gets_its_own_limits_and_others_the_common_ones(
    workplace: Any, scripted: Start
):
    """A slash at the end, or a user in the address, does not make it another endpoint."""
    small, large = scripted(answer, latency=0.02), scripted(answer, latency=0.02)
    own = small.base_url.replace("://", "://me:pass-word-1@")
    config = workplace.config(
        large.base_url,
        targets__0__base_url=own,
        limits__endpoints={f"{own}/": {"concurrency": 1, "requests_per_minute": 6000}},
    )
    ended = workplace.safejury("run", config)
    assert ended.code == 0, ended.err
    assert small.stats.peak_in_flight == 1
    assert large.stats.peak_in_flight > 1
    assert "pass-word-1" not in (workplace.path / "runs/first/run.yaml").read_text()


def test_limits_of_an_endpoint_that_the_run_does_not_use_are_refused(workplace: Any):
    config = workplace.config(limits__endpoints={"http://127.0.0.1:8/v1": {"concurrency": 1}})
    workplace.safejury("run", config).refused(
        "limits.endpoints names 'http://127.0.0.1:8/v1', where no model of this run is",
        "did you mean 'http://127.0.0.1:9/v1'?",
    )


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (
            WorkerCounts((1000, 1024, 998), (500, 512, 489), lost=1),
            "3 workers with 1,000 + 1,024 + 998 cases, 500 + 512 + 489 calls · 1 lost",
        ),
        (WorkerCounts((16,), (9,), 1), "1 worker with 16 cases, 9 calls · 1 starting"),
        (
            WorkerCounts((14, 17, *[16] * 48), (20, 40, *[30] * 48), 2, 3),
            "50 workers with 14 to 17 cases, 20 to 40 calls each · 3 lost · 2 starting",
        ),
        (
            WorkerCounts((1000,) * 3, (10000,) * 3, 1, 1),
            "3 workers with 1,000 + 1,000 + 1,000 cases, 10,000 + 10,000 + 10,000 calls · 1 …",
        ),
    ],
)
def test_workers_have_one_line_below_the_bar_in_80_columns(counts: WorkerCounts, line: str):
    screen = io.StringIO()
    with RunProgress(Console(file=screen, force_terminal=True, width=80)) as progress:
        progress.workers(counts)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).splitlines()
    assert line in [each.strip() for each in lines]


def test_a_wait_is_shown_below_the_bar():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with RunProgress(console) as progress:
        progress.waiting([Wait("http://a/v1", "no answer since 10:00:00", 3, 12.3, 290.0)])
    shown = (
        "waiting for http://a/v1: no answer since 10:00:00; next call in 12 s; given up in 290 s"
    )
    assert shown in screen.getvalue()
    assert "3 calls wait" in screen.getvalue()
