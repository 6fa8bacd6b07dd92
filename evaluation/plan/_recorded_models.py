"""Opens files of responses, with one target for each model that they name."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from ...assembly import Config
from ...assembly.config import FactsConfig, TargetConfig
from ...common import ConfigurationError
from ...common.files import resolve_path
from ...common.text import LONGEST_NAME, plain_name, unique_name
from ...datasets import Intent
from ...datasets.loaders import resolve_categories
from ...datasets.tables import LABEL, Intents
from ...targets import RecordedFile, RecordedTarget
from ._recorded_files import FROM_FILES

MOST_MODELS = 100
"""More are no models: a column of that name may hold something else."""
_UNNAMED = "no-model"
"""What a target is called whose rows name no model, beside others that do."""


def open_recorded(
    config: Config,
    folder: Path,
    *,
    models: Sequence[str] = (),
    place: Path | None = None,
    given: Container[str] = (),
) -> tuple[Config, dict[str, RecordedTarget]]:
    """Open the files of all targets that are recorded responses.

    Args:
        config: The run's config.
        folder: Where its relative paths start.
        models: The only models that are meant, of the one target of `safejury judge`.
        place: Where that target's file lies, whose name a config may be unable to hold.
        given: Names of targets that are open already, or no files after all.

    Returns:
        The config, in which a target whose file names several models is replaced by one for
        each of them, and these targets by name.

    Raises:
        ConfigurationError: A file cannot be read, no row of it can be used, or it names
            too many models.
    """
    opened = _Files(folder, place)
    recorded: dict[str, RecordedTarget] = {}
    targets: list[TargetConfig] = []
    for said in config.targets:
        if said.responses is None or said.name in given:
            targets.append(said)
            continue
        _refuse_what_a_dataset_says(said, config)
        file = opened.file(said)
        taken = {*(each.name for each in config.targets if each is not said), *recorded}
        for each in _by_model(said, file, taken, models):
            recorded[each.name] = RecordedTarget(each.name, file, model=each.model)
            targets.append(each)
    return config.model_copy(update={"targets": targets}), recorded


def _refuse_what_a_dataset_says(said: TargetConfig, config: Config) -> None:
    if config.dataset == FROM_FILES:
        return
    if said.says_intent:
        raise ConfigurationError(
            f"the target {said.name!r} says what its questions are meant for, but the dataset says "
            "that: take its intent out, or the dataset"
        )
    if said.pictures is not None:
        raise ConfigurationError(
            f"the target {said.name!r} says where the pictures of its questions lie, but the "
            "dataset has pictures of its own: take `pictures:` out, or the dataset"
        )
    if said.categories is not None:
        raise ConfigurationError(
            f"the target {said.name!r} has a map of categories, but scenarios are those of the "
            "questions, which the dataset has: say it of the dataset"
        )
    label = next((key for key in said.map if key.startswith(LABEL)), None)
    if label is not None:
        raise ConfigurationError(
            f"the target {said.name!r} maps {label!r}, but labels are those of the questions, "
            "which the dataset has: take it out of the map, or map it for the dataset"
        )


class _Files:
    """Opens files of responses, once for all targets that read one alike."""

    def __init__(self, folder: Path, place: Path | None) -> None:
        self._folder = folder
        self._place = place
        self._opened: dict[str, RecordedFile] = {}

    def file(self, said: TargetConfig) -> RecordedFile:
        """Return the file of a target."""
        alike = said.model_copy(update={"name": "", "model": None, "facts": FactsConfig()})
        key = alike.model_dump_json()
        if key not in self._opened:
            words = said.intent_words or {}
            self._opened[key] = RecordedFile(
                self._place or resolve_path(self._folder, said.responses or ""),
                format=said.format,
                mapping=said.map,
                categories=resolve_categories(said.categories, self._folder),
                intent=None if said.intent is None else Intent(said.intent),
                pictures=None
                if said.pictures is None
                else resolve_path(self._folder, said.pictures),
                intents=Intents({str(name): listed for name, listed in words.items()}),
            )
        return self._opened[key]


def _by_model(
    said: TargetConfig, file: RecordedFile, taken: set[str], models: Sequence[str]
) -> Iterator[TargetConfig]:
    """Yield a target for each selected model, named after it."""
    if not models and (said.model is not None or not file.is_split):
        yield said
        return
    meant = list(dict.fromkeys(models)) or file.models
    if len(meant) > MOST_MODELS:
        raise ConfigurationError(
            f"{file.path}: names {len(meant):,} models, more than the {MOST_MODELS} that can be "
            "told apart: is it another column that names them (map model=COLUMN), or name those "
            "that are meant (--model, `model:`)"
        )
    names = {name.casefold() for name in taken}
    facts = said.facts if len(meant) == 1 else FactsConfig()  # of which model, is not said
    for model in meant:
        name = _name(model, said.name, names)
        names.add(name.casefold())
        yield said.model_copy(update={"name": name, "model": model, "facts": facts})


def _name(model: str, target: str, taken: set[str]) -> str:
    """Return a unique target name for a model."""
    name = plain_name(model) or _UNNAMED
    if name.casefold() in taken:
        name = f"{target}-{name}"[:LONGEST_NAME]
    # Names that differ in their case only would be hard to tell apart.
    return name if name.casefold() not in taken else unique_name(name.casefold(), taken)
