"""What decides the result of a stage in which generator and panel talk."""

from ..calls import Member
from ..pipeline import Workshop
from ..prompts import prompt_hashes


def dialogue_inputs(workshop: Workshop, *prompts: str) -> dict[str, object]:
    """Return the speakers, the seed, the scenarios and the prompts as plain data.

    Args:
        workshop: What the stage works with.
        prompts: Names of the prompt files that it uses.
    """
    taxonomy, settings = workshop.taxonomy(), workshop.settings
    scenarios = [taxonomy.resolve(name) for name in workshop.scenario_ids()]
    return {
        "generator": _speaker(workshop.cast.generator),
        "panel": [_speaker(member) for member in workshop.cast.panel],
        "seed": settings.seed,
        "max_tokens": settings.max_tokens,
        "scenarios": [[one.id, one.title, one.definition] for one in scenarios],
        "prompts": prompt_hashes(*prompts),
    }


def _speaker(member: Member) -> dict[str, object]:
    return dict(zip(("name", "model", "sampling"), member.identity(), strict=True))
