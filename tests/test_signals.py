"""The suite runs as well where its shell ignores signals: in the background, under nohup."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENDS = """
import signal
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals")
def test_what_tests_start_ends_with_ctrl_c_and_with_its_terminal() -> None:
    subprocess.run([sys.executable, "-c", ENDS], check=True)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals")
def test_so_it_does_where_the_shell_ignores_signals() -> None:
    program = Path(sys.executable).with_name("pytest")
    test = f"{__file__}::{test_what_tests_start_ends_with_ctrl_c_and_with_its_terminal.__name__}"
    command = f"trap '' INT HUP; exec {program} -q -p no:cacheprovider {test}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
