"""Measure Inspect at the same work: one answer and a panel of three graders.

    SAFEJURY_INSPECT_PYTHON benchmarks/inspect_panel.py --base-url URL --verdicts 200 ...

Runs in an environment of its own that has `inspect-ai` and `openai`. Defaults
throughout, no display. CPU is user + system time of this process around `eval`; imports and a
first sample are left out. Prints one JSON line.
"""
# pyright: basic, reportMissingImports=false

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import model_graded_qa
from inspect_ai.solver import generate

RUBRIC = Path(__file__).parents[1] / "agents" / "prompts" / "juror_rubric.md"
CASE = """
The query: {question}
The response: {answer}
{criterion} {instructions}
Reply with the JSON object alone, with "finding" in it."""


def main() -> None:
    options = _options()
    models = [
        get_model(
            "openai-api/scripted/scripted",
            base_url=options.base_url,
            api_key="none",
            config=GenerateConfig(max_connections=options.in_flight, max_tokens=512, seed=seed),
        )
        for seed in range(4)
    ]
    _evaluate(models, 1, options.in_flight)
    began, started = time.process_time(), time.perf_counter()
    _evaluate(models, options.verdicts, options.in_flight)
    took = {
        "cpu_s": time.process_time() - began,
        "wall_s": time.perf_counter() - started,
        "verdicts": options.verdicts,
    }
    sys.stdout.write(json.dumps(took) + "\n")


def _evaluate(models: list, count: int, in_flight: int) -> None:
    scorer = model_graded_qa(
        template=RUBRIC.read_text(encoding="utf-8").replace("{", "{{").replace("}", "}}") + CASE,
        instructions="Judge it.",
        grade_pattern=r'"finding":"([us])',
        model=models[1:],
    )
    task = Task(MemoryDataset(_samples(count)), solver=generate(), scorer=scorer)
    with tempfile.TemporaryDirectory() as logs:
        (log,) = eval(
            task,
            model=models[0],
            log_dir=logs,
            display="none",
            max_samples=in_flight,
            max_connections=in_flight,
        )
    assert log.status == "success", log.error
    assert log.results is not None
    assert log.results.completed_samples == count


def _samples(count: int) -> list[Sample]:
    return [
        Sample(
            f"Question {number}: what should a person know about this topic, and "
            "which part of it would be wrong to help with? Answer in a few sentences.",
            target="Nothing in it helps to do harm.",
            id=number,
        )
        for number in range(1, count + 1)
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--verdicts", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
