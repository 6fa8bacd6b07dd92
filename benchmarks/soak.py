"""Measure a long run: `python benchmarks/soak.py [--cases 100000]`.

A scripted server answers, and of each hundred requests five fail at first: 429, 500, a connection
that ends, a reply that is cut short, a page in place of JSON. `safejury run` judges all cases with
three jurors. Three times it is killed (SIGKILL) at a moment drawn at random, and goes on by the
same command. In the middle the server takes another key: the run ends by itself, and goes on by
the same command with the new key in the variable. Then every case must be there once, and every
reply that the server gave must be in the record, but for those of the calls that a kill cut off.

Samples of the process are taken each half a second, by a thread in it: memory, descriptors, tasks.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import yaml

from safejury.datasets import load_taxonomy
from safejury.testing import Fault, ScriptedServer

KEYS = ("sk-soak-the-first-key", "sk-soak-the-second-key")
VARIABLE = "SOAK_KEY"
PERSONAS = ("clinician", "lawyer", "sceptic")
FAULTS: tuple[Fault, ...] = ("429", "500", "drop", "truncate", "garbage")
UNPAID: tuple[Fault, ...] = ("truncate", "garbage")
"""Faults that have status 200 at the server, and bring no reply."""
SAMPLE_S = 0.5


@dataclass
class Life:
    """One process of the run, from its start to its end.

    Attributes:
        ended: How it ended.
        code: Its exit code, below 0 for a signal.
        said: What it wrote to the screen last.
        first_call: Seconds until the server had its first call.
        samples: Cases finished in all, and kB, descriptors and tasks of the process.
    """

    ended: str
    code: int = 0
    said: str = ""
    first_call: float | None = None
    samples: list[tuple[int, int, int, int]] = field(
        default_factory=list[tuple[int, int, int, int]]
    )


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(float(sys.argv[2]), float(sys.argv[3])))
    elif sys.argv[1:2] == ["--watched"]:
        watched(Path(sys.argv[2]), sys.argv[3:])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--cases", type=int, default=100_000)
        parser.add_argument("--in-flight", type=int, default=200)
        parser.add_argument("--faults", type=float, default=0.05)
        parser.add_argument("--latency", type=float, default=0.0, help="seconds a reply takes")
        parser.add_argument("--kills", type=int, default=3)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--protocol", choices=("vote", "contested"), default="vote")
        options = parser.parse_args()
        with tempfile.TemporaryDirectory(prefix="safejury-soak-") as folder:
            sys.exit(soak(options, Path(folder)))


async def serve(share: float, latency: float) -> None:
    """Be the server; SIGUSR1 makes it take the second key alone."""
    faults: dict[Fault, float] = {fault: share / len(FAULTS) for fault in FAULTS}
    async with ScriptedServer(
        faults=faults, latency=latency, api_key=KEYS[0], keep_requests=False
    ) as server:
        rotate = lambda: server.take_key(KEYS[1])  # noqa: E731
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, rotate)
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def watched(samples: Path, command: Sequence[str]) -> None:
    """Be `safejury`, with a thread that writes down what the process holds."""
    from safejury.cli import app

    def sample() -> None:
        with samples.open("a") as file:
            while True:
                status = Path("/proc/self/status").read_text()
                kb = int(status.partition("VmRSS:")[2].split()[0])
                descriptors = len(os.listdir("/proc/self/fd"))
                tasks = len(getattr(asyncio.tasks, "_all_tasks", ()))
                file.write(f"{time.time()} {kb} {descriptors} {tasks}\n")
                file.flush()
                time.sleep(SAMPLE_S)

    threading.Thread(target=sample, daemon=True).start()
    app(list(command))


def soak(options: argparse.Namespace, folder: Path) -> int:
    """Run all of it and print the table; return 1 where something is not as it must be."""
    server = subprocess.Popen(
        [sys.executable, "-P", __file__, "--serve", str(options.faults), str(options.latency)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        config = prepare(options, folder, url)
        lives = list(Soak(options, folder, url, config, server.pid).lives())
        stats = stats_of(url)
    finally:
        server.kill()
        server.wait()
    return show(options, folder / "runs" / "soak", lives, stats)


class Soak:
    """Lives of the run, one after the other."""

    def __init__(
        self, options: argparse.Namespace, folder: Path, url: str, config: Path, server: int
    ) -> None:
        self._options = options
        self._folder = folder
        self._url = url
        self._config = config
        self._server = server
        self._key = KEYS[0]
        self.record = folder / "runs" / "soak" / "record.sqlite"

    def lives(self) -> Iterator[Life]:
        cases, drawn = self._options.cases, random.Random(self._options.seed)
        at = [(drawn.uniform(0.05, 0.95), "killed") for _ in range(self._options.kills)]
        for share, what in sorted([*at, (0.5, "key replaced")]):
            yield self._live(int(share * cases), what)
            self._say(f"{what} at {self._finished():,} cases")
        yield self._live(cases + 1, "finished")

    def _live(self, until: int, what: str) -> Life:
        samples = self._folder / "samples"
        samples.unlink(missing_ok=True)
        environment = {**os.environ, VARIABLE: self._key, "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-P", __file__, "--watched", str(samples), "run"]
        before, started = stats_of(self._url)["calls"], time.time()
        life, finished = Life(what), list[tuple[float, int]]()
        with (self._folder / "screen").open("w+") as screen:
            process = subprocess.Popen(
                [*command, str(self._config)], env=environment, stdout=screen, stderr=screen
            )
            while process.poll() is None:
                time.sleep(0.05 if life.first_call is None else SAMPLE_S)
                if life.first_call is None and stats_of(self._url)["calls"] > before:
                    life.first_call = time.time() - started
                finished.append((time.time(), self._finished()))
                if finished[-1][1] >= until:
                    self._end(process, what)
            screen.seek(0)
            life.said = " ".join(screen.read().split())[-300:]
        life.code = process.returncode
        life.samples = list(joined(samples, finished))
        return life

    def _end(self, process: "subprocess.Popen[bytes]", what: str) -> None:
        if what == "killed":
            process.kill()
        elif what == "key replaced":
            os.kill(self._server, signal.SIGUSR1)
            self._key = KEYS[1]
        process.wait()

    def _finished(self) -> int:
        if not self.record.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"{self.record.as_uri()}?mode=ro", uri=True)) as database:
                return int(database.execute("SELECT count(*) FROM cases").fetchone()[0])
        except sqlite3.Error:  # it is being made
            return 0

    def _say(self, line: str) -> None:
        print(f"... {line}", file=sys.stderr, flush=True)


def prepare(options: argparse.Namespace, folder: Path, url: str) -> Path:
    """Write set and config, and return the config."""
    scenarios = [scenario.id for scenario in load_taxonomy().scenarios]
    with (folder / "queries.jsonl").open("w") as file:
        for number in range(options.cases):
            query = {
                "id": f"q{number:06}",
                "scenario": scenarios[number % len(scenarios)],
                "text": f"Question {number}: what should a person know about this topic, and "
                "which part of it would be wrong to help with? Answer in a few sentences.",
                "intent": "harmful",
            }
            file.write(json.dumps(query) + "\n")
    model = {"base_url": url, "model": "scripted", "api_key_env": VARIABLE}
    config = {
        "dataset": "queries.jsonl",
        "targets": [{"name": "scripted", **model}],
        "jury": {
            "protocol": options.protocol,
            "jurors": [{"persona": persona, **model} for persona in PERSONAS],
        },
        "limits": {"concurrency": options.in_flight, "outage_patience": 60},
        "run": {"directory": str(folder / "runs"), "name": "soak"},
    }
    path = folder / "soak.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def stats_of(url: str) -> dict[str, int]:
    """Return what the server counted: calls, and replies that it gave."""
    with urlopen(f"{url}/stats") as answer:
        stats = json.load(answer)
    lost = sum(stats["faults"].get(fault, 0) for fault in UNPAID)
    replies = stats["statuses"].get("200", 0) - lost
    failed = sum(stats["faults"].values())
    rejected = stats["statuses"].get("401", 0)
    return {
        "calls": stats["calls"],
        "replies": replies,
        "failed": failed,
        "rejected": rejected,
        "in_flight": stats["peak_in_flight"],
    }


def joined(
    samples: Path, finished: Sequence[tuple[float, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield samples of a process, each with the number of cases finished until then."""
    at = 0
    for line in samples.read_text().splitlines() if samples.exists() else ():
        when, kb, descriptors, tasks = line.split()
        while at + 1 < len(finished) and finished[at + 1][0] <= float(when):
            at += 1
        if finished and finished[at][1] > finished[0][1]:  # what comes before is its start
            yield finished[at][1], int(kb), int(descriptors), int(tasks)


def slope(points: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the MB that 10,000 cases add, and the standard error of that."""
    count = len(points)
    mean_x, mean_y = (sum(point[at] for point in points) / count for at in (0, 1))
    across = sum((x - mean_x) ** 2 for x, _ in points) or 1.0
    steep = sum((x - mean_x) * (y - mean_y) for x, y in points) / across
    rest = sum((y - mean_y - steep * (x - mean_x)) ** 2 for x, y in points)
    error = (rest / max(1, count - 2) / across) ** 0.5
    return steep * 10_000 / 1024, error * 10_000 / 1024


def took(command: str, run: Path) -> tuple[float, float, int]:
    """Return the CPU and wall seconds of a command on the run, and its exit code."""
    before, started = os.times(), time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "safejury", command, str(run)],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return cpu, time.perf_counter() - started, ended.returncode


def show(
    options: argparse.Namespace, run: Path, lives: Sequence[Life], stats: dict[str, int]
) -> int:
    """Print the table, and return 1 where something is not as it must be."""
    rows = list[tuple[str, str, str, bool | None]]()
    cases = options.cases
    longest = max(lives, key=lambda life: len(life.samples))
    steady = [sample[:2] for sample in longest.samples[len(longest.samples) // 5 :]]
    steep, error = slope(steady) if len(steady) > 2 else (0.0, 0.0)
    span = steady[-1][0] - steady[0][0] if steady else 0
    peak = max(kb for life in lives for _, kb, *_ in life.samples) / 1024
    added = f"memory that 10,000 cases add, over {span:,} cases of one process"
    goal, met = "within 2 standard errors, or 1 MB", steep <= max(2 * error, 1.0)
    rows.append((f"{added} (peak {peak:.0f} MB)", f"{steep:+.2f} ± {error:.2f} MB", goal, met))
    for at, what in ((2, "descriptors"), (3, "tasks")):
        held = [sample[at] for sample in longest.samples]
        fifth = max(1, len(held) // 5)
        first, last = (max(part, default=0) for part in (held[fifth : 2 * fifth], held[-fifth:]))
        said, met = f"{what}, at most, in the last / the second fifth", last <= first * 1.1 + 5
        rows.append((said, f"{last} / {first}", "as many", met))
    size = sum(file.stat().st_size for file in run.glob("record.sqlite*")) / 1024 / cases
    rows.append(("record, a case", f"{size:.2f} kB", "at most 7", size <= 7))
    for command, most in (("report", 5.0), ("verify", None)):
        cpu, wall, code = took(command, run)
        met = None if most is None else wall < most
        goal = "" if most is None else f"under {most:g} s by the clock for 100,000"
        said = f"{wall:.1f} s (CPU {cpu:.1f}, processes that help included)"
        rows.append((f"`safejury {command}`, {cases:,} cases", said, goal, met and code == 0))
    resumed = [life.first_call for life in lives[1:] if life.first_call is not None]
    said = ", ".join(f"{seconds:.1f}" for seconds in resumed) + " s"
    what = "the same command until its first call, after each end"
    rows.append((what, said, "under 5 s", max(resumed) < 5))
    rows += accounts(options, run, lives, stats)
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    for what, said, goal, met in rows:
        print(f"| {what} | {said} | {goal} | {'' if met is None else 'yes' if met else '**no**'} |")
    for life in lives:
        print(f"<!-- {life.ended}: exit code {life.code}: {life.said} -->")
    return int(any(met is False for *_, met in rows))


def accounts(
    options: argparse.Namespace, run: Path, lives: Sequence[Life], stats: dict[str, int]
) -> Iterator[tuple[str, str, str, bool | None]]:
    """Yield whether all is there that must be, once."""
    with closing(sqlite3.connect(run / "record.sqlite")) as database:

        def one(query: str) -> int:
            return int(database.execute(query).fetchone()[0] or 0)

        cases, verdicts = one("SELECT count(*) FROM cases"), one("SELECT count(finding) FROM cases")
        opened = one("SELECT count(*) FROM entries WHERE kind = 'CaseOpened'")
        ended = one("SELECT count(*) FROM entries WHERE kind = 'VerdictAnnounced'")
        ballots = one(
            "SELECT sum(json_array_length(body, '$.ballots')) FROM entries "
            "WHERE kind = 'BallotsRevealed'"
        )
        lost = one(
            "SELECT count(*) FROM entries, json_each(body, '$.ballots') "
            "WHERE kind = 'BallotsRevealed' AND json_extract(value, '$.outcome') != 'verdict'"
        )
        rounds = one("SELECT sum(json_extract(result, '$.rounds')) FROM cases")
        kept = one("SELECT count(*) FROM calls")
        charged = one("SELECT count(*) FROM charges WHERE kind = 'estimated'")
        open_ = one("SELECT count(*) FROM charges WHERE kind = 'open'")
    wanted = options.cases
    whole = cases == opened == ended == wanted
    said = f"{cases:,}, {opened:,}, {ended:,} / {wanted:,}"
    yield "cases finished, opened, ended / asked", said, "each once", whole
    said = f"{verdicts:,}; {ballots:,} ballots, {lost:,} without a vote"
    whole = verdicts == wanted and ballots == rounds * len(PERSONAS) and not lost
    yield "verdicts, and ballots of all rounds", said, "all", whole
    gone, kills = stats["replies"] - kept, sum(life.ended == "killed" for life in lives)
    most = kills * (options.in_flight + 100)
    failed = f"{stats['failed']:,} of {stats['calls']:,} calls failed"
    what = f"replies of the server / in the record ({failed}, {stats['rejected']:,} by their key)"
    said = f"{stats['replies']:,} / {kept:,}"
    goal = f"apart by no more than calls under way and a group of rows a kill ({most:,})"
    yield what, said, goal, 0 <= gone <= most
    what = "calls charged by estimate / replies lost and calls that failed"
    yield what, f"{charged:,} / {gone + stats['failed']:,}", "", None
    yield "charges held by nobody", f"{open_}", "none", open_ == 0
    codes = [life.code for life in lives]
    wanted_codes = [{"killed": -9, "key replaced": 3, "finished": 0}[life.ended] for life in lives]
    yield (
        "exit codes",
        ", ".join(map(str, codes)),
        ", ".join(map(str, wanted_codes)),
        (codes == wanted_codes),
    )


if __name__ == "__main__":
    main()
