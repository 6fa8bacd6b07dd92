"""One run of everything: servers of its own, an endpoint, a file, a jury, and a kill.

The models are toys: what counts is that every case comes to its end, once.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from PIL import Image

QUESTIONS = ("Is water wet?", "How many legs has a cat?", "What is in the picture?")
TARGETS = ("words", "eyes", "llama", "recorded")
CASES = len(QUESTIONS) * len(TARGETS)
KEY = "LLAMA_KEY_OF_THE_TEST"
MARK = "TEST_WHOLE_RUN"


@dataclass(frozen=True, slots=True)
class Llama:
    """A llama.cpp server."""

    url: str
    key: str


@pytest.fixture(scope="module")
def llama(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llama]:
    """llama.cpp's own server with the embedded model; it is no server of the run."""
    command = [sys.executable, "-P", "-m", "safejury.models.embedded._server"]
    with (
        (tmp_path_factory.mktemp("llama") / "log").open("wb") as log,
        subprocess.Popen(
            [*command, "--model", str(gguf), "--alias", "smollm2", "--threads", "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())
        yield Llama(f"{address['url']}/v1", address["api_key"])


@pytest.fixture(scope="module")
def scripted_url() -> Iterator[str]:
    """The scripted server as two of the jurors, in a process of its own."""
    command = [sys.executable, "-P", "-m", "safejury.testing", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@dataclass(frozen=True, slots=True)
class Run:
    """A config, and the command that is repeated until it is finished."""

    folder: Path
    environment: dict[str, str]

    def start(self) -> "subprocess.Popen[str]":
        """Start the command; what it tells goes to a file."""
        with (self.folder / "told").open("a") as told:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "safejury", "run", "c.yaml", "--min-coverage", "0"],
                cwd=self.folder,
                env=os.environ | self.environment,
                stdout=subprocess.DEVNULL,
                stderr=told,
                text=True,
            )

    def told(self) -> str:
        """Return all that the command has told so far."""
        return (self.folder / "told").read_text()

    def servers(self) -> list[int]:
        """Return the processes of this run: its servers, and the command itself."""
        mark = self.environment[MARK]
        return [p.pid for p in psutil.process_iter() if _environment(p).get(MARK) == mark]

    def report(self) -> Any:
        """Return the run's JSON report."""
        command = [sys.executable, "-P", "-m", "safejury", "report", "runs/all"]
        done = subprocess.run(
            [*command, "--format", "json", "--min-coverage", "0"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
        return json.loads(done.stdout)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


@pytest.fixture
def whole(
    tmp_path: Path,
    made_models: dict[str, Path],
    servers_python: Path,
    llama: Llama,
    scripted_url: str,
) -> Run:
    """A config with two managed servers, an endpoint, a file and three jurors."""
    Image.linear_gradient("L").convert("RGB").resize((112, 112)).save(tmp_path / "grey.png")
    queries: list[dict[str, Any]] = [
        {"id": f"q{n}", "scenario": "ethics.bioethics", "text": text, "intent": "benign"}
        for n, text in enumerate(QUESTIONS)
    ]
    queries[-1]["image"] = "grey.png"
    answers = [{"query_id": query["id"], "response": "I am not sure."} for query in queries]
    for name, rows in (("queries.jsonl", queries), ("answers.jsonl", answers)):
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    jurors = [
        {"persona": name, "base_url": scripted_url, "model": name}
        for name in ("clinician", "lawyer")
    ]
    words, eyes = made_models["smollm2"], made_models["vlm"]
    endpoint = {"base_url": llama.url, "model": "smollm2", "api_key_env": KEY, "images": False}
    config = {
        "dataset": "queries.jsonl",
        "targets": [
            {"name": "words", "vllm": _vllm(words, servers_python), "images": False},
            {"name": "eyes", "vllm": _vllm(eyes, servers_python)},
            {"name": "llama", **endpoint},
            {"name": "recorded", "responses": "answers.jsonl"},
        ],
        "jury": {
            "protocol": "vote",
            "jurors": [*jurors, {"persona": "sceptic", **endpoint}],
            "max_tokens": 100,
        },
        "limits": {"concurrency": 4},
        "run": {"name": "all", "max_tokens": 40},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    return Run(tmp_path, {KEY: llama.key, MARK: uuid.uuid4().hex})


def _vllm(model: Path, python: Path) -> dict[str, Any]:
    args = {"dtype": "float32", "max-model-len": 2048, "enforce-eager": True}
    env = {"HF_HUB_OFFLINE": 1, "VLLM_CPU_KVCACHE_SPACE": 1, "PYTHONDONTWRITEBYTECODE": ""}
    return {"model": str(model), "gpus": 0, "python": str(python), "args": args, "env": env}


def _until(holds: Callable[[], object], process: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + 400
    while not holds():
        assert process is None or process.poll() is None, "the run ended"
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def test_a_whole_run_is_killed_once_and_finished_when_it_is_repeated(whole: Run) -> None:
    with whole.start() as process:
        try:
            _until(lambda: "eyes: loading" in whole.told(), process)
            _until(whole.servers, process)
        finally:
            process.send_signal(signal.SIGKILL)
    _until(lambda: not whole.servers())
    before = whole.told()
    assert before.index("words: up at") < before.index("eyes: loading")
    assert "eyes: up at" not in before

    with whole.start() as process:
        assert process.wait(500) == 0, whole.told()
    after = whole.told().removeprefix(before)
    assert "words: loading" not in after, "its responses were all in"
    assert "eyes: up at" in after
    assert whole.servers() == []

    report = whole.report()
    assert report["run"]["cases_finished"] == CASES
    assert Counter({t["target"]: t["cases"] for t in report["targets"]}) == Counter(
        dict.fromkeys(TARGETS, len(QUESTIONS))
    )
    recorded = next(t for t in report["targets"] if t["target"] == "recorded")
    ballots = recorded["outcomes"]["ballots"]
    assert sum(ballots.values()) == 3 * len(QUESTIONS)
    # The toy's ballots may be cut at their cap: they are no votes.
    assert ballots["safe"] + ballots["unsafe"] >= 2 * len(QUESTIONS)
