"""Whether two runs may be compared, and what a reader must know of them."""

from collections.abc import Iterator

from ...common import ConfigurationError
from ...common.text import many
from ...models import EMBEDDED_WARNING
from ..record import differences_of_juries
from ..report import StoredRun

_CAPS = {"max_tokens": "not said", "truncated": "leave_out"}
"""Keys of `run` that say where a response ends and what becomes of it, and what holds without."""


def of_juries(first: StoredRun, second: StoredRun, *, force: bool) -> Iterator[str]:
    """Yield how the juries differ, if that is forced.

    Raises:
        ConfigurationError: They differ, and it is not forced.
    """
    different = () if first is second else differences_of_juries(first.meta, second.meta)
    if not different:
        return
    what = (
        f"{first.directory} and {second.directory} were judged by different juries: "
        f"{'; '.join(different)}"
    )
    if not force:
        raise ConfigurationError(
            f"{what}: have the same jury judge both, for instance the recorded responses of one, "
            "or add --force and take the differences as those of targets and juries together"
        )
    yield f"{what}. The differences are those of targets and juries together."


def on_runs(first: StoredRun, second: StoredRun) -> Iterator[str]:
    """Yield what makes the figures of the runs doubtful, a sentence each."""
    runs = {str(run.directory): run for run in (first, second)}
    for run in runs.values():
        if run.uses_embedded:
            yield f"{run.directory}: {EMBEDDED_WARNING}"
        if run.meta.shared is not None:
            sets = {str(of.meta.identity.get("dataset", {}).get("sha256")) for of in runs.values()}
            yield (
                f"{run.directory} is a shareable copy, which has no questions: "
                + (
                    "queries of one id are the same, as both are of one set."
                    if len(sets) == 1
                    else "the sets differ, so that queries of one id may ask something else."
                )
            )
        finished = sum(run.reader.groups().values())
        if finished < run.plan.total:
            yield (
                f"{run.directory} is unfinished: {finished:,} of {many(run.plan.total, 'case')}; "
                "only queries that both have finished are compared."
            )
    yield from _on_caps(first, second)


def _on_caps(first: StoredRun, second: StoredRun) -> Iterator[str]:
    """Yield how responses were capped differently, which is no difference of targets."""
    caps = [run.meta.identity.get("run", {}) for run in (first, second)]
    for key, unless_said in _CAPS.items():
        one, other = (said.get(key) or unless_said for said in caps)
        if one != other:
            yield (
                f"run.{key} was {one} in {first.directory} and {other} in {second.directory}: the "
                "differences are those of targets and of this together."
            )
