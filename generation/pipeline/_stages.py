"""The stages of a set, one after the other, each skipped if it is made already."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ..items import Picture, Speech
from ._editable import check_unedited, edited_by_hand, unfinished
from ._estimate import Calls
from ._folder import COUNTS, PICTURES, SET, SPEECH, TAXONOMY
from ._made import Made, keep_made, read_made
from ._workshop import Workshop

_ASSEMBLED_BY = "card"
"""The stage that makes the set itself of what the others left."""
_LISTS: dict[str, type[Picture] | type[Speech]] = {PICTURES: Picture, SPEECH: Speech}
"""Files that name media."""


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
        """Return the calls to expect, a guess and no bound, from the settings alone."""
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
    """Make the stages that are not made yet, were made from something else, or were changed.

    The set itself is taken away before a stage that it is made of, so that none is taken
    for whole which is not of the files beside it.

    Args:
        stages: In order.
        workshop: What they work with.
        again: Names of stages to make in any case.

    Raises:
        PanelRefusedError: See `Stage.make`.
        ModelError: Calls of a stage failed: it is not made, nor are those after it.
        DatasetError: What the stages counted cannot be read, or a taxonomy that was edited
            would be overwritten, which nobody asked for.
    """
    made = read_made(workshop)
    for stage in stages:
        inputs = _hash(stage.inputs(workshop))
        if stage.name not in again:
            if _is_made(stage, inputs, made.get(stage.name), workshop):
                continue
            if TAXONOMY in stage.outputs(workshop):
                check_unedited(workshop)
        _forget(stage, made, workshop)
        if stage.name != _ASSEMBLED_BY:
            _take_away_set(made, workshop)
        await stage.make(workshop)
        made[stage.name] = Made(inputs, _outputs(stage, workshop), _counted(stage, workshop))
        keep_made(made, workshop)


def _is_made(stage: Stage, inputs: str, before: Made | None, workshop: Workshop) -> bool:
    """Return whether a stage is made already of these inputs, and tell so, or why it is not."""
    if before is None or before.inputs != inputs:
        return False
    problem = _problem(stage, before, workshop)
    if problem is None:
        workshop.progress.notify(f"{stage.name}: made before{_by_hand(stage, before, workshop)}")
        return True
    workshop.progress.notify(f"{stage.name}: {problem}, so it is made again")
    return False


def _forget(stage: Stage, made: dict[str, Made], workshop: Workshop) -> None:
    """Forget a stage: one that is cut short has left files of which nobody knows the inputs."""
    before = made.pop(stage.name, None)
    begun = unfinished(workshop) if TAXONOMY in stage.outputs(workshop) else None
    if begun is not None:
        made[stage.name] = begun
    if begun != before:
        keep_made(made, workshop)


def _take_away_set(made: dict[str, Made], workshop: Workshop) -> None:
    """Remove the set and what describes it."""
    if workshop.folder.exists(SET):
        workshop.progress.notify(f"{SET} and its card are taken away until all stages are made")
    workshop.folder.remove(SET)
    assembled = made.pop(_ASSEMBLED_BY, None)
    if assembled is not None:
        for name in assembled.outputs:
            workshop.folder.remove(name)
        keep_made(made, workshop)


def _problem(stage: Stage, before: Made, workshop: Workshop) -> str | None:
    """Return what is not as a stage left it, None where all is."""
    for name in stage.outputs(workshop):
        found = workshop.folder.hash_of(name)
        if found is None:
            return f"{name} is gone"
        if found != before.outputs.get(name) and name != TAXONOMY:
            return f"{name} is not as it was made"
    if _miscounted(stage, before, workshop) and not _is_edited(stage, workshop):
        return f"{COUNTS} is not as it was made"
    return _medium_problem(stage, workshop)


def _medium_problem(stage: Stage, workshop: Workshop) -> str | None:
    """Return which picture or recording is not what its name says, the hash of its content."""
    for name in _LISTS.keys() & set(stage.outputs(workshop)):
        for one in workshop.folder.read(name, _LISTS[name]):
            if one.file is None or workshop.folder.hash_of(one.file) == Path(one.file).stem:
                continue
            return f"{one.file} is {'damaged' if workshop.folder.exists(one.file) else 'gone'}"
    return None


def _by_hand(stage: Stage, before: Made, workshop: Workshop) -> str:
    if not _is_edited(stage, workshop):
        return ""
    lost = f", and {COUNTS} lacks its counts" if _miscounted(stage, before, workshop) else ""
    return f"; {TAXONOMY} was edited by hand since{lost}"


def _is_edited(stage: Stage, workshop: Workshop) -> bool:
    return TAXONOMY in stage.outputs(workshop) and edited_by_hand(workshop)


def _miscounted(stage: Stage, before: Made, workshop: Workshop) -> bool:
    return _counted(stage, workshop) != before.counts


def _outputs(stage: Stage, workshop: Workshop) -> dict[str, str]:
    hashes = {name: workshop.folder.hash_of(name) for name in stage.outputs(workshop)}
    return {name: found for name, found in hashes.items() if found is not None}


def _counted(stage: Stage, workshop: Workshop) -> str:
    return _hash(workshop.folder.counts().get(stage.name))


def _hash(data: object) -> str:
    return hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()
