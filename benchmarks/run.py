"""Print the table of benchmarks: `python benchmarks/run.py [--quick]`.

Everything runs on this machine, against a scripted server in a process of its own
whose CPU is not counted. Compare figures within one table only.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import cast

from PIL import Image

HERE = Path(__file__).parent
LATENCY_S = 0.2
IN_FLIGHT = 200
UNSAFE = 0.113  # of ballots: three jurors then differ in three of ten cases
PICTURES = 16
PICTURE_SIDE = 592  # pixels of noise, which no format makes smaller: 1.05 MB

AUDIT = """
import sys
def refuse(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.sendto")):
        raise SystemExit(f"network: {event} {arguments}")
sys.addaudithook(refuse)
import safejury
from safejury.cli import app
"""
IMPORT = """
import time
started = time.perf_counter()
import safejury
print(time.perf_counter() - started)
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the measured runs."""

    rounds: int
    verdicts: int
    inspect_rounds: int
    inspect_verdicts: int
    waiting_rounds: int
    waiting_verdicts: int
    few_cases: int
    many_cases: int


FULL = Sizes(5, 2000, 2, 300, 3, 4000, 500, 8000)
QUICK = Sizes(3, 600, 1, 100, 1, 2000, 250, 1000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return f"| {self.what} | {self.figure} | {self.goal} | {met} |"


Took = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and less exact")
    sizes = QUICK if parser.parse_args().quick else FULL
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    rows = [*_cpu(sizes), *_waiting(sizes), *_memory(sizes), *_front_door()]
    print(f"{_machine()}; load when it began {load:.1f}\n")
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    print("\n".join(map(str, rows)))


def _cpu(sizes: Sizes) -> Iterator[Row]:
    """Measure CPU per verdict against the floor and Inspect, in interleaved rounds."""
    inspect = _inspect_python()
    floor: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    contested: list[tuple[Took, Took]] = []
    talks = ("--protocol", "contested")
    with server("--unsafe", str(UNSAFE)) as url:
        for number in range(sizes.rounds):
            _say(f"CPU per verdict, round {number + 1} of {sizes.rounds}")
            floor.append(_ms_per_verdict(_run("floor.py", url, sizes.verdicts, 100)))
            ours.append(_ms_per_verdict(_run("ours.py", url, sizes.verdicts, 100)))
            bare = _run("floor.py", url, sizes.verdicts, 100, *talks)
            contested.append((bare, _run("ours.py", url, sizes.verdicts, 100, *talks)))
            if inspect and number < sizes.inspect_rounds:
                count = sizes.inspect_verdicts
                theirs.append(
                    _ms_per_verdict(_run("inspect_panel.py", url, count, 100, python=inspect))
                )
    ratio = median(our / bare for our, bare in zip(ours, floor, strict=True))
    yield Row("floor: the four exchanges by a bare client, CPU per verdict", _spread(floor))
    yield _cpu_row("safejury, direct path, CPU per verdict", ours, 1.2)
    yield Row("safejury / floor", f"{ratio:.1f}", "at most 11", ratio <= 11)
    yield from _contested(contested)
    if not theirs:
        yield Row("Inspect, CPU per verdict", "not installed")
        return
    lead = median(their / our for their, our in zip(theirs, ours, strict=False))
    yield Row("Inspect, an answer and three graders, CPU per verdict", _spread(theirs))
    yield Row("Inspect / safejury", f"{lead:.0f}", "at least 35", lead >= 35)


def _contested(rounds: Sequence[tuple[Took, Took]]) -> Iterator[Row]:
    """Measure verdicts of jurors who discuss and vote again where they differ."""
    floor = [_ms_per_verdict(bare) for bare, _ in rounds]
    ours = [_ms_per_verdict(our) for _, our in rounds]
    ratio = median(our / bare for our, bare in zip(ours, floor, strict=True))
    calls = " and ".join(f"{took['calls'] / took['verdicts']:.1f}" for took in rounds[0])
    yield Row("floor, contested, CPU per verdict", f"{_spread(floor)}")
    yield _cpu_row("safejury, contested, CPU per verdict", ours, 1.9)
    yield Row(
        f"safejury / floor, contested ({calls} calls a verdict)",
        f"{ratio:.1f}",
        "at most 11",
        ratio <= 11,
    )


def _cpu_row(what: str, values: list[float], most_ms: float) -> Row:
    return Row(what, _spread(values), f"at most {most_ms} ms", median(values) <= most_ms)


def _inspect_python() -> str | None:
    """Return an interpreter with Inspect: the configured one, else this one if it has it."""
    named = os.environ.get("SAFEJURY_INSPECT_PYTHON")
    here = all(find_spec(package) is not None for package in ("inspect_ai", "openai"))
    return named or (sys.executable if here else None)


def _waiting(sizes: Sizes) -> Iterator[Row]:
    """Measure the share of time in which a run only waits for the model."""
    ideal = 4 * sizes.waiting_verdicts * LATENCY_S / IN_FLIGHT
    ours: list[float] = []
    floor: list[float] = []
    with server("--latency", str(LATENCY_S)) as url:
        for number in range(sizes.waiting_rounds):
            _say(f"200 ms, {IN_FLIGHT} in flight, round {number + 1} of {sizes.waiting_rounds}")
            for script, shares in (("ours.py", ours), ("floor.py", floor)):
                took = _run(script, url, sizes.waiting_verdicts, IN_FLIGHT)
                shares.append(ideal / took["wall_s"])
    share = median(ours)
    yield Row(
        f"ideal / wall time, {sizes.waiting_verdicts} verdicts at 200 ms, {IN_FLIGHT} in flight",
        f"{share:.1%} ({min(ours):.1%} to {max(ours):.1%}; the floor {median(floor):.1%})",
        "at least 97 %",
        share >= 0.97,
    )


def _memory(sizes: Sizes) -> Iterator[Row]:
    """Measure the peak memory of a small and a large run with pictures."""
    peaks: list[float] = []
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as folder, server() as url:
        for number in range(PICTURES):
            noise = os.urandom(3 * PICTURE_SIDE**2)
            picture = Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), noise)
            picture.save(Path(folder) / f"noise{number:02}.png")
        for cases in (sizes.few_cases, sizes.many_cases):
            _say(f"memory of {cases} cases with pictures of 1 MB")
            peaks.append(_run("ours.py", url, cases, 32, "--images", folder)["peak_mb"])
    few, many = peaks
    yield Row(
        f"peak memory, {sizes.many_cases} / {sizes.few_cases} cases with 1 MB pictures "
        f"({PICTURES} files; each request carries one)",
        f"{many / few:.2f} ({many:.0f} / {few:.0f} MB)",
        "at most 1.15",
        many / few <= 1.15,
    )


def _front_door() -> Iterator[Row]:
    """Measure start-up times."""
    _say("start-up")
    help_s = min(_wall([_script(), "--help"]) for _ in range(5))
    yield Row("`safejury --help`, best of 5", f"{help_s:.2f} s", "under 0.3 s", help_s < 0.3)
    import_s = min(float(_output([sys.executable, "-c", IMPORT])) for _ in range(5))
    yield Row("`import safejury`, best of 5", f"{import_s:.3f} s", "under 0.15 s", import_s < 0.15)
    quiet = subprocess.run([sys.executable, "-c", AUDIT], check=False, capture_output=True)
    said = "none" if quiet.returncode == 0 else quiet.stderr.decode().strip()
    yield Row("network at import", said, "none", quiet.returncode == 0)


@contextmanager
def server(*arguments: str) -> Generator[str]:
    command = [sys.executable, "-m", "safejury.testing", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _run(
    script: str, url: str, verdicts: int, in_flight: int, *more: str, python: str = sys.executable
) -> Took:
    command = [python, str(HERE / script), "--base-url", url, "--verdicts", str(verdicts)]
    output = _output([*command, "--in-flight", str(in_flight), *more])
    return cast(Took, json.loads(output.splitlines()[-1]))


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _wall(command: Sequence[str]) -> float:
    started = time.perf_counter()
    _output(command)
    return time.perf_counter() - started


def _script() -> str:
    return str(Path(sys.executable).with_name("safejury"))


def _ms_per_verdict(took: Took) -> float:
    return 1000 * took["cpu_s"] / took["verdicts"]


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ms ({min(values):.2f} to {max(values):.2f})"


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    try:
        loop = f"uvloop {version('uvloop')}"
    except PackageNotFoundError:
        loop = "asyncio's loop"
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {loop}"


def _say(line: str) -> None:
    print(f"... {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
