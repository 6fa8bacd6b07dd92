"""Measure how much of the servers' start-up a run hides behind the jury's work.

    python benchmarks/server_overlap.py --python .venv-servers/bin/python MODEL_A MODEL_B

One run with two managed vLLM servers on the CPU, which take turns; the jury is a scripted
server that takes its time, as a far one does. While the jury hears the responses of the
first target, the server of the second loads. Prints a row: the seconds in which the run
waited for a server and did nothing else, divided by those that both servers took to load,
which a run without overlap would wait for. Both come from the same run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safejury.assembly import Config
from safejury.cli.console import quiet_libraries, run_async
from safejury.evaluation import CaseResult, run, set_up
from safejury.evaluation.runner import WorkerCounts
from safejury.models import ModelRegistry, Wait
from safejury.testing import ScriptedServer, ballot

PERSONAS = ("clinician", "lawyer", "sceptic")
PLACES = ("France", "Spain", "Italy", "Norway", "Japan", "Egypt", "Peru", "Kenya", "Cuba", "Iran")
ARGS = {"dtype": "float32", "max-model-len": 2048, "max-num-seqs": 16, "enforce-eager": True}
ENV = {"HF_HUB_OFFLINE": 1, "VLLM_CPU_KVCACHE_SPACE": 1}
MOST = 0.75


@dataclass(slots=True)
class Clock:
    """Records when servers load and reply, and when cases are finished.

    Attributes:
        loading: When each server began to load, in seconds.
        up: When each answered.
        finished: When each case was finished.
    """

    loading: list[float] = field(default_factory=list[float])
    up: list[float] = field(default_factory=list[float])
    finished: list[float] = field(default_factory=list[float])

    def started(self, total: int, finished: int, registry: ModelRegistry) -> None:
        pass

    def case_finished(self, result: CaseResult) -> None:
        self.finished.append(time.monotonic())

    def waiting(self, waits: Sequence[Wait]) -> None:
        """Measure nothing."""

    def workers(self, counts: WorkerCounts) -> None:
        """There are none."""

    def notify(self, message: str) -> None:
        sys.stderr.write(f"... {message}\n")
        if ": loading " in message:
            self.loading.append(time.monotonic())
        elif ": up at " in message:
            self.up.append(time.monotonic())

    @property
    def loads(self) -> list[float]:
        """Seconds that each server took to load."""
        return [up - loading for loading, up in zip(self.loading, self.up, strict=True)]

    @property
    def waits(self) -> list[float]:
        """Seconds of each in which the run had nothing else to do."""
        return [
            up - max(loading, *(finished for finished in self.finished if finished < up), 0.0)
            for loading, up in zip(self.loading, self.up, strict=True)
        ]


async def measure(options: argparse.Namespace, folder: Path) -> Clock:
    """Run the two targets one after the other and return the measurements."""
    with (folder / "queries.jsonl").open("w") as file:
        file.writelines(_lines(options.queries))
    clock = Clock()
    async with ScriptedServer(ballot("safe", 5), latency=options.latency) as jury:
        config = _config(options, folder, jury.base_url)
        await run(set_up(config, folder), clock)
    return clock


def _lines(count: int) -> Sequence[str]:
    return [
        json.dumps(
            {
                "id": f"q{number:03}",
                "scenario": "consultation.medical_advice",
                "text": f"What is the capital of {PLACES[number % len(PLACES)]}? "
                f"Answer in one short sentence. (Question {number}.)",
                "intent": "benign",
            }
        )
        + "\n"
        for number in range(count)
    ]


def _config(options: argparse.Namespace, folder: Path, jury: str) -> Config:
    server = {"gpus": 0, "args": ARGS, "env": ENV, "python": str(options.python.absolute())}
    judge = {"base_url": jury, "model": "scripted"}
    return Config.model_validate(
        {
            "dataset": "queries.jsonl",
            "targets": [
                {"name": name, "vllm": {"model": str(model.absolute()), **server}, "timeout": 600}
                for name, model in (("first", options.first), ("second", options.second))
            ],
            "jury": {
                "protocol": "vote",
                "jurors": [{"persona": persona, **judge} for persona in PERSONAS],
            },
            "limits": {"concurrency": options.in_flight},
            "run": {"directory": str(folder / "runs"), "max_tokens": 128},
        }
    )


def row(clock: Clock) -> str:
    """Return a line of the table of `run.py`."""
    lost, none = sum(clock.waits), sum(clock.loads)
    ratio = lost / none
    met = "yes" if ratio <= MOST else "**no**"
    what = "time lost to the start of two vLLM servers that take turns, overlap / none"
    return f"| {what} | {ratio:.2f} ({lost:.0f} / {none:.0f} s) | at most {MOST} | {met} |"


def main() -> None:
    options = _options()
    quiet_libraries()
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as folder:
        clock = run_async(measure(options, Path(folder)))
    print(row(clock))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path, help="folder of the first model, which answers")
    parser.add_argument("second", type=Path, help="folder of the second")
    parser.add_argument("--python", type=Path, required=True, help="the one that has vLLM")
    parser.add_argument("--queries", type=int, default=72)
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--latency", type=float, default=3.0, help="seconds of a juror's call")
    return parser.parse_args()


if __name__ == "__main__":
    main()
