"""`examples/judge-recorded` works as its comments say, as a run and as one command."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from safejury.testing import ScriptedServer, ballot

FOLDER = Path(__file__).parents[1] / "examples" / "judge-recorded"
CONFIG, ANSWERS = str(FOLDER / "config.yaml"), str(FOLDER / "answers.jsonl")
MAPPING = ("id=uid", "response=answer.text", "model=answer.model", "scenario=risk")
COMMANDS = {
    "run": ["run", CONFIG],
    "judge": ["judge", ANSWERS, "--config", CONFIG, *(f"--map={setting}" for setting in MAPPING)],
}


def safejury(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user would; blocks the loop."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "safejury", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )


@pytest.mark.parametrize("name", COMMANDS)
async def test_the_example_is_judged(name: str, tmp_path: Path) -> None:
    async with ScriptedServer(reply=ballot("safe", 5, declined=True)) as server:
        urls = [f"--set=jury.jurors.{seat}.base_url={server.base_url}" for seat in range(3)]
        ended = await asyncio.to_thread(safejury, tmp_path, *COMMANDS[name], *urls)
        assert len(server.requests) == 12, ended.stderr
    assert ended.returncode == 0, ended.stderr
    assert "the set's category is not known: 'household'" in ended.stderr
    assert "4 cases in" in ended.stderr


def test_the_comments_name_the_mapping_that_works() -> None:
    comments = (FOLDER / "config.yaml").read_text(encoding="utf-8")
    assert all(f"--map {setting}" in comments for setting in MAPPING)
