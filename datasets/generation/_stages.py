"""The stages of a set, one after the other, each skipped if it is made already."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from ._estimate import Calls
from ._workshop import Workshop

MADE = "stages.json"
"""Which stages are made, and from what."""


class Stage(Protocol):
    """One step on the way to a set.

    A stage that is cut short may be made again: its calls are in the journal, so none
    is paid for twice. It writes its files whole, at its end.
    """

    @property
    def name(self) -> str:
        """Its name, by which it is made again."""
        ...

    def outputs(self, workshop: Workshop) -> Collection[str]:
        """Return the files that it writes, within the set's folder."""
        ...

    def inputs(self, workshop: Workshop) -> object:
        """Return all that decides its result, as plain data.

        That is its settings, the models' names, and the hashes of the files that it reads.
        """
        ...

    def estimate(self, workshop: Workshop) -> Sequence[Calls]:
        """Return the calls that it takes at most, from the settings alone."""
        ...

    async def make(self, workshop: Workshop) -> None:
        """Make it.

        Raises:
            PanelRefusedError: Too many models refused for it to go on; what there is
                is kept.
        """
        ...


async def make_stages(
    stages: Sequence[Stage], workshop: Workshop, *, again: Collection[str] = ()
) -> None:
    """Make the stages that are not made yet, or were made from something else.

    Args:
        stages: In order.
        workshop: What they work with.
        again: Names of stages to make in any case.

    Raises:
        PanelRefusedError: See `Stage.make`.
    """
    made = _made(workshop)
    for stage in stages:
        inputs = hashlib.sha256(
            msgspec.json.encode(stage.inputs(workshop), order="deterministic")
        ).hexdigest()
        there = all(workshop.folder.exists(name) for name in stage.outputs(workshop))
        if stage.name not in again and there and made.get(stage.name) == inputs:
            workshop.progress.told(f"{stage.name}: made before")
            continue
        # Forgotten first: one that is cut short has left files of which nobody knows the inputs.
        if made.pop(stage.name, None) is not None:
            workshop.folder.write_bytes(MADE, msgspec.json.encode(made))
        await stage.make(workshop)
        made[stage.name] = inputs
        workshop.folder.write_bytes(MADE, msgspec.json.encode(made))


def _made(workshop: Workshop) -> dict[str, str]:
    if not workshop.folder.exists(MADE):
        return {}
    try:
        return msgspec.json.decode((workshop.folder.path / MADE).read_bytes(), type=dict[str, str])
    except msgspec.DecodeError:
        return {}


def file_hash(workshop: Workshop, name: str) -> str | None:
    """Return the SHA-256 of a file of the set, None where there is none."""
    if not workshop.folder.exists(name):
        return None
    with (workshop.folder.path / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
