"""The clock that goes on while the machine sleeps."""

import shutil
import subprocess
import sys
import time

import pytest

from safejury.common import seconds_since_boot

SLEPT = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "100000", "--fork"]
"""Starts a program as on a machine that has slept for so many seconds."""


def test_time_passes() -> None:
    before = seconds_since_boot()
    time.sleep(0.01)
    assert seconds_since_boot() - before >= 0.01


@pytest.mark.skipif(sys.platform != "linux", reason="needs namespaces of time")
def test_time_passes_while_the_machine_sleeps() -> None:
    if shutil.which("unshare") is None or subprocess.run([*SLEPT, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody have a time of their own")
    code = (
        "import time; from safejury.common import seconds_since_boot\n"
        "print(seconds_since_boot() - time.monotonic())"
    )
    command = [*SLEPT, sys.executable, "-P", "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert float(said) > 99_000
