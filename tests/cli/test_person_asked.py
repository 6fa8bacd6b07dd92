"""A person on the jury, at the terminal on which a run tells how it goes."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from safejury.cli.console import RunProgress
from safejury.testing import ScriptedServer, ballot

Start = Callable[..., ScriptedServer]


def test_what_a_run_tells_waits_until_the_person_has_answered() -> None:
    out = io.StringIO()
    with RunProgress(Console(file=out, width=80), bar=False) as progress:
        progress.notify("before")
        with progress.paused():
            progress.notify("a server was started again")
            assert out.getvalue() == "before\n"
        assert out.getvalue() == "before\na server was started again\n"


def _agreed(body: dict[str, Any]) -> str:
    return "Like this." if body["model"] == "target" else ballot("safe", 4)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_person_at_the_terminal_is_asked_case_by_case(workplace: Any, scripted: Start):
    url = scripted(reply=_agreed).base_url
    jurors = [{"persona": "human"}, {"persona": "sceptic", "base_url": url, "model": "m"}]
    protocol = {"preset": "vote", "tie": "unsafe"}
    config = workplace.config(url, jury__jurors=jurors, jury__protocol=protocol)
    typed = [*("s", "4", "Fine.", ""), *("u", "b", "s", "5", "Well.", ""), *("a", "Not mine.")]
    shown = _at_a_terminal(workplace, config, typed)
    for number in (1, 2, 3):
        assert shown.count(f"=== Case {number} of 3: q") == 1
    assert workplace.report()["targets"][0]["verdicts"] == 2


def _at_a_terminal(workplace: Any, config: str, typed: list[str]) -> str:
    """Run a config with all streams on a terminal, type a line at each question, and read it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "safejury", "run", config],
        cwd=workplace.path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
    ) as process:
        os.close(theirs)
        seen = b""
        while part := _read(ours):
            seen += part
            if not seen.endswith((b"uit: ", b"back): ")):
                continue
            if not typed:  # one question too many
                process.kill()
                break
            os.write(ours, f"{typed.pop(0)}\n".encode())
            seen += b"<typed>"
    os.close(ours)
    assert not typed, seen
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the last process on it has ended
        return b""
