"""The tutorial, as a reader follows it: its models, its commands in order, and what they print."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
_ADDRESS = "http://127.0.0.1:8001/v1"


@pytest.fixture
def models(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example's scripted models, on a free port, and the examples that name it."""
    place = shutil.copytree(ROOT / "examples", workplace.path / "examples")
    program = place / "tutorial" / "models.py"
    command = [sys.executable, "-P", str(program), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            said = re.search(r"http://\S+/v1", serving.stdout.readline())
            assert said is not None
            config = place / "tutorial" / "safejury.yaml"
            config.write_text(config.read_text().replace(_ADDRESS, said[0]))
            monkeypatch.setenv("COLUMNS", "100")
            yield
        finally:
            serving.terminate()


@pytest.mark.slow
def test_the_tutorial_runs_as_it_stands(models: None, workplace: Any) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    printed, ran = "", 0
    for language, block in _BLOCK.findall(text):
        if language == "text":
            lines = {line.rstrip() for line in printed.splitlines()}
            shown = [line.rstrip() for line in block.splitlines()]
            assert [line for line in shown if not any(line in each for each in lines)] == []
            continue
        for line in block.splitlines():
            ended = workplace.safejury(*shlex.split(line)[1:])
            assert ended.code == 0, (line, ended.err, ended.out)
            printed, ran = ended.out + ended.err, ran + 1
    assert ran > 8
    report = written(workplace.safejury("report", "runs/tutorial").out)
    reading = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    shown = [block for language, block in _BLOCK.findall(reading) if language == "text"]
    assert len(shown) > 5
    assert [block for block in shown if written(block) not in report] == []


def written(text: str) -> str:
    """Return text without space at the ends of its lines."""
    return "\n".join(line.rstrip() for line in text.splitlines())
