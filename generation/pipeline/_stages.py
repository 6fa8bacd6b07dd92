"""Makes the stages of a set in order, and skips those that are up to date."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ..items import Picture, Speech
from ._context import StageContext
from ._editable import check_unedited, edited_by_hand, unfinished
from ._estimate import Calls
from ._folder import COUNTS, PICTURES, SET, SPEECH, TAXONOMY
from ._stage_records import StageRecord, read_stage_records, write_stage_records

_ASSEMBLED_BY = "card"
"""The stage that makes the set itself of what the others left."""
_LISTS: dict[str, type[Picture] | type[Speech]] = {PICTURES: Picture, SPEECH: Speech}
"""Files that name media."""


class Stage(Protocol):
    """A step in the making of a set.

    A stage that is cut short may be made again: its calls are in the journal, so none
    is paid for twice. It writes its files whole, at its end.
    """

    @property
    def name(self) -> str:
        """Its name, as `--again` and `--until` take it."""
        ...

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the files that it writes, within the set's folder."""
        ...

    def inputs(self, context: StageContext) -> object:
        """Return all that decides its result, as plain data.

        That is its settings, the models' names, and the hashes of the files that it reads.
        """
        ...

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        """Return the estimated calls, from the settings alone."""
        ...

    async def make(self, context: StageContext) -> None:
        """Make it.

        Raises:
            PanelRefusedError: Too many models refused for it to go on; what there is
                is kept.
        """
        ...


async def make_stages(
    stages: Sequence[Stage], context: StageContext, *, again: Collection[str] = ()
) -> None:
    """Make the stages that are missing, outdated or changed.

    The set itself is taken away before a stage that it is made of, so that none is taken
    for whole which is not of the files beside it.

    Args:
        stages: In order.
        context: What they work with.
        again: Names of stages to make in any case.

    Raises:
        PanelRefusedError: See `Stage.make`.
        ModelError: Calls of a stage failed: it is not made, nor are those after it.
        DatasetError: What the stages counted cannot be read, or a taxonomy that was edited
            would be overwritten without `again`.
    """
    made = read_stage_records(context)
    for stage in stages:
        inputs = _hash(stage.inputs(context))
        if stage.name not in again:
            if _is_made(stage, inputs, made.get(stage.name), context):
                continue
            if TAXONOMY in stage.outputs(context):
                check_unedited(context)
        _forget(stage, made, context)
        if stage.name != _ASSEMBLED_BY:
            _take_away_set(made, context)
        await stage.make(context)
        made[stage.name] = StageRecord(inputs, _outputs(stage, context), _counted(stage, context))
        write_stage_records(made, context)


def _is_made(stage: Stage, inputs: str, before: StageRecord | None, context: StageContext) -> bool:
    """Return whether a stage is up to date, and report it."""
    if before is None or before.inputs != inputs:
        return False
    problem = _problem(stage, before, context)
    if problem is None:
        context.progress.notify(f"{stage.name}: up to date{_by_hand(stage, before, context)}")
        return True
    context.progress.notify(f"{stage.name}: {problem}; making it again")
    return False


def _forget(stage: Stage, made: dict[str, StageRecord], context: StageContext) -> None:
    """Remove the record of a stage before it runs, in case it is interrupted."""
    before = made.pop(stage.name, None)
    begun = unfinished(context) if TAXONOMY in stage.outputs(context) else None
    if begun is not None:
        made[stage.name] = begun
    if begun != before:
        write_stage_records(made, context)


def _take_away_set(made: dict[str, StageRecord], context: StageContext) -> None:
    """Remove the assembled set and its card."""
    if context.folder.exists(SET):
        context.progress.notify(f"removing {SET} and its card until all stages are up to date")
    context.folder.remove(SET)
    assembled = made.pop(_ASSEMBLED_BY, None)
    if assembled is not None:
        for name in assembled.outputs:
            context.folder.remove(name)
        write_stage_records(made, context)


def _problem(stage: Stage, before: StageRecord, context: StageContext) -> str | None:
    """Return which output has changed since it was made, None if none has."""
    for name in stage.outputs(context):
        found = context.folder.hash_of(name)
        if found is None:
            return f"{name} is missing"
        if found != before.outputs.get(name) and name != TAXONOMY:
            return f"{name} has changed since it was made"
    if _miscounted(stage, before, context) and not _is_edited(stage, context):
        return f"{COUNTS} has changed since it was made"
    return _medium_problem(stage, context)


def _medium_problem(stage: Stage, context: StageContext) -> str | None:
    """Return which media file is missing or damaged, None if none is."""
    for name in _LISTS.keys() & set(stage.outputs(context)):
        for one in context.folder.read(name, _LISTS[name]):
            if one.file is None or context.folder.hash_of(one.file) == Path(one.file).stem:
                continue
            return f"{one.file} is {'damaged' if context.folder.exists(one.file) else 'missing'}"
    return None


def _by_hand(stage: Stage, before: StageRecord, context: StageContext) -> str:
    if not _is_edited(stage, context):
        return ""
    lost = f", and {COUNTS} lacks its counts" if _miscounted(stage, before, context) else ""
    return f"; {TAXONOMY} was edited by hand{lost}"


def _is_edited(stage: Stage, context: StageContext) -> bool:
    return TAXONOMY in stage.outputs(context) and edited_by_hand(context)


def _miscounted(stage: Stage, before: StageRecord, context: StageContext) -> bool:
    return _counted(stage, context) != before.counts


def _outputs(stage: Stage, context: StageContext) -> dict[str, str]:
    hashes = {name: context.folder.hash_of(name) for name in stage.outputs(context)}
    return {name: found for name, found in hashes.items() if found is not None}


def _counted(stage: Stage, context: StageContext) -> str:
    return _hash(context.folder.counts().get(stage.name))


def _hash(data: object) -> str:
    return hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()
