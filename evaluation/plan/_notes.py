"""Notes for the user before a run starts."""

from collections.abc import Iterator

from ...common import escape_line
from ...models import EMBEDDED_WARNING
from ._plan import RunPlan
from ._recorded_files import recorded_notes


def plan_notes(plan: RunPlan) -> Iterator[str]:
    """Yield the notes on a run before it starts, a line each."""
    if plan.uses_embedded:
        yield EMBEDDED_WARNING
    yield from (escape_line(f"{plan.dataset}: {note}.") for note in plan.selection.dataset.notes)
    yield from recorded_notes(plan.recorded, plan.options.epochs)
