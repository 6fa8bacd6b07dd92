"""The stage `taxonomy`: a panel of models proposes and selects risk scenarios."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from msgspec.structs import replace

from ...common import PanelRefusedError
from ..pipeline import TAXONOMY, TAXONOMY_LOG, Calls, StageContext, write_taxonomy
from ..prompts import prompt_hashes
from ._choose import choose
from ._estimate import taxonomy_calls
from ._group import Grouped, group
from ._items import Proposal
from ._merge import merge
from ._model_calls import TaxonomyCalls
from ._names import names_for
from ._propose import propose
from ._report import STAGE, check_calls, keep_proposals, why_none
from ._similarity import check_installed
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

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the files that it writes."""
        return () if context.settings.taxonomy is None else (TAXONOMY, TAXONOMY_LOG)

    def inputs(self, context: StageContext) -> object:
        """Return all that decides the result."""
        settings = context.settings
        if settings.taxonomy is None:
            return None
        return {
            "settings": asdict(settings.taxonomy),
            "seed": settings.seed,
            "max_tokens": settings.max_tokens,
            "panel": [member.identity() for member in context.models.panel],
            "foreperson": context.models.foreperson.identity(),
            "prompts": prompt_hashes(*_PROMPTS),
        }

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        """Return the estimated calls, as if all proposals differed."""
        settings = context.settings
        if settings.taxonomy is None:
            return ()
        return taxonomy_calls(context, settings.taxonomy)

    async def make(self, context: StageContext) -> None:
        """Make it.

        Raises:
            PanelRefusedError: No scenario was proposed, none was scored or voted on, or
                none has the votes; `taxonomy.jsonl` holds what there is.
            BudgetError: The budget is spent; the calls are in the journal.
            ModelError: See `StageCounts.settle`; what there is is written.
            ConfigurationError: A package is missing, or the taxonomy was edited in the meantime.
        """
        settings = context.settings.taxonomy
        if settings is None:
            return
        check_installed()
        context.progress.stage(self.name, None)
        calls = TaxonomyCalls(context)
        proposals = await propose(calls, settings.samples)
        proposals = await merge(calls, proposals, settings.similarity)
        marked = await vote(calls, [one for one in proposals if one.state != "merged"])
        proposals = _with(proposals, choose(marked, settings))
        kept = sorted((one for one in proposals if one.state == "kept"), key=_rank)
        if not kept:
            keep_proposals(calls, proposals)
            check_calls(calls, empty=True)
            raise PanelRefusedError(why_none(calls, proposals, settings))
        groups = await group(calls, kept, settings.categories)
        await _finish(calls, proposals, groups)
        check_calls(calls)


async def _finish(
    calls: TaxonomyCalls, proposals: Sequence[Proposal], groups: Sequence[Grouped]
) -> None:
    """Write the guidelines and the files, the taxonomy itself last."""
    texts = await word(calls, groups, proposals)
    names = names_for(groups)
    named = [
        replace(one, scenario=f"{category}.{names.scenarios[one.id]}", written=texts[one.id].origin)
        for each, category in zip(groups, names.categories, strict=True)
        for one in each.scenarios
    ]
    keep_proposals(calls, _with(proposals, named))
    text = taxonomy_yaml(groups, names, texts, proposals)
    write_taxonomy(calls.context, text)


def _with(proposals: Sequence[Proposal], changed: Sequence[Proposal]) -> list[Proposal]:
    by_id = {one.id: one for one in changed}
    return [by_id.get(one.id, one) for one in proposals]


def _rank(one: Proposal) -> int:
    assert one.standing is not None
    assert one.standing.rank is not None
    return one.standing.rank
