"""Managed servers run a stand-in for vLLM, found ahead of it by PYTHONPATH."""

import tempfile
import time
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from safejury.targets import VllmSpec

FAKE_VLLM = Path(__file__).parent / "fake_vllm"
DEADLINE_S = 60.0


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def mark() -> str:
    """An environment variable's setting that only processes of this test inherit."""
    return uuid.uuid4().hex


@pytest.fixture
def fake_env(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[dict[str, str]]:
    """Give a stand-in's environment, and fail a test that leaves a process or a file behind."""
    passing = tmp_path / "passing"
    passing.mkdir()
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield {"PYTHONPATH": str(FAKE_VLLM), "TEST_MARK": mark}
    assert _marked(mark) == []
    assert list(passing.iterdir()) == []


@pytest.fixture
def fake_vllm(model_folder: Path, fake_env: dict[str, str]) -> Callable[..., VllmSpec]:
    """Make the spec of a stand-in; further words such as `dies=2` become `FAKE_DIES=2`."""

    def made(
        model: str | None = None, *, args: dict[str, object] | None = None, **words: Any
    ) -> VllmSpec:
        settings = {
            name: words.pop(name)
            for name in ("gpus", "port", "python", "start_timeout", "restarts", "env")
            if name in words
        }
        fakes = {f"FAKE_{name.upper()}": value for name, value in words.items()}
        env = fake_env | settings.pop("env", {}) | fakes
        return VllmSpec.of(model or str(model_folder), args=args, env=env, **settings)

    return made


@pytest.fixture
def survivors(mark: str) -> Callable[[], list[int]]:
    """Return which processes of this test are still there."""
    return lambda: _marked(mark)


@pytest.fixture
def proc() -> Callable[[int, str], list[bytes]]:
    """Return the words in a file of /proc: a process's `cmdline` or `environ`."""
    return lambda pid, name: _words(Path(f"/proc/{pid}"), name)


def _marked(mark: str) -> list[int]:
    setting = f"TEST_MARK={mark}".encode()
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and setting in _words(folder, "environ")
    ]


def _words(folder: Path, name: str) -> list[bytes]:
    try:
        return (folder / name).read_bytes().split(b"\0")
    except OSError:  # it has ended
        return []


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds; fail after a minute."""

    def wait(holds: Callable[[], object]) -> None:
        until = time.monotonic() + DEADLINE_S
        while not holds():
            assert time.monotonic() < until, "it did not come true"
            time.sleep(0.02)

    return wait
