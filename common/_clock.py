"""A clock that goes on while the machine sleeps, as `time.monotonic` does on Windows alone."""

import sys
import time


def seconds_since_boot() -> float:
    """Return the seconds since the machine was started, those in which it slept included."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()
