"""Judges one case with a live view."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...agents import BallotOutcome, Case
from ...common import OutageError
from ...datasets import MediaStore
from ...deliberation import (
    BallotsRevealed,
    Entry,
    Jury,
    JurySpec,
    LiveView,
    Verdict,
    check_export_path,
    export_transcript,
)
from ...models import ModelRegistry
from ._asking import asking_over


async def hear_live(
    case: Case,
    spec: JurySpec,
    registry: ModelRegistry,
    console: Console,
    *,
    target: str,
    export: Path | None = None,
    media: MediaStore | None = None,
) -> Verdict:
    """Let a jury judge one case in a live view.

    Args:
        case: The case.
        spec: The jury.
        registry: Opens the jury's models.
        console: Where to show it.
        target: The target's name.
        export: Also write the transcript there: `.html`, `.svg` or `.md`.
        media: Stores pictures that were resized for the jurors' models; None sends all
            unchanged.

    Raises:
        ConfigurationError: A model never answered, or `export` has another suffix.
        OutageError: Failed calls cost it the verdict.
    """
    if export is not None:
        check_export_path(export)
    entries: list[Entry] = []
    protocol = spec.protocol_label
    async with (
        LiveView(console, jury=spec.infos, reveal=True, target=target, protocol=protocol) as view,
        Jury.seated(
            spec,
            registry,
            ask=asking_over(view),
            media=media,
            clerk=entries.append,
            spectator=view.handle,
        ) as jury,
    ):
        verdict = await jury.hear(case)
    if export is not None:
        export_transcript(
            entries, spec.infos, export, target=target, protocol=protocol, reveal=True
        )
    if verdict.finding is None and (lost := _lost(entries)):
        raise OutageError(f"the case has no verdict, because ballots were lost: {lost}")
    return verdict


def _lost(entries: Sequence[Entry]) -> str:
    """Return why a ballot was lost to a failed call, empty where none was."""
    for entry in entries:
        for ballot in entry.ballots if isinstance(entry, BallotsRevealed) else ():
            if ballot.outcome is BallotOutcome.TRANSPORT_ERROR:
                return ballot.detail or "a call failed"
    return ""
