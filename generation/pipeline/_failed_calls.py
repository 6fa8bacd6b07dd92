"""What becomes of a stage for which calls failed."""

from ...common import ModelError
from ._workshop import Workshop


def settle_failed_calls(
    workshop: Workshop, stage: str, failed: str, *, may_pass: bool, empty: bool
) -> None:
    """Say which calls failed; the stage ends here unless it may go on without them.

    Args:
        workshop: Knows whether failures are accepted, and is told of them if so.
        stage: The stage's name.
        failed: How many calls failed and how, without a full stop.
        may_pass: Whether some of what is missing may come if it is asked for once more.
        empty: Whether nothing at all was made, with which no stage can go on.

    Raises:
        ModelError: Nothing was made, or some of what is missing may still come and
            nobody said that it may stay missing.
    """
    if empty:
        raise ModelError(
            f"{stage}: {failed}; mend the cause and repeat the command, or name other models"
        )
    if may_pass and not workshop.accepts_failures:
        raise ModelError(
            f"{stage}: {failed}; repeat the command, which asks for what is missing, "
            "or add --accept-failures to go on without it"
        )
    workshop.progress.notify(f"{stage}: {failed}; --again {stage} makes them once more")
