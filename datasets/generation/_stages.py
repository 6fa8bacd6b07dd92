"""The stages of a set, one after the other, each skipped if it is made already."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from ._estimate import Calls
from ._folder import COUNTS, PICTURES, SET, SPEECH, TAXONOMY
from ._items import Picture, Speech
from ._workshop import Workshop

MADE = "stages.json"
"""Which stages are made, from what, and what they left."""
_EDITABLE_BY = "taxonomy"
"""The stage whose file users may edit; the others' files are made again."""
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


class _Made(msgspec.Struct, frozen=True):
    """From what a stage was made, and what it left.

    Attributes:
        inputs: Hash of all that decided its result.
        outputs: SHA-256 of each file that it wrote.
        counts: Hash of what it counted.
    """

    inputs: str
    outputs: dict[str, str]
    counts: str


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
        DatasetError: What the stages counted cannot be read.
    """
    made = _made(workshop)
    for stage in stages:
        inputs = _hash(stage.inputs(workshop))
        before = made.get(stage.name)
        if stage.name not in again and before is not None and before.inputs == inputs:
            problem = _problem(stage, before, workshop)
            if problem is None:
                workshop.progress.told(f"{stage.name}: made before{_by_hand(before, workshop)}")
                continue
            workshop.progress.told(f"{stage.name}: {problem}, so it is made again")
        # Forgotten first: one that is cut short has left files of which nobody knows the inputs.
        if made.pop(stage.name, None) is not None:
            _keep(made, workshop)
        if stage.name != _ASSEMBLED_BY:
            _take_away_set(made, workshop)
        await stage.make(workshop)
        made[stage.name] = _Made(inputs, _outputs(stage, workshop), _counted(stage, workshop))
        _keep(made, workshop)


def file_hash(workshop: Workshop, name: str) -> str | None:
    """Return the SHA-256 of a file of the set, None where there is none."""
    if not workshop.folder.exists(name):
        return None
    with (workshop.folder.path / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def edited_by_hand(workshop: Workshop) -> bool:
    """Return whether the set's taxonomy is another than the panel made."""
    before = _made(workshop).get(_EDITABLE_BY)
    return before is not None and before.outputs.get(TAXONOMY) != file_hash(workshop, TAXONOMY)


def _made(workshop: Workshop) -> dict[str, _Made]:
    if not workshop.folder.exists(MADE):
        return {}
    try:
        content = (workshop.folder.path / MADE).read_bytes()
        return msgspec.json.decode(content, type=dict[str, _Made])
    except msgspec.DecodeError:
        return {}


def _keep(made: dict[str, _Made], workshop: Workshop) -> None:
    workshop.folder.write_bytes(MADE, msgspec.json.encode(made, order="deterministic"))


def _take_away_set(made: dict[str, _Made], workshop: Workshop) -> None:
    """Remove the set and what describes it."""
    if workshop.folder.exists(SET):
        workshop.progress.told(f"{SET} and its card are taken away until all stages are made")
    workshop.folder.remove(SET)
    assembled = made.pop(_ASSEMBLED_BY, None)
    if assembled is not None:
        for name in assembled.outputs:
            workshop.folder.remove(name)
        _keep(made, workshop)


def _problem(stage: Stage, before: _Made, workshop: Workshop) -> str | None:
    """Return what is not as a stage left it, None where all is."""
    for name in stage.outputs(workshop):
        found = file_hash(workshop, name)
        if found is None:
            return f"{name} is gone"
        if found != before.outputs.get(name) and name != TAXONOMY:
            return f"{name} is not as it was made"
    if _counted(stage, workshop) != before.counts:
        return f"{COUNTS} is not as it was made"
    for name, kind in _LISTS.items():
        if name in stage.outputs(workshop):
            for one in workshop.folder.read(name, kind):
                if one.file is not None and not workshop.folder.exists(one.file):
                    return f"{one.file} is gone"
    return None


def _by_hand(before: _Made, workshop: Workshop) -> str:
    if TAXONOMY not in before.outputs or not edited_by_hand(workshop):
        return ""
    return f"; {TAXONOMY} was edited by hand since"


def _outputs(stage: Stage, workshop: Workshop) -> dict[str, str]:
    hashes = {name: file_hash(workshop, name) for name in stage.outputs(workshop)}
    return {name: found for name, found in hashes.items() if found is not None}


def _counted(stage: Stage, workshop: Workshop) -> str:
    return _hash(workshop.folder.counts().get(stage.name))


def _hash(data: object) -> str:
    return hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()
