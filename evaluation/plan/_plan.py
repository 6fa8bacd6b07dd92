"""The plan of a run: checked, plain data, with nothing opened yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...assembly.config import RunConfig, RunLimitsConfig, TelemetryConfig, most_calls
from ...common.files import resolve_path
from ...datasets import Condition, MediaStore, PicturePool, Taxonomy
from ...deliberation import JurySpec
from ...models import ModelSpec, WhisperModel
from ...targets import (
    FunctionTarget,
    ModelTargetSpec,
    RecordedQuestions,
    RecordedTarget,
    ServerUse,
)
from ..record import MEDIA
from ..trials import Plan, Trial, trials
from ._queries import Selection

CASES_PER_CALL = 2
"""Cases under way per concurrent call: with fewer, calls would idle during deliberations."""
TargetSpec = ModelTargetSpec | RecordedTarget | FunctionTarget
"""A target before it is opened; one that opens nothing is its own."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The checked plan of a run.

    Attributes:
        dataset: What its dataset is called.
        selection: The queries to ask.
        targets: Who is asked, in order.
        jury: Who judges, and how.
        conditions: The ways in which queries are put.
        pictures: Those of the queries where a condition shows others, else none.
        servers: The managed servers of targets and jury.
        whisper: What writes down sounds, None where nothing can or has to.
        planned: The cases that it is to have.
        limits: What it may take.
        options: Its name and place, and what makes it repeatable.
        config: The config that it was made from, as plain data without secrets.
        decisive: That part of the config which decides what the results mean.
        telemetry: What is sent of it by OpenTelemetry.
    """

    dataset: str
    selection: Selection
    targets: tuple[TargetSpec, ...]
    jury: JurySpec
    conditions: tuple[Condition, ...]
    pictures: PicturePool
    servers: tuple[ServerUse, ...]
    whisper: WhisperModel | None
    planned: Plan
    limits: RunLimitsConfig
    options: RunConfig
    config: Mapping[str, Any]
    decisive: Mapping[str, Any]
    telemetry: TelemetryConfig = TelemetryConfig()

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return resolve_path(Path(), self.options.directory) / self.options.name

    @property
    def media(self) -> MediaStore:
        """Store of the run's images and audio."""
        return MediaStore(self.directory / MEDIA)

    @property
    def total(self) -> int:
        """Number of cases."""
        return self.planned.total

    @property
    def most_cases(self) -> int:
        """Most cases under way at a time."""
        return min(CASES_PER_CALL * most_calls(self.limits), self.total)

    @property
    def taxonomy(self) -> Taxonomy:
        """The scenarios that the queries name."""
        return self.selection.dataset.taxonomy

    @property
    def judges_truncated(self) -> bool:
        """Whether the jury judges responses that the token cap cut short."""
        return self.options.truncated == "judge"

    @property
    def target_names(self) -> list[str]:
        """Names of the targets, in order."""
        return [target.name for target in self.targets]

    @property
    def asked(self) -> dict[str, ModelTargetSpec]:
        """The targets that are models, by name."""
        return {each.name: each for each in self.targets if isinstance(each, ModelTargetSpec)}

    @property
    def systems(self) -> dict[str, str]:
        """The system prompts of targets that have one, by name."""
        systems = ((name, target.system) for name, target in self.asked.items())
        return {name: system for name, system in systems if system is not None}

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """What the config says of the models that targets are, by name; no entry for nothing."""
        said = {each["name"]: each["facts"] for each in self.config["targets"]}
        known = {
            name: {key: value for key, value in facts.items() if value is not None}
            for name, facts in said.items()
        }
        return {name: facts for name, facts in known.items() if facts}

    @property
    def recorded(self) -> dict[str, RecordedTarget]:
        """The targets that are files of responses, by name."""
        return {each.name: each for each in self.targets if isinstance(each, RecordedTarget)}

    @property
    def functions(self) -> dict[str, FunctionTarget]:
        """The targets that are functions, by name."""
        return {each.name: each for each in self.targets if isinstance(each, FunctionTarget)}

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """The models of targets and jury, each once."""
        models = (*(target.model for target in self.asked.values()), *self.jury.models)
        return tuple(dict.fromkeys(models))

    @property
    def uses_embedded(self) -> bool:
        """Whether the embedded model takes part, so that verdicts mean nothing."""
        return any(model.is_embedded for model in self.models)

    @property
    def hosts(self) -> dict[str, str]:
        """Servers that no juror uses, by the names of their targets."""
        kept = {use.name for use in self.servers if use.keep}
        return {
            name: target.model.server
            for name, target in self.asked.items()
            if target.model.server is not None and target.model.server not in kept
        }

    def targets_by_place(self) -> list[list[str]]:
        """Group the names of targets without a server of their own by endpoint.

        Files of responses are at one place, which is this machine; each function has its own.
        """
        hosts, places = self.hosts, dict[str | None, list[str]]()
        for target in self.targets:
            if target.name not in hosts:
                places.setdefault(_place(target), []).append(target.name)
        return list(places.values())

    def trials(self, *targets: str) -> Iterator[Trial]:
        """Yield all trials of some targets, or of all, always in the same order."""
        names = targets or self.target_names
        found = trials(self.selection, names, self.conditions, epochs=self.options.epochs)
        if not self.uneven:
            return found
        recorded = self.recorded
        return (self._as_put(trial) for trial in found if self._is_meant(trial, recorded))

    @property
    def uneven(self) -> bool:
        """Whether targets may have different questions or epochs."""
        files = self.recorded.values()
        return self._asks_files_own or any(target.file.uneven for target in files)

    @property
    def _asks_files_own(self) -> bool:
        """Whether the questions come from the files of responses."""
        return isinstance(self.selection.dataset, RecordedQuestions)

    def _is_meant(self, trial: Trial, recorded: Mapping[str, RecordedTarget]) -> bool:
        target = recorded.get(trial.target)
        if target is None:
            return True
        # A question that one file asks need not have been put to another's target.
        skips = self._asks_files_own or (target.file.uneven and trial.epoch > 0)
        return not skips or target.has(trial.query.id, trial.epoch)

    def _as_put(self, trial: Trial) -> Trial:
        """Return a trial with the query as its target's file says that it was put."""
        questions = self.selection.dataset
        if not isinstance(questions, RecordedQuestions):
            return trial
        query = questions.as_put(trial.target, trial.query, trial.epoch)
        return trial if query is trial.query else replace(trial, query=query)


def _place(target: TargetSpec) -> str | None:
    if isinstance(target, ModelTargetSpec):
        return target.model.place
    return f"function {target.name}" if isinstance(target, FunctionTarget) else None
