"""`safejury generate`, here or in a process of its own, with models at scripted servers."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import yaml
from preloaded import Forked, preloaded
from typer.testing import CliRunner, Result

from safejury.cli import app
from safejury.testing import ScriptedServer


def start(
    folder: Path, *arguments: str, columns: int = 100, largest_file: int | None = None
) -> Forked:
    """Start a command on a terminal of so many columns; see `Preloaded.start`."""
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": str(columns)}
    return preloaded().start(arguments, cwd=folder, env=environment, largest_file=largest_file)


def start_from_the_beginning(folder: Path, *arguments: str, path: str) -> "subprocess.Popen[str]":
    """Start a command that finds packages of a path before all others."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "safejury", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1", "PYTHONPATH": path},
    )


def safejury(folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run a command to its end in this process, check its code, and return what it wrote."""
    with contextlib.chdir(folder):
        ended = _invoke(arguments, code)
    return ended.stdout, ended.stderr


def safejury_here(*arguments: str, code: int = 0) -> str:
    """Run a command as `safejury` does, where we are; return what it says."""
    return _invoke(arguments, code).output


def _invoke(arguments: Sequence[str], code: int) -> Result:
    terminal = {"NO_COLOR": "1", "COLUMNS": "100"}
    ended = CliRunner().invoke(app, arguments, env=terminal, catch_exceptions=False)
    assert ended.exit_code == code, ended.output
    return ended


@contextlib.contextmanager
def served(reply: Any = None, **options: Any) -> Generator[ScriptedServer]:
    """Run a scripted server in a thread, beside commands in this process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted servers")
    thread.start()
    server = ScriptedServer(reply=reply, **options)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.aclose(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def write_config(folder: Path, url: str, **changes: object) -> str:
    """Write a config whose models are all at `url`, and return its name."""
    data: dict[str, Any] = {
        "purpose": "a test",
        "panel": [{"name": name, "base_url": url, "model": name} for name in ("one", "two")],
        "generator": {"base_url": url, "model": "writer"},
        "queries": {"per_scenario": 2, "over_generate": 2},
        "pictures": {"renderer": "placeholder", "size": 64},
        "set": {"name": "made"},
    }
    (folder / "g.yaml").write_text(yaml.safe_dump(data | changes))
    return "g.yaml"
