"""The history of a run that grew: when it took more, and what it was before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from ....common import escape_line
from ....common.text import many

GROWN = "grown"
"""Key in `meta` of the history."""
_SHOWN = 3
"""Additions that a report names."""


@dataclass(frozen=True, slots=True)
class Addition:
    """One time at which a run took more cases.

    Attributes:
        when: The time, in UTC, as ISO 8601.
        version: The version of safejury that added them.
        added: What was added, in words.
        of: Hash of what the cases before were of; see `cases_sha256`.
        before: What was asked before: the parts of the identity that grew.
        merged: Names of the runs that were merged; empty where a config added something.
    """

    when: str
    version: str
    added: str
    of: Sequence[str] = ()
    before: Mapping[str, Any] = field(default_factory=dict[str, Any])
    merged: Sequence[str] = ()


def with_addition(
    raw: Mapping[str, str],
    identity: Mapping[str, Any],
    *,
    version: str,
    added: str,
    of: Sequence[str],
    merged: Sequence[str] = (),
) -> dict[str, str]:
    """Return the row of `meta` with one more addition.

    Args:
        raw: The rows so far.
        identity: The run's identity so far.
        version: The version of safejury that adds.
        added: What is added, in words.
        of: Hashes of what the cases so far are of.
        merged: Names of the runs that are merged.
    """
    so_far = msgspec.json.decode(raw.get(GROWN, "[]"), type=tuple[Addition, ...])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    grew = ("dataset", "scenarios", "limit", "images", "sound", "voices", "responses")
    before = {key: identity[key] for key in grew if key in identity}
    before["targets"] = [target.get("name") for target in identity.get("targets", ())]
    before["epochs"] = identity.get("run", {}).get("epochs", 1)
    step = Addition(now, version, added, of, before, merged)
    return {GROWN: msgspec.json.encode([*so_far, step]).decode()}


def describe_growth(history: Sequence[Addition]) -> str | None:
    """Return a sentence on how a run grew, None where it did not."""
    if not history:
        return None
    number, last = len(history), history[-_SHOWN:]
    some = "" if number == len(last) else f", the last {len(last)}"
    return escape_line(f"Grown {many(number, 'time')}{some}: {'; '.join(_steps(last))}.")


def _steps(history: Sequence[Addition]) -> Iterator[str]:
    for step in history:
        how = "by merging" if step.merged else "by"
        yield f"{how} {step.added} ({step.when[:10]}, version {step.version})"
