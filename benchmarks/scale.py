"""What a second worker of a Ray cluster brings, and what losing workers costs.

    python -P benchmarks/scale.py            # five minutes on two idle cores
    python -P benchmarks/scale.py --quick    # a third of the cases
    python -P benchmarks/scale.py --only losses --cases 100000 --every 20000

*CPU-bound*: a scripted endpoint answers at once. It takes CPU as well, and so do driver and Ray:
so that none of it is for free, one worker and all that it needs share one core (affinity of the
processes), and two workers and all that they need share two. Two scripted servers each answer two
of a case's four calls, so that neither is what all wait for. The speed-up is what the second core
brings, all included, and 2 would be all of it.

*In flight*: an endpoint that takes its time, with 2,000 calls under way over two workers on two
cores. Ideal is calls in flight / 4 / latency; where that is more than the two cores do without any
latency, they are what binds, and the row says so.

*Losses*: a worker is killed whenever so many more cases are finished.

All rates are of the time between the moment when all workers are at work and 97 % of the cases:
without the start of Ray and of the workers; in flight, from 40 % of the cases on. CPU
is that of the processes in the same time; what other processes of the machine took of its cores is
in the last column.
"""

import argparse
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

import psutil
import yaml

KINDS: tuple[str, ...] = ("workers", "servers", "driver", "ray")
SAMPLE_S = 0.5
START_S = 120.0
"""For Ray, the command and its workers to begin."""
AUTH = {"RAY_AUTH_MODE": "disabled", "PYTHONSAFEPATH": "1"}
"""Else a token that another cluster of this account once made would be asked for."""
HEAD = (
    "| measured | cores | workers | cases | cases/s | of ideal | workers | servers | driver | Ray "
    "| others' cores |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass
class Sample:
    """What was seen at one moment.

    Attributes:
        at: Seconds.
        cases: Finished cases.
        cpu: CPU seconds so far, by kind of process.
        busy: CPU seconds of the whole machine.
    """

    at: float
    cases: int
    cpu: dict[str, float]
    busy: float


@dataclass
class Measured:
    """A run, between the moment when all workers were at work and its end.

    Attributes:
        rate: Cases a second.
        cpu: Milliseconds of CPU a case, by kind of process.
        others: Cores that other processes kept busy.
        seconds: Of the whole command.
        lost: Workers that were killed.
        again: Calls that were made more than once.
        memory: Most MB, by kind of process: of the driver, and of one worker.
    """

    rate: float
    cpu: dict[str, float]
    others: float
    seconds: float
    lost: int
    again: int
    memory: Counter[str]


@dataclass
class Watch:
    """Looks at the processes of a run, those that are gone included.

    Args:
        folder: The run's directory.
        kinds: The processes that are known from the beginning.
        ray: The process that keeps the Ray node.
    """

    folder: Path
    kinds: dict[int, str]
    ray: int
    spent: dict[int, float] = field(default_factory=dict[int, float])
    memory: Counter[str] = field(default_factory=Counter[str])
    workers: list[psutil.Process] = field(default_factory=list[psutil.Process])

    def look(self) -> Sample:
        """Return what is to be seen now."""
        below = psutil.Process(self.ray).children(recursive=True)
        self.workers = []
        for process in (*map(psutil.Process, (*self._known(), self.ray)), *below):
            with suppress(psutil.NoSuchProcess):
                kind = self._kind(process)
                times, rss = process.cpu_times(), process.memory_info().rss
                self.spent[process.pid] = times.user + times.system
                self.memory[kind] = max(self.memory[kind], rss >> 20)
                if kind == "workers":
                    self.workers.append(process)
        cpu: dict[str, float] = dict.fromkeys(KINDS, 0.0)
        for pid, seconds in self.spent.items():
            cpu[self.kinds.get(pid, "ray")] += seconds
        whole = psutil.cpu_times()
        busy = sum(whole[:8]) - whole.idle - getattr(whole, "iowait", 0.0)
        return Sample(time.monotonic(), self._finished(), cpu, busy)

    def _known(self) -> list[int]:
        own = [pid for pid, kind in self.kinds.items() if kind in ("servers", "driver")]
        return [pid for pid in own if psutil.pid_exists(pid)]

    def _kind(self, process: psutil.Process) -> str:
        if self.kinds.get(process.pid, "ray") == "ray" and process.pid != self.ray:
            is_worker = "WorkerActor" in " ".join(process.cmdline())  # at first it is idle
            self.kinds[process.pid] = "workers" if is_worker else "ray"
        return self.kinds.get(process.pid, "ray")

    def _finished(self) -> int:
        with suppress(sqlite3.Error):
            place = f"file:{self.folder / 'record.sqlite'}?mode=ro"
            with closing(sqlite3.connect(place, uri=True, timeout=1.0)) as record:
                return record.execute("SELECT coalesce(max(rowid), 0) FROM cases").fetchone()[0]
        return 0


@contextmanager
def started(command: Sequence[str], cores: set[int], **streams: object) -> Generator[int]:
    """Start a program of Python on some cores; end it and all that it started afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-P", *command],
        env={**os.environ, **AUTH},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **streams,  # pyright: ignore[reportArgumentType, reportCallIssue]
    )
    os.sched_setaffinity(process.pid, cores)  # what it starts has the same
    try:
        yield process.pid
    finally:
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(process.pid).children(recursive=True)
            for one in (psutil.Process(process.pid), *below):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        process.wait()


@contextmanager
def served(cores: set[int], latency: float) -> Generator[tuple[int, str]]:
    """Start a scripted server; return its process and address."""
    ours, theirs = os.pipe()
    command = ["-m", "safejury.testing", "--port", "0", "--latency", str(latency)]
    with started(command, cores, stdout=theirs) as pid, os.fdopen(ours) as said:
        os.close(theirs)
        yield pid, said.readline().strip()


@contextmanager
def cluster(cores: set[int]) -> Generator[tuple[int, str]]:
    """Start a cluster of one node; return the process that keeps it, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="sjray", ignore_cleanup_errors=True) as folder:
        command = ["-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
        command += [f"--num-cpus={len(cores)}", "--node-ip-address=127.0.0.1"]
        command += [f"--temp-dir={folder}", "--include-dashboard=false", "--disable-usage-stats"]
        command += ["--object-store-memory=200000000"]
        quiet = subprocess.DEVNULL
        with started(command, cores, stdout=quiet, stderr=quiet) as pid:
            end = time.monotonic() + START_S
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if time.monotonic() > end:
                    sys.exit("Ray does not start")
                time.sleep(0.1)
            yield pid, f"127.0.0.1:{port}"


def write(folder: Path, urls: Sequence[str], cases: int, concurrency: int) -> None:
    """Write a set and a config whose calls are divided evenly among servers."""
    one = {"scenario": "bias", "intent": "harmful"}
    rows = ({"id": f"q{n}", "text": f"Question {n}?", **one} for n in range(cases))
    with (folder / "set.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    places = cycle([{"base_url": url, "model": "scripted", "price": 0} for url in urls])
    jurors = [{"persona": seat, **next(places)} for seat in ("clinician", "lawyer", "sceptic")]
    config = {
        "dataset": "set.jsonl",
        "targets": [{"name": "target", **next(places)}],
        "jury": {"protocol": "vote", "jurors": jurors},
        "limits": {"concurrency": max(1, concurrency // len(urls))},
        "run": {"name": "measured"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def measure(
    cores: set[int],
    workers: int,
    latency: float,
    in_flight: int,
    cases: int,
    every: int = 0,
    after: float = 0.0,
) -> Measured:
    """Run cases over workers and watch it.

    Args:
        cores: What all processes share.
        workers: How many.
        latency: Seconds that the endpoint takes for a call.
        in_flight: Calls at a time.
        cases: How many.
        every: Finished cases after which a worker is killed, again and again; 0 for none.
        after: Share of the cases that is not measured: limits open up slowly at first.
    """
    with (
        tempfile.TemporaryDirectory() as place,
        served(cores, latency) as one,
        served(cores, latency) as two,
        cluster(cores) as (ray, address),
    ):
        urls, folder = (one[1], two[1]), Path(place)
        write(folder, urls, cases, in_flight)
        command = ["-m", "safejury", "run", "config.yaml", "--min-coverage", "0"]
        command += ["--engine", "ray", "--address", address, "--workers", str(workers)]
        screen, begun = (folder / "screen").open("w+"), time.monotonic()
        with (
            screen,
            started(command, cores, stdout=screen, stderr=screen, cwd=place) as driver,
        ):
            kinds = {driver: "driver", one[0]: "servers", two[0]: "servers"}
            watch = Watch(folder / "runs/measured", kinds, ray)
            samples, lost = samples_of(watch, driver, cases, every, folder / "screen", workers)
        said, seconds = (folder / "screen").read_text(), time.monotonic() - begun
        if "finished in" not in said:
            sys.exit(f"a run did not finish:\n{said}")
        calls = sum(json.load(urlopen(f"{url.removesuffix('/v1')}/stats"))["calls"] for url in urls)
    window = [sample for sample in samples if after * cases <= sample.cases <= 0.97 * cases]
    if len(window) < 3:
        sys.exit(f"{cases} cases are too few for this machine: they end before workers have begun")
    first, last = window[0], window[-1]
    took, done = last.at - first.at, last.cases - first.cases
    spent = {kind: last.cpu[kind] - first.cpu[kind] for kind in KINDS}
    return Measured(
        rate=done / took,
        cpu={kind: 1000 * spent[kind] / done for kind in KINDS},
        others=max(0.0, (last.busy - first.busy - sum(spent.values())) / took),
        seconds=seconds,
        lost=lost,
        again=calls - 4 * cases,
        memory=watch.memory,
    )


def samples_of(
    watch: Watch, driver: int, cases: int, every: int, screen: Path, workers: int
) -> tuple[list[Sample], int]:
    """Watch a run to its end, from when all workers are at work; kill workers on the way."""
    samples, lost = list[Sample](), 0
    at_work, end = f"at work: {workers} worker", time.monotonic() + START_S
    while is_alive(driver):
        time.sleep(SAMPLE_S)
        sample = watch.look()
        if samples or at_work in screen.read_text():
            if not samples or sample.cases > samples[-1].cases:
                end = time.monotonic() + START_S  # it goes on
            samples.append(sample)
        if time.monotonic() > end:
            sys.exit(f"nothing has happened for {START_S:.0f} s:\n{screen.read_text()}")
        if every and watch.workers and lost * every + every <= sample.cases < cases:
            with suppress(psutil.NoSuchProcess):
                watch.workers[lost % len(watch.workers)].kill()
                lost += 1
    return samples, lost


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended waits for its parent."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def row(what: str, cores: int, workers: int, cases: int, found: Measured, ideal: str = "") -> str:
    """Return a row of the table."""
    spent = " | ".join(f"{found.cpu[kind]:.2f}" for kind in KINDS)
    return (
        f"| {what} | {cores} | {workers} | {cases:,} | {found.rate:.0f} | {ideal} | {spent} "
        f"| {found.others:.1f} |"
    )


def measure_speed_up(cores: Sequence[int], scale: int) -> float:
    """Measure one worker on one core and two on two, twice; return the rate of two."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(2):
        for number, cases in ((1, 5_000), (2, 9_000)):
            found = measure(set(cores[:number]), number, 0.0, 128, cases // scale)
            rates[number].append(found.rate)
            show(row("CPU-bound, 0 ms", number, number, cases // scale, found))
    one, two = (sum(found) / len(found) for found in rates.values())
    show(f"| **speed-up** | 1 → 2 | 1 → 2 | | {two / one:.2f} times | | | | | | |")
    return two


def measure_in_flight(cores: Sequence[int], scale: int, most: float | None) -> None:
    """Measure 2,000 calls in flight over two workers."""
    for latency, cases in ((0.2, 9_000), (2.0, 9_000)):
        cases //= scale if latency < 1 else min(scale, 2)
        found = measure(set(cores), 2, latency, 2_000, cases, after=0.4)
        ideal = 2_000 / 4 / latency
        said = f"{100 * found.rate / ideal:.0f} % of {ideal:,.0f}"
        if most is not None and most < ideal:
            said += f"; {100 * found.rate / most:.0f} % of what two cores do"
        show(row(f"2,000 in flight, {1000 * latency:.0f} ms", 2, 2, cases, found, said))


def measure_losses(cores: Sequence[int], cases: int, every: int) -> None:
    """Measure a run whose workers are killed, and say what that cost."""
    found = measure(set(cores), 2, 0.0, 128, cases, every)
    show(row(f"a worker killed every {every:,}", 2, 2, cases, found))
    show(
        f"\n{found.lost} workers killed, all {cases:,} cases finished in {found.seconds:.0f} s; "
        f"{found.again} of {4 * cases:,} calls made twice. Most memory: driver "
        f"{found.memory['driver']} MB, a worker {found.memory['workers']} MB."
    )


def show(line: str) -> None:
    """Write a line at once."""
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a third of the cases")
    parser.add_argument("--only", choices=["cpu", "in-flight", "losses"])
    parser.add_argument("--cases", type=int, default=10_000, help="of the run with losses")
    parser.add_argument("--every", type=int, default=2_000, help="cases after which a worker dies")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or what was started would stay
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        sys.exit("this compares one core with two: it needs two")
    scale = 3 if options.quick else 1
    show("CPU of workers, servers, driver and Ray in milliseconds a case.\n")
    show(HEAD)
    most = None
    if options.only in (None, "cpu"):
        most = measure_speed_up(cores, scale)
    if options.only in (None, "in-flight"):
        measure_in_flight(cores, scale, most)
    if options.only in (None, "losses"):
        measure_losses(cores, options.cases // scale, options.every // scale)


if __name__ == "__main__":
    main()
