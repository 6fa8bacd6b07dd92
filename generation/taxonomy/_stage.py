"""The stage `taxonomy`: which risk scenarios a set is made for, as a panel of models sees it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from msgspec.structs import replace

from ...common import PanelRefusedError
from ..pipeline import TAXONOMY, TAXONOMY_LOG, Calls, Workshop, write_taxonomy
from ..prompts import prompt_hashes
from ._choose import choose
from ._estimate import taxonomy_calls
from ._group import Grouped, group
from ._items import Proposal
from ._likeness import check_installed
from ._merge import merge
from ._names import names_for
from ._propose import propose
from ._report import STAGE, check_calls, keep_proposals, why_none
from ._table import Table
from ._vote import vote
from ._write import word
from ._yaml import taxonomy_yaml

_PROMPTS = tuple(f"taxonomy_{step}" for step in ("propose", "merge", "score", "group", "write"))


class TaxonomyStage:
    """Finds scenarios: proposals, merging, scores and votes, categories, guidelines.

    It writes `taxonomy.yaml`, and `taxonomy.jsonl` with all that was proposed. Without
    `settings.taxonomy` it does nothing: the bundled scenarios are taken.
    """

    name = STAGE

    def outputs(self, workshop: Workshop) -> Collection[str]:
        """Return the files that it writes."""
        return () if workshop.settings.taxonomy is None else (TAXONOMY, TAXONOMY_LOG)

    def inputs(self, workshop: Workshop) -> object:
        """Return what decides which scenarios there are."""
        settings = workshop.settings
        if settings.taxonomy is None:
            return None
        return {
            "settings": asdict(settings.taxonomy),
            "seed": settings.seed,
            "max_tokens": settings.max_tokens,
            "panel": [member.identity() for member in workshop.cast.panel],
            "foreperson": workshop.cast.foreperson.identity(),
            "prompts": prompt_hashes(*_PROMPTS),
        }

    def estimate(self, workshop: Workshop) -> Sequence[Calls]:
        """Return the calls to expect, a guess: as if no two proposals were the same."""
        settings = workshop.settings
        if settings.taxonomy is None:
            return ()
        return taxonomy_calls(workshop, settings.taxonomy)

    async def make(self, workshop: Workshop) -> None:
        """Make it.

        Raises:
            PanelRefusedError: Nobody proposed a scenario, nobody scored one or voted, or
                none has the votes; `taxonomy.jsonl` holds what there is.
            BudgetError: The budget is spent; the calls are in the journal.
            ModelError: See `StageCounts.settle`; what there is is written.
            ConfigurationError: A package is missing, or the taxonomy was edited in the meantime.
        """
        settings = workshop.settings.taxonomy
        if settings is None:
            return
        check_installed()
        workshop.progress.stage(self.name, None)
        table = Table(workshop)
        proposals = await propose(table, settings.samples)
        proposals = await merge(table, proposals, settings.similarity)
        marked = await vote(table, [one for one in proposals if one.state != "merged"])
        proposals = _with(proposals, choose(marked, settings))
        kept = sorted((one for one in proposals if one.state == "kept"), key=_rank)
        if not kept:
            keep_proposals(table, proposals)
            check_calls(table, empty=True)
            raise PanelRefusedError(why_none(table, proposals, settings))
        groups = await group(table, kept, settings.categories)
        await _finish(table, proposals, groups)
        check_calls(table)


async def _finish(table: Table, proposals: Sequence[Proposal], groups: Sequence[Grouped]) -> None:
    """Write the guidelines and the files, the taxonomy itself last."""
    worded = await word(table, groups, proposals)
    names = names_for(groups)
    named = [
        replace(
            one, scenario=f"{category}.{names.scenarios[one.id]}", written=worded[one.id].origin
        )
        for each, category in zip(groups, names.categories, strict=True)
        for one in each.scenarios
    ]
    keep_proposals(table, _with(proposals, named))
    text = taxonomy_yaml(groups, names, worded, proposals)
    write_taxonomy(table.workshop, text)


def _with(proposals: Sequence[Proposal], changed: Sequence[Proposal]) -> list[Proposal]:
    by_id = {one.id: one for one in changed}
    return [by_id.get(one.id, one) for one in proposals]


def _rank(one: Proposal) -> int:
    assert one.standing is not None
    assert one.standing.rank is not None
    return one.standing.rank
