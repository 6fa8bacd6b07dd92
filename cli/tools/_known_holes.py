"""Versions of what we build on that have a known hole."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Floor:
    """The least version of a package that has none of some holes.

    Attributes:
        version: Such as `0.14.1`.
        holes: What is open below it.
    """

    version: str
    holes: tuple[str, ...]


# `pyproject.toml` has the same floors.
FLOORS = {
    "litellm": Floor("1.84", ("CVE-2026-42208", "CVE-2026-49468")),
    "vllm": Floor("0.14.1", ("CVE-2026-22778",)),
}
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?[.-]?(a|b|rc|dev)?")


def hole_in(package: str, version: str) -> str | None:
    """Return what is wrong with a version and what to do, None where no hole is known.

    Args:
        package: Any package.
        version: As the package says it; one that cannot be read has no known hole.
    """
    floor = FLOORS.get(package)
    if floor is None:
        return None
    found, least = _numbers(version), _numbers(floor.version)
    if found is None or least is None or found >= least:
        return None
    return f"{version} has {' and '.join(floor.holes)}: upgrade it to {floor.version} or later"


def _numbers(version: str) -> tuple[int, int, int, bool] | None:
    """Return a version in an order; one before a release comes before it."""
    found = _VERSION.match(version)
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    return int(major), int(minor), int(patch or 0), before is None
