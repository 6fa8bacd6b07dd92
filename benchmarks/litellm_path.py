"""Measure verdicts through LiteLLM: `python benchmarks/litellm_path.py [--quick]`.

A real run each, one call to the target and three to jurors, by `base_url` and through two of
LiteLLM's providers: `openai`, which uses OpenAI's client, and `hosted_vllm`, which uses LiteLLM's
own. CPU is that of the run's process without imports, in interleaved rounds. Beside them: the four
calls alone, as `litellm.acompletion` makes them with nothing of ours around.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any, cast

HERE = Path(__file__).parent
WAYS = {
    "`base_url`": (),
    "LiteLLM, `openai/…`": ("--litellm", "openai/scripted"),
    "LiteLLM, `hosted_vllm/…`": ("--litellm", "hosted_vllm/scripted"),
}
BARE = ("openai/scripted", "hosted_vllm/scripted")
IN_FLIGHT = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and less exact")
    parser.add_argument("--bare", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        name, url, verdicts = options.bare
        print(json.dumps(asyncio.run(_bare(name, url, int(verdicts)))))
        return
    rounds, verdicts = (2, 40) if options.quick else (5, 300)
    took: dict[str, list[float]] = {}
    server = [sys.executable, "-P", "-m", "safejury.testing"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", file=sys.stderr)
                for name, more in WAYS.items():
                    ours = ["ours.py", "--base-url", url, "--verdicts", str(verdicts)]
                    got = _run(*ours, "--in-flight", str(IN_FLIGHT), *more)
                    took.setdefault(f"{name}, a verdict", []).append(got)
                for name in BARE:
                    got = _run("litellm_path.py", "--bare", name, url, str(verdicts))
                    took.setdefault(
                        f"`litellm.acompletion` alone, `{name}`, four calls", []
                    ).append(got)
        finally:
            process.terminate()
    print("| path | CPU ms a verdict, median (range) |\n|---|---|")
    for name, each in took.items():
        print(f"| {name} | {median(each):.1f} ({min(each):.1f} to {max(each):.1f}) |")


def _run(script: str, *arguments: str) -> float:
    command = [sys.executable, "-P", str(HERE / script), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    got = json.loads(done.stdout.splitlines()[-1])
    return 1000 * got["cpu_s"] / got["verdicts"]


async def _bare(name: str, url: str, verdicts: int) -> dict[str, float]:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm  # slow, and its own measurement only

    ask = cast("Callable[..., Awaitable[Any]]", litellm.acompletion)
    words = [{"role": "user", "content": "What should a person know about this topic? " * 40}]
    numbers = iter(range(4 * verdicts))

    async def work() -> None:
        for _ in numbers:
            await ask(
                model=name, messages=words, max_tokens=512, api_base=url, api_key="none", seed=7
            )

    began = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())
    return {"cpu_s": time.process_time() - began, "verdicts": verdicts}


if __name__ == "__main__":
    main()
