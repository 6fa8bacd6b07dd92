"""Checks for optional packages and names the command that installs a missing one."""

import json
import shlex
import shutil
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlsplit

from ._errors import ConfigurationError

_PACKAGES = {
    "agent-framework": ("agent_framework",),
    "autogen": ("autogen_ext",),
    "autogen-mcp": ("mcp",),
    "diffusers": ("diffusers", "torch", "transformers"),
    "generate": (
        *("datasketch", "imagehash", "jinja2", "jiwer", "matplotlib", "mlcroissant"),
        *("numpy", "pyloudnorm", "rapidfuzz", "scipy"),
    ),
    "figures": ("matplotlib",),  # after `generate`, which needs more than it
    "hf": ("datasets",),
    "inspect": ("inspect_ai",),
    "otel": ("opentelemetry.sdk",),  # AutoGen brings the interface without it
    "parquet": ("pyarrow",),
    "postgres": ("psycopg",),
    "ray": ("ray",),
    "sound": ("av", "faster_whisper"),
    "trust": ("sklearn",),  # it brings numpy and scipy
}
"""The packages of each extra that are imported."""
_EXTRA_OF = {package: extra for extra, packages in _PACKAGES.items() for package in packages}


def require(
    what: str,
    *packages: str,
    instead: str = "",
    error: type[ConfigurationError] = ConfigurationError,
) -> None:
    """Raise an error unless optional packages are installed.

    Args:
        what: What needs them, as the beginning of the message.
        packages: Each of an extra.
        instead: What else can be done, such as `leave it out`.
        error: What is raised.

    Raises:
        ConfigurationError: One is not installed; one line with the command that installs it.
    """
    for package in packages:
        if find_spec(package) is None:
            raise error(_missing(what, package, instead))


def import_extra(
    what: str, package: str, *, error: type[ConfigurationError] = ConfigurationError
) -> ModuleType:
    """Import an optional package, or one of its modules.

    Raises:
        ConfigurationError: It is not installed; see `require`.
    """
    require(what, package.partition(".")[0], error=error)
    return import_module(package)


def missing_package_error(error: ModuleNotFoundError) -> Exception:
    """Return the error to raise for a missing module, with the install command if known."""
    package = (error.name or "").partition(".")[0]
    known = package in _EXTRA_OF
    return ConfigurationError(_missing("this", package)) if known else error


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation.

    No package index has the package: it is installed from where it was installed from before.
    """
    place = _origin()
    if place is None:
        return f"pip install -e '.[{extra}]'` in a clone, or `pip install 'WHEEL[{extra}]'"
    editable, source = place
    return f"{_pip()} install {'-e ' if editable else ''}{shlex.quote(f'{source}[{extra}]')}"


def _missing(what: str, package: str, instead: str = "") -> str:
    command = install_command(_EXTRA_OF[package])
    other = f", or {instead}" if instead else ""
    return f"{what} needs the package {package}, which is not installed: run `{command}`{other}"


def _origin() -> tuple[bool, str] | None:
    """Return whether the installation is editable, and the folder or wheel it came from."""
    # Every start would pay for what only errors need.
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.request import url2pathname

    try:
        said = distribution("safejury").read_text("direct_url.json")
        origin = cast("dict[str, Any]", json.loads(said or "{}"))
    except (PackageNotFoundError, ValueError):
        return None
    place = urlsplit(str(origin.get("url", "")))
    path = Path(url2pathname(place.path))
    if place.scheme != "file" or not path.exists():
        return None
    editable = bool(origin.get("dir_info", {}).get("editable"))
    return editable, "." if path == Path.cwd() else str(path)


def _pip() -> str:
    """Return the command that runs pip for the current Python."""
    python = Path(sys.executable)
    found = shutil.which("pip")
    if found is not None and Path(found).parent == python.parent:
        return "pip"
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return f"{shlex.quote(str(shown))} -m pip"
