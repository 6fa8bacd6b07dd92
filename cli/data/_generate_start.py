"""The beginning of `safejury generate`, before the packages that it needs are loaded."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ..console import arguments_of, say


def start_generating(
    path: Path,
    changes: Sequence[str],
    *,
    authorised: bool,
    until: str | None,
    again: Sequence[str],
    accept_failures: bool,
    estimate_only: bool,
) -> int:
    """Load what it takes and make a set; see `generate_set`."""
    options = ["--i-am-authorised"] if authorised else []
    options += [] if until is None else ["--until", until]
    options += [part for stage in again for part in ("--again", stage)]
    options += ["--accept-failures"] if accept_failures else []
    command = " ".join(("safejury generate", arguments_of(path, changes), shlex.join(options)))
    command = command.rstrip()
    try:
        from ._generate import generate_set

        return generate_set(
            path,
            changes,
            command,
            authorised=authorised,
            until=until,
            again=again,
            accept_failures=accept_failures,
            estimate_only=estimate_only,
        )
    except KeyboardInterrupt:
        say(f"Go on with: {command}")
        raise
