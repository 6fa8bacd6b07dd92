"""Detects the GPUs of this machine."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from ...common import ConfigurationError, escape_line

_TIMEOUT_S = 120.0

_SCRIPT = """
import json, sys
try:
    import torch
except ImportError:
    print(json.dumps({"reason": "torch is not installed in it"}))
    sys.exit()
gpus = []
if torch.cuda.is_available():
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        gpus.append({"index": index, "name": name, "total_bytes": total, "free_bytes": free})
print(json.dumps({"gpus": gpus, "reason": None if gpus else "its torch sees none"}))
"""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as torch reports it.

    Attributes:
        index: From 0.
        name: Such as `NVIDIA H100 80GB HBM3`.
        total_bytes: Its memory.
        free_bytes: The memory that was free when it was checked.
        id: What CUDA_VISIBLE_DEVICES calls it, the index where that is not set.
    """

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    id: str = ""


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of this machine.

    Attributes:
        gpus: By index.
        memory_bytes: Main memory that is free for programs, None where unknown.
        reason: Why there is no GPU, None if there is one.
    """

    gpus: tuple[Gpu, ...] = ()
    memory_bytes: int | None = None
    reason: str | None = None


class _Seen(msgspec.Struct, frozen=True):
    gpus: list[Gpu] = []
    reason: str | None = None


def find_devices(python: str | None = None, *, timeout: float = _TIMEOUT_S) -> Devices:
    """Detect the GPUs, with the torch of the Python that will use them.

    It runs in a process of its own: torch takes seconds to import, and would keep some
    of each GPU's memory.

    Args:
        python: The interpreter; None is the one that runs safejury.
        timeout: Seconds.

    Raises:
        ConfigurationError: The Python cannot be run, fails, or takes too long.
    """
    interpreter = sys.executable if python is None else os.path.expanduser(python)
    try:
        done = subprocess.run(
            [interpreter, "-c", _SCRIPT],
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise _failed(interpreter, f"cannot be run ({error.strerror})") from None
    except subprocess.TimeoutExpired:
        raise _failed(interpreter, f"did not report its GPUs within {timeout:g} s") from None
    try:
        seen = msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=_Seen)
    except msgspec.DecodeError:
        raise _failed(interpreter, f"could not report its GPUs ({_last(done.stderr)})") from None
    ids = _ids(os.environ)
    gpus = tuple(
        replace(gpu, id=ids[gpu.index] if gpu.index < len(ids) else str(gpu.index))
        for gpu in seen.gpus
    )
    reason = None if seen.reason is None else f"{interpreter}: {seen.reason}"
    import psutil  # not for runs without managed servers

    return Devices(gpus, psutil.virtual_memory().available, reason)


def _failed(interpreter: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the Python {interpreter!r} {what}; name the one that has vLLM with `python:`"
    )


def _last(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return escape_line(lines[-1])[:200] if lines else "it said nothing"


def _ids(environment: Mapping[str, str]) -> list[str]:
    """Return the GPUs visible to this process, by their index there."""
    names = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return [name.strip() for name in names if name.strip()]
