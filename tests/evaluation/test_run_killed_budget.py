"""Calls that are under way when a run is killed count against its budget, once."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from safejury.evaluation import open_record
from safejury.models import Charge
from safejury.testing import ScriptedReply, ScriptedServer, ballot

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
CAP = 40_000
KILLS = 2
MOST_LOST = 0.01
"""Of a limit, at one kill, as docs/budget.md has it."""


class Meter:
    """Counts the tokens that a server works on, whether anybody hears its replies or not."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, body: Mapping[str, object]) -> ScriptedReply:
        prompt = len(json.dumps(body["messages"])) // 4
        self.tokens += prompt + 50
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(text, usage={"prompt_tokens": prompt, "completion_tokens": 50})


def kill(workplace: Any, config: str, server: ScriptedServer, calls: int) -> None:
    """Kill a run once the server has begun so many calls."""
    with workplace.start("run", config) as process:
        until = server.stats.calls + calls
        while server.stats.calls < until:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()


def test_kills_spend_no_more_than_the_limit(workplace: Any, scripted: Start):
    workplace.many(120)
    meter = Meter()
    server = scripted(meter, latency=0.2)
    changes = {"limits__concurrency": 16, "run__max_tokens": 100, "jury__max_tokens": 100}
    config = workplace.config(server.base_url, limits__max_tokens_total=CAP, **changes)
    for _ in range(KILLS):
        kill(workplace, config, server, 30)
    assert workplace.stored("SELECT 1 FROM charges WHERE kind = 'open'")
    ended = workplace.safejury("run", config)
    assert ended.code == 3, ended.err
    assert "Stopped by the budget" in ended.err
    assert 0.5 * CAP < meter.tokens <= CAP * (1 + KILLS * MOST_LOST)


async def test_calls_that_hold_more_than_a_kill_may_lose_are_on_disk_before_they_are_made(
    tmp_path: Path,
) -> None:
    """The loop does not turn in between: nothing but the last of them can have committed any."""
    held = Charge(100, None)
    async with open_record(tmp_path, {}, {}) as record:
        for call in range(3):
            record.hold(f"q/t/{call}/target", held, share=0.4 * MOST_LOST)
        with closing(sqlite3.connect(tmp_path / "record.sqlite")) as other:
            assert other.execute("SELECT sum(tokens) FROM charges").fetchone() == (300,)


def test_what_a_kill_left_under_way_is_charged_once(workplace: Any, scripted: Start):
    """A report counts it before the run goes on, and each repeat counts it no second time."""
    hang = [True]
    used = {"prompt_tokens": 100, "completion_tokens": 10}

    def reply(body: Mapping[str, object]) -> ScriptedReply:
        text = "An answer." if body["model"] == "target" else ballot("safe", 5)
        return ScriptedReply(text, usage=used, hang=hang[0])

    server = scripted(reply)
    config = workplace.config(server.base_url)
    with workplace.start("run", config) as process:
        while len(workplace.kept("SELECT 1 FROM charges WHERE kind = 'open'")) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    killed = workplace.report()["run"]["spent"]
    assert killed["estimated"]["calls"] == 3
    assert killed["total"]["tokens"] == killed["estimated"]["tokens"] > 3 * 1024
    hang[0] = False
    for _ in range(2):
        assert workplace.safejury("run", config).code == 0
        spent = workplace.report()["run"]["spent"]
        assert spent["estimated"] == killed["estimated"]
        # Three answers and nine ballots.
        assert spent["total"]["tokens"] == killed["total"]["tokens"] + 12 * 110
    assert [kind for (kind,) in workplace.stored("SELECT kind FROM charges")] == ["estimated"] * 3
    assert workplace.safejury("verify", "runs/first").code == 0
