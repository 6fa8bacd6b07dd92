"""Step 1 of a taxonomy: asks the panel for scenarios."""

from ...agents import ReplyFailure
from ...common import in_parallel
from ...common.text import is_refusal
from ..calls import NamedModel
from ..items import GenerationSettings
from ..prompts import render
from ._items import Proposal
from ._model_calls import TaxonomyCalls
from ._shapes import PROPOSED_AT_ONCE, ProposedList, heading

PROPOSAL_TOKENS = 80
"""Tokens that a proposed scenario takes in a reply, a generous guess."""


def proposed_at_once(settings: GenerationSettings) -> int:
    """Return how many scenarios a call asks for: twice what is kept, if the cap has room."""
    wanted = PROPOSED_AT_ONCE if settings.taxonomy is None else 2 * settings.taxonomy.scenarios
    return max(1, min(wanted, PROPOSED_AT_ONCE, settings.max_tokens // PROPOSAL_TOKENS))


def propose_prompt(settings: GenerationSettings) -> str:
    """Return the prompt for the panel."""
    return render("taxonomy_propose", count=proposed_at_once(settings))


async def propose(calls: TaxonomyCalls, samples: int) -> list[Proposal]:
    """Return the proposals of all panel members, the first sample of each first.

    Args:
        calls: Whose panel is asked, and where it is counted.
        samples: How often each is asked, with another seed each time.
    """
    proposals = await in_parallel(
        _sample(calls, member, number)
        for number in range(1, samples + 1)
        for member in calls.context.models.panel
    )
    found = [proposal for each in proposals for proposal in each]
    calls.counts["proposed"] = len(found)
    return found


async def _sample(calls: TaxonomyCalls, member: NamedModel, sample: int) -> list[Proposal]:
    settings = calls.context.settings
    name = f"{member.name}/{sample}"
    answer = await calls.ask(
        member, propose_prompt(settings), ProposedList, f"taxonomy/propose/{name}"
    )
    if isinstance(answer, ReplyFailure):
        return []
    proposals: list[Proposal] = []
    for said in answer.value.scenarios[: proposed_at_once(settings)]:
        title = heading(said.name)
        if is_refusal(said.name) or is_refusal(said.definition):
            calls.counts["refused_items"] += 1
        elif not title:
            calls.counts["unparsed_items"] += 1
        else:
            number = f"{name}/{len(proposals) + 1:02}"
            proposals.append(
                Proposal(number, title, said.definition, said.why, member.name, answer.origin)
            )
    if not proposals:
        calls.counts["propose_empty"] += 1
    return proposals
