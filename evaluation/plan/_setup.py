"""From a config to all that a run needs, checked before the first call."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ...agents import HUMAN, prompt_hashes
from ...assembly import Config
from ...assembly.config import WAY_KEYS, TargetConfig, check_endpoints, check_keys, read_system
from ...assembly.jury import jury_spec
from ...assembly.models import model_spec
from ...assembly.servers import ServerBook
from ...common import ConfigurationError
from ...common.files import beside
from ...datasets import (
    NEUTRAL_TEXT,
    Condition,
    ImageFitting,
    Intent,
    LoadedSet,
    MediaStore,
    PicturePool,
    Taxonomy,
    image_variant,
)
from ...deliberation import RULES, JurySpec
from ...models import ModelRegistry, ModelSpec, Sampling, WhisperModel
from ...targets import ModelTarget, RecordedQuestions, RecordedTarget, ServerUse, Target
from ..record import MEDIA, known_by_name, without_secrets
from ..trials import Plan, PlannedCases, Trial, Used, applies, count_trials, trials
from ._datasets import dataset_label
from ._queries import Selection
from ._recorded_files import FROM_FILES, find_queries, recorded_notes
from ._recorded_models import open_recorded
from ._transcription import check_targets_hear, choose_whisper

_HOW_CALLED = {"api_key_env", "price", "timeout", *WAY_KEYS}
_HOW_RUN = {"python", "port", "start_timeout", "restarts", "env"}
_ELSEWHERE = {**dict.fromkeys(_HOW_CALLED, True), "vllm": _HOW_RUN}
_NOT_IDENTITY = {
    "limits": True,
    "run": {"name", "directory", "cache"},
    # Known by their hashes, which stand beside.
    "targets": {"__all__": {**_ELSEWHERE, "responses": True, "pictures": True, "system": True}},
    "jury": {
        "jurors": {"__all__": _ELSEWHERE},
        "foreperson": _ELSEWHERE,
        "transcriber": True,  # what was found for it stands beside
        "rubric": True,  # as its hash does
    },
}
"""What may change between a run and its repeat."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a run needs, checked, with nothing opened yet.

    Attributes:
        config: What it was made from.
        folder: Where relative paths of the config start.
        selection: The queries to ask.
        targets: The specs of targets that are models, by name.
        recorded: The files of targets that are recorded responses, by name.
        jury: The jury.
        conditions: The ways in which queries are put.
        pictures: Those of the queries where a condition shows others, else none.
        servers: The managed servers of targets and jury.
        whisper: What writes down sounds, None where nothing can or has to.
        plan: The cases that it is to have.
        systems: The system prompts of targets that have one, by name.
    """

    config: Config
    folder: Path
    selection: Selection
    targets: Mapping[str, ModelSpec]
    recorded: Mapping[str, RecordedTarget]
    jury: JurySpec
    conditions: tuple[Condition, ...]
    pictures: PicturePool
    servers: tuple[ServerUse, ...]
    whisper: WhisperModel | None
    plan: Plan
    systems: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def total(self) -> int:
        """Number of cases."""
        return self.plan.total

    @property
    def hosts(self) -> dict[str, str]:
        """The servers of targets that share theirs with no juror, by the targets' names."""
        kept = {use.name for use in self.servers if use.keep}
        return {
            target: spec.server
            for target, spec in self.targets.items()
            if spec.server is not None and spec.server not in kept
        }

    def targets_by_place(self) -> list[list[str]]:
        """Return the names of targets without a server of their own, those at one place together.

        Recorded responses are at one place, which is this machine.
        """
        hosts, places = self.hosts, dict[str | None, list[str]]()
        for target in self.config.targets:
            if target.name not in hosts:
                spec = self.targets.get(target.name)
                places.setdefault(spec and spec.place, []).append(target.name)
        return list(places.values())

    def trials(self, *targets: str) -> Iterator[Trial]:
        """Yield all trials of some targets, always in the same order."""
        found = trials(self.selection, targets, self.conditions, epochs=self.config.run.epochs)
        return map(self._as_put, filter(self._is_meant, found)) if self.uneven else found

    @property
    def uneven(self) -> bool:
        """Whether a target need not be asked every question in every epoch."""
        own = self.config.dataset == FROM_FILES
        return own or any(target.file.uneven for target in self.recorded.values())

    def _is_meant(self, trial: Trial) -> bool:
        target = self.recorded.get(trial.target)
        if target is None:
            return True
        # A question that one file asks need not have been put to another's target.
        skips = self.config.dataset == FROM_FILES or (target.file.uneven and trial.epoch > 0)
        return not skips or target.has(trial.query.id, trial.epoch)

    def _as_put(self, trial: Trial) -> Trial:
        """Return a trial whose query is as its target's file says that it was put."""
        questions = self.selection.dataset
        if not isinstance(questions, RecordedQuestions):
            return trial
        query = questions.as_put(trial.target, trial.query, trial.epoch)
        return trial if query is trial.query else replace(trial, query=query)

    def notes(self) -> Iterator[str]:
        """Yield what a user should know before the run begins, a line each."""
        return recorded_notes(self.recorded, self.config.run.epochs)

    def used(self) -> Used:
        """Return how much of the run's files is used."""
        dataset = self.selection.dataset
        items = len(dataset) if isinstance(dataset, LoadedSet) else 0
        return Used(items, {name: len(target) for name, target in self.recorded.items()})

    @property
    def taxonomy(self) -> Taxonomy:
        """The scenarios that the queries name."""
        return self.selection.dataset.taxonomy

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return beside(Path(), self.config.run.directory) / self.config.run.name

    @property
    def media(self) -> MediaStore:
        """Where the run keeps its pictures and sounds."""
        return MediaStore(self.directory / MEDIA)

    @property
    def judges_truncated(self) -> bool:
        """Whether the jury judges responses that the token cap cut short."""
        return self.config.run.truncated == "judge"

    @property
    def uses_embedded(self) -> bool:
        """Whether the embedded model takes part, so that verdicts mean nothing."""
        return any(spec.is_embedded for spec in (*self.targets.values(), *self.jury.models))

    def open_targets(self, registry: ModelRegistry) -> list[Target]:
        """Make the targets, in the order of the config."""
        media = self.media
        return [self._target(target, registry, media) for target in self.config.targets]

    def _target(self, target: TargetConfig, registry: ModelRegistry, media: MediaStore) -> Target:
        if target.name in self.recorded:
            return self.recorded[target.name]
        return ModelTarget(
            target.name,
            registry.open(self.targets[target.name]),
            max_tokens=self.config.run.max_tokens,
            seed=self.config.run.seed,
            sampling=Sampling(target.temperature, target.top_p),
            fitting=ImageFitting(target.image_limits, media),
            system=self.systems.get(target.name),
        )

    def plain(self, **options: Any) -> dict[str, Any]:
        """Return the config as plain data that names key variables and holds no secret."""
        data = self.config.model_dump(mode="json", **options)
        return cast(dict[str, Any], without_secrets(data))

    def identity(self) -> dict[str, object]:
        """Return all that decides what the results mean, as plain data."""
        config = cast(dict[str, Any], known_by_name(self.plain(exclude=_NOT_IDENTITY)))
        if not self.judges_truncated:  # as all runs before there was a choice
            del config["run"]["truncated"]
        config["dataset"] = {
            "name": dataset_label(self.config.dataset),
            "sha256": self.selection.dataset.sha256,
        }
        config["responses"] = {name: recorded.sha256 for name, recorded in self.recorded.items()}
        config["personas"] = [
            seat.persona.model_dump(mode="json") if seat.persona else HUMAN
            for seat in self.jury.seats
        ]
        config["sampling"] = self.jury.drawing()
        config["prompts"] = prompt_hashes()
        config["words"] = _hash_of_words(self.taxonomy)
        if self.systems:
            config["systems"] = {name: _hash_of(text) for name, text in self.systems.items()}
        if self.jury.rubric is not None:
            config["rubric"] = self.jury.rubric.identity()
        rule = RULES[self.jury.protocol.rule.name]
        if rule.source_sha256 is not None:
            config["rule"] = rule.source_sha256
        config["transcriber"] = None if self.whisper is None else self.whisper.source
        return config


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of_words(taxonomy: Taxonomy) -> str:
    """Return a hash of all else that is said to models: guidelines, and the text beside a sound."""
    guidelines = {scenario.id: scenario.guideline for scenario in taxonomy.scenarios}
    return _hash_of(json.dumps([guidelines, NEUTRAL_TEXT]))


def set_up(
    config: Config, folder: Path, recorded: Mapping[str, RecordedTarget] | None = None
) -> Setup:
    """Check everything that can be checked without a call.

    Args:
        config: The run's config.
        folder: Where its relative paths start.
        recorded: The files of its targets that are recorded responses, where they are
            open already.

    Raises:
        ConfigurationError: Something does not fit; the message says what to change.
    """
    check_targets_hear(config)
    check_keys(config)
    if recorded is None:
        config, recorded = open_recorded(config, folder)
    servers = ServerBook(folder)
    jury = jury_spec(config.jury, folder, servers, seed=config.run.seed)
    targets = {
        target.name: model_spec(target.as_model(), servers, user=target.name)
        for target in config.targets
        if target.responses is None
    }
    check_endpoints(config.limits, (*targets.values(), *jury.models))
    dataset = find_queries(
        config.dataset,
        folder,
        recorded,
        {target.name: target.join for target in config.targets if target.join is not None},
    )
    scenarios = (
        None
        if config.scenarios is None
        else frozenset(dataset.taxonomy.resolve(name).id for name in config.scenarios)
    )
    selection = Selection.of(dataset, scenarios, config.limit)
    conditions = _conditions(config)
    puts = _count_puts(selection, conditions)
    planned = (
        PlannedCases(target.name, *kind, cases * config.run.epochs)
        for target in config.targets
        for kind, cases in puts.items()
    )
    setup = Setup(
        config,
        folder,
        selection,
        targets,
        recorded,
        jury,
        conditions,
        _pictures(selection, conditions),
        servers=servers.uses,
        whisper=choose_whisper(
            config.jury.transcriber,
            folder,
            jurors=[seat.model for seat in jury.seats],
            sound=config.sound if selection.has_sound else (),
        ),
        plan=Plan.of(planned),
        systems={
            target.name: read_system(target.system, folder)
            for target in config.targets
            if target.system is not None
        },
    )
    if not setup.uneven:
        return setup
    names = [target.name for target in config.targets]
    return replace(setup, plan=count_trials(setup.trials(*names)))


def _conditions(config: Config) -> tuple[Condition, ...]:
    images = dict.fromkeys(image_variant(name).name for name in config.images)
    conditions = tuple(
        Condition(image, parts) for image in images for parts in dict.fromkeys(config.sound)
    )
    for target in config.targets:
        if target.responses is not None and conditions != (Condition(),):
            raise ConfigurationError(
                f"the target {target.name!r} is a file of responses, and they were given to the "
                "queries as the set has them: take out `images:` and `sound:`, or the target"
            )
    return conditions


def _pictures(selection: Selection, conditions: Sequence[Condition]) -> PicturePool:
    if all(condition.image != "random" for condition in conditions):
        return PicturePool()
    pictures = PicturePool(selection)
    if len(pictures) < 2:
        raise ConfigurationError(
            "`random` shows another picture of the set, which has fewer than two: "
            "take it out of `images:`"
        )
    return pictures


def _count_puts(
    selection: Selection, conditions: Sequence[Condition]
) -> Counter[tuple[str, str, Intent]]:
    """Return how often a target is asked in one epoch, by condition, scenario and intent."""
    puts = Counter(
        (condition.name, query.scenario, query.intent)
        for query in selection
        for condition in conditions
        if applies(condition, query)
    )
    if not puts:
        raise ConfigurationError(
            "no query has what `images:` or `sound:` would change: add `original` or `given`"
        )
    return puts
