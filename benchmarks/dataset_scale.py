"""Measure the tools of large sets: `python benchmarks/dataset_scale.py [--quick]`.

Texts: a query file is loaded, refusals and near-duplicates are dropped, all in one process;
one text in ten nearly repeats an earlier one. Pictures: 23,000 (a few hundred files again and
again) are hashed, and decoded by Pillow alone, each by one process a core, in turns. Their
speeds are compared by CPU, which on cores that are kept busy is the same as by the clock, and
does not change when others use them.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import cast

from PIL import Image, ImageDraw

from safejury.common.text import is_refusal
from safejury.datasets import NearDuplicates, load_dataset, picture_hash

DOCS = Path(__file__).parents[1] / "docs"
"""English whose words are drawn as often as they stand there."""
FORMS = (
    "How does somebody {}?",
    "Explain how to {}.",
    "Write a short guide on how to {}.",
    "What happens if people {}?",
)
REFUSAL = "I'm sorry, but I can't help with that."
FILES = 240
SIDE = 512  # pixels
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(_took(options.part, options.path, options.count)))
        return
    share = 10 if options.quick else 1
    print("| measure | figure | goal | met |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        _print_texts(Path(name), 100_000 // share)
        _print_pictures(Path(name), 23_000 // share)


def _print_texts(folder: Path, count: int) -> None:
    path = folder / "texts.jsonl"
    _write_texts(path, count)
    took = _run("texts", path, count)
    what = f"{count:,} texts loaded, refusals and near-duplicates dropped"
    seconds, peak = took["wall_s"], took["peak_mb"]
    print(
        f"| {what} | {seconds:.0f} s ({took['cpu_s']:.0f} s CPU; {took['refusals']:,.0f} refusals, "
        f"{took['near']:,.0f} near-duplicates) | under 60 s | {_met(seconds < 60)} |"
    )
    print(f"| the same, peak memory | {peak:.0f} MB | under 500 MB | {_met(peak < 500)} |")


def _print_pictures(folder: Path, count: int) -> None:
    _draw(folder)
    for suffix in ("png", "jpg"):
        paths = folder / suffix
        rounds = [(_run("decode", paths, count), _run("hash", paths, count)) for _ in range(ROUNDS)]
        ratios = [decode["cpu_s"] / hashed["cpu_s"] for decode, hashed in rounds]
        ratio, hashed = median(ratios), rounds[-1][1]
        print(
            f"| {count:,} pictures ({suffix}, {SIDE} pixels) hashed, speed by Pillow's decoding | "
            f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}; "
            f"{1000 * hashed['cpu_s'] / count:.1f} ms of CPU each) | at least 0.80 | "
            f"{_met(ratio >= 0.8)} |"
        )


def _met(met: bool) -> str:
    return "yes" if met else "**no**"


def _run(part: str, path: Path, count: int) -> dict[str, float]:
    """Measure a part in a separate process, for its own peak memory."""
    given = ("--part", part, "--path", str(path), "--count", str(count))
    done = subprocess.run([sys.executable, __file__, *given], check=True, stdout=subprocess.PIPE)
    return cast("dict[str, float]", json.loads(done.stdout))


def _took(part: str, path: Path, count: int) -> dict[str, float]:
    started = time.perf_counter()
    counted = PARTS[part](path, count)
    own = resource.getrusage(resource.RUSAGE_SELF)
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": own.ru_utime + own.ru_stime + helpers.ru_utime + helpers.ru_stime,
        "peak_mb": max(own.ru_maxrss, helpers.ru_maxrss) / 1024,
        **counted,
    }


def _texts(path: Path, _: int) -> dict[str, float]:
    seen = NearDuplicates()
    refusals = near = 0
    for query in load_dataset(path):
        if is_refusal(query.text):
            refusals += 1
        elif seen.add(query.id, query.text) is not None:
            near += 1
    return {"refusals": refusals, "near": near}


def _hash(folder: Path, count: int) -> dict[str, float]:
    return _by_each_core(picture_hash, folder, count)


def _decode(folder: Path, count: int) -> dict[str, float]:
    return _by_each_core(_decode_one, folder, count)


def _by_each_core(work: Callable[[Path], object], folder: Path, count: int) -> dict[str, float]:
    paths = list(islice(cycle(sorted(folder.iterdir())), count))
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        return {"done": sum(1 for _ in pool.map(work, paths, chunksize=16))}


def _decode_one(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


PARTS = {"texts": _texts, "hash": _hash, "decode": _decode}


def _write_texts(path: Path, count: int) -> None:
    draw = random.Random(11)
    english = " ".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
    words = re.findall("[a-z]{3,}", english.lower())
    recent = ["sing in the rain"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if number % 100 == 99:
                text = REFUSAL
            elif number % 10 == 9:
                told = draw.choice(recent).split()
                told.insert(draw.randrange(len(told)), draw.choice(words))
                text = draw.choice(FORMS).format(" ".join(told))
            else:
                recent = [*recent[-2000:], " ".join(draw.choices(words, k=draw.randint(8, 18)))]
                text = draw.choice(FORMS).format(recent[-1])
            line = {"id": f"q{number}", "scenario": "CS.HS", "text": text, "intent": "harmful"}
            file.write(json.dumps(line) + "\n")


def _draw(folder: Path) -> None:
    for suffix in ("png", "jpg"):
        (folder / suffix).mkdir()
    for number in range(FILES):
        draw = random.Random(number)
        grain = SIDE // 8
        noise = Image.frombytes("RGB", (grain, grain), draw.randbytes(3 * grain * grain))
        image = noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(image)
        for _ in range(12):
            left, top, width = (draw.randrange(SIDE) for _ in range(3))
            pen.ellipse(
                (left, top, left + width, top + width), fill=f"#{draw.randrange(2**24):06x}"
            )
        image.save(folder / "png" / f"{number}.png")
        image.save(folder / "jpg" / f"{number}.jpg", quality=90)


if __name__ == "__main__":
    main()
