"""Runs commands in a Python that has what every installation has, and no extra."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

# All commands in one process: one start, one import.
WALK = """
import json, sys
from typer.testing import CliRunner
from safejury.cli import app
from safejury.cli.console import quiet_libraries
quiet_libraries()
ended = []
for arguments in json.load(sys.stdin):
    result = CliRunner().invoke(app, arguments)
    crash = None if isinstance(result.exception, SystemExit | None) else repr(result.exception)
    ended.append([result.exit_code, result.stdout, result.stderr, crash])
json.dump(ended, sys.stdout)
"""
"""To be run with `-c`; takes lists of arguments and gives how each ended."""


def bare_site(folder: Path) -> Path:
    """Fill a folder with links to what the package requires without extras, and return it."""
    folder.mkdir()
    for found in _required("safejury", {}).values():
        for file in found.files or ():
            top = file.parts[0]
            source = Path(str(found.locate_file(top)))
            if top not in ("..", "__pycache__") and not top.endswith(".pth"):
                link = folder / top
                if not link.exists():
                    link.symlink_to(source)
    return folder


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `crash` is the exception that nobody turned into a line."""

    code: int
    out: str
    err: str
    crash: str | None


def walk(site: Path, cwd: Path, commands: Sequence[Sequence[str]]) -> list[Ended]:
    """Run commands one after the other and return how each ended."""
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", WALK],
        input=json.dumps(commands),
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": f"{site}:{ROOT / '.package'}",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Ended(*each) for each in json.loads(done.stdout)]


def _required(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return found
    try:
        found[key] = distribution(name)
    except PackageNotFoundError:  # of another system
        return found
    for line in found[key].requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _required(requirement.name, found)
            for extra in requirement.extras:
                _required_by_extra(requirement.name, extra, found)
    return found


def _required_by_extra(name: str, extra: str, found: dict[str, Distribution]) -> None:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
            _required(requirement.name, found)
