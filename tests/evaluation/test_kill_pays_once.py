"""What was answered is on disk a quarter of a second later, however busy the process is.

The clock is the process's own CPU time: here it is never idle, and time in which the machine
gave it nothing to run on is not its fault.
"""

import asyncio
import hashlib
import json
import math
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from safejury.evaluation import open_record
from safejury.models import Completion
from safejury.testing import ScriptedServer, ballot

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedServer]
PROMISED_S = 0.25
KILLS = 2
QUERIES = 150


def digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def answer(body: Mapping[str, object]) -> str:
    """Answer by the words of the request alone; two of three cases are contested."""
    drawn = digest(body)
    if body["model"] == "target":
        return f"I say {drawn[:8]}. " + "word " * 100
    unsafe = drawn[0] in "01234567"
    return ballot("unsafe" if unsafe else "safe", 1 if unsafe else 5, f"I find {drawn[:8]}.")


class Paid:
    """What was answered, and the CPU time of the process that asked."""

    def __init__(self) -> None:
        self.answered: dict[str, float] = {}
        self.again: set[str] = set()
        self.process: psutil.Process | None = None
        self._before: set[str] = set()

    def reply(self, body: Mapping[str, object]) -> str:
        drawn = digest(body)
        if drawn in self._before:
            self.again.add(drawn)
        self.answered[drawn] = self.clock()
        return answer(body)

    def clock(self) -> float:
        """Return the seconds of CPU time that the process has had, endless once it has ended."""
        try:
            spent = None if self.process is None else self.process.cpu_times()
        except psutil.Error:
            spent = None
        if spent is None:
            return math.inf
        return spent.user + spent.system

    def killed(self, at: float) -> None:
        """Remember the calls that were answered long enough before a kill."""
        self._before |= {name for name, when in self.answered.items() if when < at - PROMISED_S}
        self.answered = {}


def test_a_kill_repeats_no_call_that_was_answered_a_quarter_of_a_second_before(
    workplace: Any, scripted: Start
) -> None:
    draw, paid = random.Random(7), Paid()
    server = scripted(paid.reply)
    workplace.queries(
        *(
            {"id": f"q{n}", "scenario": "bias", "text": f"Question {n}?", "intent": "harmful"}
            for n in range(QUERIES)
        )
    )
    config = workplace.config(server.base_url)
    kills = 0
    for _ in range(KILLS):
        until = server.stats.calls + draw.randint(250, 400)
        with workplace.start("run", config) as process:
            paid.process = psutil.Process(process.pid)
            while server.stats.calls < until and process.poll() is None:
                time.sleep(0.002)
            at = paid.clock()
            kills += process.poll() is None
            process.kill()
            process.communicate()
        paid.killed(at)
    assert kills == KILLS
    assert workplace.spawn("run", config).code == 0
    assert len(paid.again) == 0
    assert workplace.report()["targets"][0]["cases"] == QUERIES


async def test_calls_are_on_disk_in_time_beside_a_loop_that_hardly_ever_turns(
    tmp_path: Path,
) -> None:
    """Each turn writes 200 calls and works for as many milliseconds."""
    directory, written, latest = tmp_path / "run", list[float](), 0.0
    async with open_record(directory, {}, {}) as record:
        with closing(sqlite3.connect(directory / "record.sqlite")) as seen:
            for _ in range(4):
                for _ in range(200):
                    record.write(f"call {len(written)}", "key", Completion("word " * 100, "stop"))
                    written.append(time.process_time())
                    while time.process_time() < written[-1] + 0.001:
                        pass
                await asyncio.sleep(0)
                kept = int(seen.execute("SELECT count(*) FROM calls").fetchone()[0])
                if kept < len(written):
                    latest = max(latest, time.process_time() - written[kept])
    assert latest < PROMISED_S
