"""What a user should know of a run before it begins."""

from collections.abc import Iterator

from ...common import escape_line
from ...models import EMBEDDED_WARNING
from ._plan import RunPlan
from ._recorded_files import recorded_notes


def plan_notes(plan: RunPlan) -> Iterator[str]:
    """Yield what a user should know before a run begins, a line each."""
    if plan.uses_embedded:
        yield EMBEDDED_WARNING
    yield from (escape_line(f"{plan.dataset}: {note}.") for note in plan.selection.dataset.notes)
    yield from recorded_notes(plan.recorded, plan.options.epochs)
