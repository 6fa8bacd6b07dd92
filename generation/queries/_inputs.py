"""Collects what decides the result of a stage with dialogues."""

from ..calls import NamedModel
from ..pipeline import StageContext
from ..prompts import prompt_hashes


def dialogue_inputs(context: StageContext, *prompts: str) -> dict[str, object]:
    """Return models, seed, scenarios and prompts as plain data.

    Args:
        context: What the stage works with.
        prompts: Names of the prompt files that it uses.
    """
    taxonomy, settings = context.taxonomy(), context.settings
    scenarios = [taxonomy.resolve(name) for name in context.scenario_ids()]
    return {
        "generator": _speaker(context.models.generator),
        "panel": [_speaker(member) for member in context.models.panel],
        "seed": settings.seed,
        "max_tokens": settings.max_tokens,
        "scenarios": [[one.id, one.title, one.definition] for one in scenarios],
        "prompts": prompt_hashes(*prompts),
    }


def _speaker(member: NamedModel) -> dict[str, object]:
    return dict(zip(("name", "model", "sampling"), member.identity(), strict=True))
