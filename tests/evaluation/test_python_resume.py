"""A run from Python that is canceled or killed: the same call goes on, and asks nothing twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import safejury as sj
from safejury.testing import ScriptedReply, ScriptedServer, ballot

Start = Callable[..., ScriptedServer]
SCRIPT = """
import os, signal, sys
import safejury as sj

async def product(query: sj.Query) -> str:
    with open("calls.txt", "a") as file:
        file.write(query.id + "\\n")
    with open("calls.txt") as file:
        if len(file.readlines()) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    return "An answer."

jury = sj.Jury.of("clinician", model=sj.endpoint(sys.argv[1], "m"))
limits = {"concurrency": 1}
result = sj.evaluate_sync("queries.jsonl", targets=product, jury=jury, limits=limits)
print(result.summary.finished, result.is_finished)
"""


async def test_an_answer_that_a_function_gave_is_kept_until_it_is_judged(
    workplace: Any, scripted: Start
) -> None:
    slow, loop, heard = [True], asyncio.get_running_loop(), asyncio.Event()
    judged = set[str]()

    def says(body: Mapping[str, Any]) -> ScriptedReply:
        judged.update(query for query in ("q1", "q2", "q3") if query in str(body["messages"]))
        if len(judged) == 3:
            loop.call_soon_threadsafe(heard.set)
        return ScriptedReply(text=ballot("safe", 4), delay=60.0 if slow else 0.0)

    server = scripted(says)
    workplace.queries()
    calls = Counter[str]()

    async def product(query: sj.Query) -> str:
        calls[query.id] += 1
        return f"Answer {calls[query.id]} to {query.id}."

    jury = sj.Jury.of("clinician", model=sj.endpoint(server.base_url, "m"))
    said: dict[str, Any] = {"targets": product, "jury": jury, "name": "first"}
    run = asyncio.ensure_future(sj.evaluate("queries.jsonl", **said))
    await heard.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    unfinished = sj.load("runs/first")
    assert not unfinished.is_finished
    assert repr(unfinished).startswith("<Result runs/first: unfinished, 0 of 3 cases>")
    assert "unfinished" in str(unfinished).lower()
    slow.clear()
    result = await sj.evaluate("queries.jsonl", **said)
    assert result.is_finished
    assert calls == {"q1": 1, "q2": 1, "q3": 1}
    assert {case["answer"] for case in result.cases(reveal=True)} == {
        f"Answer 1 to {query}." for query in calls
    }
    assert workplace.stored("SELECT count(*) FROM answers") == [(0,)]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_killed_run_goes_on_with_the_same_call(workplace: Any, scripted: Start) -> None:
    server = scripted(ballot("safe", 4))
    workplace.many(8)

    def started(killed_at: int) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-c", SCRIPT, server.base_url, str(killed_at)]
        return subprocess.run(
            command, cwd=workplace.path, capture_output=True, text=True, timeout=120, check=False
        )

    assert started(5).returncode == -signal.SIGKILL
    ended = started(0)
    assert (ended.stdout, ended.stderr) == ("8 True\n", "")
    called: list[str] = (workplace.path / "calls.txt").read_text().split()
    calls = Counter(called)
    assert len(calls) == 8
    assert max(calls.values()) <= 2
