"""Measure runs with pictures: `python benchmarks/pictures.py [--quick]`.

Pictures of noise, 1.05 MB each, of which every case shows its own or all share sixteen: CPU a
verdict beside that of a bare client which does the same with each picture, the memory at few and at
many calls in flight, and how long the event loop is held up where pictures have 20 MB. CPU is that
of the run, without reading the set, which decodes each picture once: it has a row of its own. The
model is a scripted server in a process of its own, whose CPU is not counted.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from statistics import median
from typing import cast

from ours import measure
from PIL import Image
from run import Row, Took, server

from safejury.evaluation import runner

HERE = Path(__file__).parent
SIDE, LARGE_SIDE = 592, 2582
SHARED = 16
_TICK_S = 0.002


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and less exact")
    parser.add_argument("--gaps", nargs=2, help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.gaps:
        sys.stdout.write(json.dumps(_gaps(*options.gaps)) + "\n")
        return
    verdicts, rounds = (200, 1) if options.quick else (600, 3)
    print(f"load when it began {os.getloadavg()[0]:.1f}\n")
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as name, server() as url:
        own, shared, large = (Path(name) / part for part in ("own", "shared", "large"))
        draw(own, verdicts, SIDE)
        draw(shared, SHARED, SIDE)
        draw(large, 8, LARGE_SIDE)
        for row in (*_cpu(url, verdicts, rounds, own, shared), *_memory(url, verdicts, own)):
            print(row, flush=True)
        print(_held_up(url, large), flush=True)


def draw(folder: Path, number: int, side: int) -> None:
    """Save pictures of noise, which no format makes smaller."""
    folder.mkdir()
    for one in range(number):
        picture = Image.frombytes("RGB", (side, side), os.urandom(3 * side**2))
        picture.save(folder / f"noise{one:04}.png", compress_level=1)


def _cpu(url: str, verdicts: int, rounds: int, own: Path, shared: Path) -> list[Row]:
    jobs = {
        "text": ("ours.py", None),
        "own": ("ours.py", own),
        "shared": ("ours.py", shared),
        "floor": ("pictures_floor.py", own),
    }
    took: dict[str, list[float]] = {name: [] for name in jobs}
    read: list[float] = []
    for _ in range(rounds):
        for name, (script, images) in jobs.items():
            one = _run(script, url, verdicts, 32, images)
            spent = one["cpu_s"] - one.get("set_up_cpu_s", 0.0)
            took[name].append(1000 * spent / verdicts)
            if name == "own":
                read.append(1000 * one["set_up_cpu_s"] / verdicts)
    own_ms, floor_ms = median(took["own"]), median(took["floor"])
    goal = "at most 6 ms"
    return [
        Row("floor: four exchanges with a picture by a bare client", _said(took["floor"])),
        Row("safejury, a verdict without pictures", _said(took["text"])),
        Row("a verdict, each with a picture of its own", _said(took["own"]), goal, own_ms <= 6),
        Row(
            f"a verdict, {SHARED} pictures shared by all",
            _said(took["shared"]),
            goal,
            median(took["shared"]) <= 6,
        ),
        Row("safejury / floor, a picture of its own", f"{own_ms / floor_ms:.1f}"),
        Row("reading the set, a picture", _said(read)),
    ]


def _memory(url: str, verdicts: int, own: Path) -> list[Row]:
    peaks = {calls: _run("ours.py", url, verdicts, calls, own)["peak_mb"] for calls in (4, 32, 200)}
    figure = " / ".join(f"{peak:.0f}" for peak in peaks.values())
    what = "peak memory with 4 / 32 / 200 calls in flight, each case with its own picture"
    return [Row(what, f"{figure} MB", "at most 300 MB", peaks[200] <= 300)]


def _held_up(url: str, large: Path) -> Row:
    took = cast(Took, json.loads(_output("pictures.py", "--gaps", url, str(large))))
    what = f"longest time that the event loop was held up, pictures of {took['mb']:.0f} MB"
    return Row(what, f"{took['cpu_ms']:.0f} ms of CPU, {took['wall_ms']:.0f} by the clock")


def _gaps(url: str, folder: str) -> Took:
    """Run with pictures while a tick tells how long it was kept from its turn."""
    longest = [0.0, 0.0]

    async def tick() -> None:
        while True:
            clock, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK_S)
            longest[0] = max(longest[0], time.perf_counter() - clock - _TICK_S)
            longest[1] = max(longest[1], time.thread_time() - cpu)

    original = runner.Stage.put

    async def put(self: runner.Stage, *arguments: object) -> object:
        # The first case starts the tick: what comes before is no part of a run's work.
        if not ticking:
            ticking.append(asyncio.ensure_future(tick()))
        return await original(self, *arguments)  # pyright: ignore[reportArgumentType]

    ticking = list[asyncio.Future[None]]()
    runner.Stage.put = put  # pyright: ignore[reportAttributeAccessIssue]
    images = Path(folder)
    options = Namespace(
        images=images, verdicts=16, in_flight=8, base_url=url, protocol="vote", litellm=None
    )
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as place:
        measure(options, Path(place))
    size = next(images.iterdir()).stat().st_size / 1e6
    return {"mb": size, "wall_ms": 1000 * longest[0], "cpu_ms": 1000 * longest[1]}


def _run(script: str, url: str, verdicts: int, in_flight: int, images: Path | None) -> Took:
    more = () if images is None else ("--images", str(images))
    counts = ("--verdicts", str(verdicts), "--in-flight", str(in_flight))
    return cast(Took, json.loads(_output(script, "--base-url", url, *counts, *more)))


def _output(script: str, *arguments: str) -> str:
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[-1]


def _said(values: list[float]) -> str:
    return f"{median(values):.2f} ms ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
