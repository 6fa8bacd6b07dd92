"""Print how long `safejury --help` and the first request of `safejury run` take.

`python benchmarks/start.py [--rounds N] [--beside PYTHON]`: a run of one target and three jurors on
the bundled set, against a scripted server in this process. Wall time is from the start of the
process to the moment the server has read the request, CPU that of the process up to then.
`--beside` measures another environment in the same rounds. On Linux.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from safejury.testing import ScriptedServer

Took = tuple[float, float]
"""Seconds of wall time, and of CPU."""


@dataclass(slots=True)
class Measured:
    """What was measured of one environment."""

    help: list[Took] = field(default_factory=list[Took])
    run: list[Took] = field(default_factory=list[Took])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long a start takes.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--beside", action="append", default=[], metavar="PYTHON")
    given = parser.parse_args()
    # An environment that forbids it would compile all modules at each start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    measured = asyncio.run(measure([sys.executable, *given.beside], given.rounds))
    print(f"load {os.getloadavg()[0]:.1f}; the least of {given.rounds} rounds, and the median\n")
    print("| start | wall time | CPU |\n|---|---|---|")
    for python, each in measured.items():
        where = "" if len(measured) == 1 else f" ({Path(python).absolute().parents[2].name})"
        for what, rows in (("--help", each.help), ("run` to its first request", each.run)):
            wall, cpu = zip(*rows, strict=True)
            closing = "`" if what == "--help" else ""
            print(f"| `safejury {what}{closing}{where} | {shown(wall)} | {shown(cpu)} |")


async def measure(pythons: Sequence[str], rounds: int) -> dict[str, Measured]:
    """Measure each environment in turn, after a round that fills caches."""
    measured = {python: Measured() for python in pythons}
    async with ScriptedServer() as server:
        for number in range(rounds + 1):
            for python, kept in measured.items():
                took = of_help(python), await of_run(python, server)
                if number:
                    kept.help.append(took[0])
                    kept.run.append(took[1])
    return measured


def of_help(python: str) -> Took:
    """Measure `safejury --help` from its start to its end."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([*safejury(python), "--help"], stdout=DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - began, cpu - before.children_user - before.children_system


async def of_run(python: str, server: ScriptedServer) -> Took:
    """Measure `safejury run` up to its first request."""
    seen = len(server.requests)
    target = ("--target-url", server.base_url, "--target-model", "model")
    jury = ("--jurors", "juror", "--url", server.base_url)
    with tempfile.TemporaryDirectory() as folder:
        command = [*safejury(python), "run", *target, *jury, "--limit", "4", "--directory", folder]
        began = time.perf_counter()
        run = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        while len(server.requests) == seen:
            if run.returncode is not None:
                raise SystemExit(f"{python}: the run ended with {run.returncode}")
            await asyncio.sleep(0.001)
        took = time.perf_counter() - began, cpu_of(run)
        await run.wait()
    return took


def cpu_of(run: Process) -> float:
    return int(Path(f"/proc/{run.pid}/schedstat").read_text().split()[0]) / 1e9


def safejury(python: str) -> list[str]:
    return [python, "-P", "-m", "safejury"]


def shown(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.2f} s ({median(seconds):.2f})"


if __name__ == "__main__":
    main()
