"""The stage `card`: assembles the set and describes it."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec

from ...common import ConfigurationError, DatasetError, require
from ...datasets import Dataset, load_dataset, write_jsonl
from ..items import FROM_DESCRIPTIONS, Candidate, GenerationSettings
from ..pipeline import (
    CALLS,
    CANDIDATES,
    PICTURES,
    QUERIES,
    SET,
    SPEECH,
    TAXONOMY,
    TWINS,
    CallJournal,
    Calls,
    SetFolder,
    StageContext,
)
from ._assembled import items, queries, taxonomy_of
from ._charts import chart_files, write_charts
from ._croissant import CROISSANT, write_croissant
from ._figures import ItemFigures, MediaFigures
from ._items import Card, ModelFigures, Role
from ._markdown import card_markdown
from ._panel import PanelFigures, judges, missing_replies
from ._paper import QUALITY
from ._provenance import PROVENANCE, write_provenance

T = TypeVar("T")
CARD, CARD_MARKDOWN = "card.json", "card.md"
_EXTRA = ("jinja2", "matplotlib", "mlcroissant")


def check_card(folder: Path, settings: GenerationSettings) -> None:
    """Check that the card can be made, before anything is paid for.

    Args:
        folder: The set's, which need not be there.
        settings: What the set is to be like.

    Raises:
        ConfigurationError: A package is missing, or another config's scenarios are in the folder.
    """
    own = folder / TAXONOMY
    if settings.taxonomy is None and own.exists():
        raise ConfigurationError(
            f"{own} is left over from another config, and a run would read it: delete "
            "it, or choose another set.name"
        )
    require("the card", *_EXTRA)


class CardStage:
    """Assembles the set and describes it, without calling a model.

    It writes `set.jsonl`, which a run takes, `provenance.jsonl`, `croissant.json`,
    `card.json`, `card.md`, and `charts/`.
    """

    name = "card"

    def outputs(self, context: StageContext) -> Collection[str]:
        """Return the files that it writes."""
        return SET, PROVENANCE, CROISSANT, CARD, CARD_MARKDOWN, *chart_files()

    def inputs(self, context: StageContext) -> object:
        """Return all that decides its result; no secret is among it."""
        settings = context.settings
        files = (TAXONOMY, CANDIDATES, QUERIES, TWINS, PICTURES, SPEECH)
        return {
            "name": settings.name,
            "purpose": settings.purpose,
            "licence": settings.license,
            "seed": settings.seed,
            "taxonomy": taxonomy_of(context),
            "scenarios": settings.scenarios,
            "queries": asdict(settings.queries),
            "voices": None if settings.speech is None else settings.speech.voices,
            "made": sorted(_made(settings)),
            "files": {name: context.folder.hash_of(name) for name in files},
            "counts": context.folder.counts(),
            "cast": [[one.role, one.name, one.model] for one in _roles(context)],
            "spent": _costs(context.folder),
            "version": version("safejury"),
        }

    def estimate(self, context: StageContext) -> Sequence[Calls]:
        """Return nothing: it makes no calls."""
        return ()

    async def make(self, context: StageContext) -> None:
        """Make it.

        Raises:
            ConfigurationError: See `check_card`.
            DatasetError: There is no query, the stages' files are not of one making, a
                picture or recording is missing, or the metadata is not what Croissant takes.
        """
        check_card(context.folder.path, context.settings)
        _check_whole(context)
        folder, settings = context.folder, context.settings
        context.progress.stage(self.name, 5)
        made = await _step(context, SET, lambda: _write_set(context))
        await _step(context, PROVENANCE, lambda: write_provenance(context))
        notes = await _step(context, CROISSANT, lambda: write_croissant(folder, settings))
        card = await _step(context, CARD, lambda: _write_card(context, made, notes))
        await _step(context, "charts", lambda: write_charts(folder, card))


async def _step(context: StageContext, note: str, work: Callable[[], T]) -> T:
    done = await asyncio.to_thread(work)
    context.progress.step(1, note)
    return done


def _check_whole(context: StageContext) -> None:
    folder = context.folder
    if next(folder.read(QUERIES, Candidate), None) is None:
        raise DatasetError(f"{folder.path / QUERIES}: holds no query: make the stage queries first")


def _write_set(context: StageContext) -> Dataset:
    """Write `set.jsonl`, and load it as a run does."""
    path = context.folder.path / SET
    write_jsonl(path, queries(context), private=True)
    return load_dataset(path)


def _write_card(context: StageContext, made: Dataset, notes: list[str]) -> Card:
    card = _card(context, made, notes)
    content = msgspec.json.format(msgspec.json.encode(card), indent=2)
    context.folder.write_bytes(CARD, content)
    context.folder.write_bytes(CARD_MARKDOWN, card_markdown(card).encode())
    return card


def _card(context: StageContext, made: Dataset, notes: list[str]) -> Card:
    settings = context.settings
    figures = ItemFigures(context.taxonomy(), context.scenario_ids())
    media = MediaFigures()
    for item in items(context):
        figures.add(item)
        media.add(item)
    panel = PanelFigures(context)
    wanted = _made(settings)
    counts = {stage: n for stage, n in context.folder.counts().items() if stage in wanted}
    return Card(
        settings.name,
        settings.purpose,
        settings.license,
        settings.seed,
        version("safejury"),
        made.sha256,
        context.folder.hash_of(SET) or "",
        len(made),
        taxonomy_of(context),
        figures.categories(QUALITY if settings.taxonomy is None else {}),
        figures.scenarios(),
        figures.modalities,
        figures.balance(settings.queries.per_scenario),
        figures.twin_harm,
        panel.agreement_proposed,
        panel.agreement_kept,
        panel.funnel(),
        media.pictures(),
        media.voices(),
        missing_replies(counts),
        judges(counts),
        counts,
        _roles(context),
        _costs(context.folder),
        notes,
    )


def _made(settings: GenerationSettings) -> set[str]:
    """Return the stages that the settings ask for."""
    asked = {
        "taxonomy": settings.taxonomy,
        "queries": settings.queries,
        "twins": settings.twins,
        "pictures": settings.pictures,
        "speech": settings.speech,
    }
    return {stage for stage, wanted in asked.items() if wanted is not None}


def _roles(context: StageContext) -> list[Role]:
    """Return the models that the settings use, by role."""
    models, settings = context.models, context.settings
    members = [*(("panel", member) for member in models.panel), ("generator", models.generator)]
    if settings.taxonomy is not None:
        members.append(("foreperson", models.foreperson))
    pictures = settings.pictures
    if pictures is not None and FROM_DESCRIPTIONS & {pictures.renderer, pictures.fallback}:
        members.append(("describer", models.describer))
        members += [] if models.viewer is None else [("viewer", models.viewer)]
    return [Role(role, member.name, member.model.name) for role, member in members]


def _costs(folder: SetFolder) -> list[ModelFigures]:
    if not folder.exists(CALLS):
        return []
    journal = CallJournal(folder.path)
    try:
        return [
            ModelFigures(
                model,
                spent.calls,
                spent.prompt_tokens,
                spent.completion_tokens,
                spent.usd,
                spent.unknown_prices,
            )
            for model, spent in journal.costs_by_model().items()
        ]
    finally:
        journal.close()
