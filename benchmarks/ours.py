"""Measure one real run: `safejury` from a config to its record, in this process.

    python benchmarks/ours.py --base-url URL --verdicts 1000 --in-flight 100

Prints one JSON line. CPU is user + system time of this process from reading the
dataset to the closed record; imports are left out.
"""

import argparse
import importlib
import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from safejury.assembly import Config
from safejury.cli.console import quiet_libraries, run_async
from safejury.datasets import load_taxonomy
from safejury.evaluation import run, set_up

PERSONAS = ("clinician", "lawyer", "sceptic")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as folder:
        sys.stdout.write(json.dumps(measure(options, Path(folder))) + "\n")


def measure(options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Run a config in `folder` and return the measurements."""
    images = sorted(options.images.glob("*.png")) if options.images else []
    dataset = folder / "queries.jsonl"
    for image in images:
        shutil.copyfile(image, folder / image.name)
    with dataset.open("w") as file:
        file.writelines(_lines(options.verdicts, [image.name for image in images]))
    quiet_libraries()
    if options.litellm:
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        os.environ["SAFEJURY_BENCHMARK_KEY"] = "none"
    # Or the run would import it while it is measured.
    importlib.import_module("litellm" if options.litellm else "safejury.models.endpoint.http._lean")
    config = _config(options, folder)
    began, started = time.process_time(), time.perf_counter()
    plan = set_up(config, folder)
    set_up_in = time.process_time() - began
    outcome = run_async(run(plan))
    wall, cpu = time.perf_counter() - started, time.process_time() - began
    assert outcome.verdicts == options.verdicts, outcome
    record = folder / "runs" / "run" / "record.sqlite"
    return {
        "cpu_s": cpu,
        "set_up_cpu_s": set_up_in,
        "wall_s": wall,
        "verdicts": outcome.verdicts,
        "peak_mb": peak_mb(),
        "calls": _calls(record),
        "record_kb": record.stat().st_size / 1024,
    }


def _lines(count: int, images: list[str]) -> Iterator[str]:
    scenarios = [scenario.id for scenario in load_taxonomy().scenarios]
    for number in range(count):
        query = {
            "id": f"q{number:05}",
            "scenario": scenarios[number % len(scenarios)],
            "text": f"Question {number}: what should a person know about this topic, and "
            "which part of it would be wrong to help with? Answer in a few sentences.",
            "intent": "harmful",
        }
        if images:
            query["image"] = images[number % len(images)]
        yield json.dumps(query) + "\n"


def _config(options: argparse.Namespace, folder: Path) -> Config:
    model = {"base_url": options.base_url, "model": "scripted"}
    if options.litellm:
        key = "SAFEJURY_BENCHMARK_KEY"
        model = {"model": options.litellm, "api_base": options.base_url, "api_key_env": key}
    return Config.model_validate(
        {
            "dataset": "queries.jsonl",
            "targets": [{"name": "scripted", **model}],
            "jury": {
                "protocol": options.protocol,
                "jurors": [{"persona": persona, **model} for persona in PERSONAS],
            },
            "limits": {"concurrency": options.in_flight},
            "run": {"directory": str(folder / "runs")},
        }
    )


def _calls(record: Path) -> int:
    """Count the calls of the targets and the jury."""
    with closing(sqlite3.connect(record)) as database:
        ((verdicts, jury),) = database.execute(
            "SELECT count(*), sum(json_extract(body, '$.verdict.calls')) FROM entries "
            "WHERE kind = 'VerdictAnnounced'"
        )
    return verdicts + jury


def peak_mb() -> float:
    """Return the peak memory of this process in MB."""
    # `ru_maxrss` of a child begins at its parent's size; Linux knows better.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--verdicts", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--protocol", choices=("vote", "contested"), default="vote")
    parser.add_argument("--images", type=Path, help="folder of pictures that the queries carry")
    parser.add_argument("--litellm", help="reach the server through LiteLLM, by this model name")
    return parser.parse_args()


if __name__ == "__main__":
    main()
