"""Checks a config and makes the plan of a run, before the first call."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...assembly import Config
from ...assembly.config import RunConfig, TargetConfig, check_endpoints, check_keys
from ...assembly.jury import jury_spec
from ...assembly.servers import ServerBook
from ...assembly.targets import function_target, named_function, target_spec
from ...common import ConfigurationError, RecordError
from ...common.files import resolve_path
from ...common.text import quoted
from ...datasets import Condition, Intent, PicturePool, Query, image_variant
from ...datasets.query import NAIVE, conditions_of
from ...deliberation import JurySpec
from ...models import ModelSpec
from ...targets import ModelTargetSpec, RecordedTarget, TargetFunction
from ..record import RecordReader, is_begun, jury_identity
from ..trials import Plan, PlannedCases, applies, count_trials
from ._datasets import dataset_label
from ._identity import decisive_config, identity_of, plain_config
from ._plan import RunPlan, TargetSpec
from ._queries import Earlier, QuerySet, Selection
from ._recorded_files import find_queries
from ._recorded_models import open_recorded
from ._transcription import check_targets_hear, choose_whisper


@dataclass(frozen=True, slots=True)
class Provided:
    """Objects of the caller that replace parts of the config.

    Attributes:
        targets: By the name that the config has for each: a model whose key need not be in
            the environment, a function, which gets the limits of an endpoint, or a file of
            responses that is open already.
        jury: The jury, None for the config's.
        dataset: The questions, None for those that the config names.
    """

    targets: Mapping[str, ModelSpec | TargetFunction | RecordedTarget] = field(
        default_factory=dict[str, ModelSpec | TargetFunction | RecordedTarget]
    )
    jury: JurySpec | None = None
    dataset: QuerySet | None = None


_NOTHING = Provided()


def set_up(config: Config, folder: Path, provided: Provided = _NOTHING) -> RunPlan:
    """Check everything that can be checked without a call.

    Args:
        config: The run's config.
        folder: Where its relative paths start.
        provided: Objects that stand for parts of the config.

    Raises:
        ConfigurationError: Something does not fit; the message says what to change.
    """
    check_keys(config)
    config, recorded = open_recorded(config, folder, given=provided.targets)
    servers = ServerBook(folder)
    jury = provided.jury or jury_spec(config.jury, folder, servers, seed=config.run.seed)
    if config.run.audit_talk and jury.protocol.talk == "never":
        raise ConfigurationError(
            "run.audit_talk measures what talk does, and the jurors do not talk (talk: never): "
            "take it out, or set jury.protocol to contested, for example"
        )
    given = {**provided.targets, **recorded}
    targets = [_target(each, given.get(each.name), servers, config) for each in config.targets]
    models = [target for target in targets if isinstance(target, ModelTargetSpec)]
    check_targets_hear(config.sound, models)
    check_endpoints(config.limits, (*(target.model for target in models), *jury.models))
    selection = _selection(config, folder, targets, provided.dataset)
    conditions = _conditions(config, targets)
    plan = RunPlan(
        dataset_label(config.dataset),
        selection,
        tuple(targets),
        jury,
        conditions,
        _pictures(selection, conditions),
        servers.uses,
        whisper=choose_whisper(
            config.jury.transcriber,
            folder,
            jurors=[None if seat.agent else seat.model for seat in jury.seats],
            sound=config.sound if selection.has_sound else (),
        ),
        planned=_planned(selection, conditions, targets, config.run.epochs),
        limits=config.limits,
        options=config.run,
        config=plain_config(config),
        decisive=decisive_config(config),
        telemetry=config.telemetry,
    )
    if config.run.record is not None and plan.hosts:
        raise ConfigurationError(
            f"run.record: the target {min(plan.hosts)!r} runs on a server that this command starts "
            "and stops, which several drivers cannot share: serve it yourself and name its "
            "base_url, or take run.record out"
        )
    if jury.protocol.rule.card is not None:
        jury.check_card(jury_identity(identity_of(plan), jury.infos))
    return replace(plan, planned=count_trials(plan.trials())) if plan.uneven else plan


def _target(
    said: TargetConfig,
    given: ModelSpec | TargetFunction | RecordedTarget | None,
    servers: ServerBook,
    config: Config,
) -> TargetSpec:
    if isinstance(given, RecordedTarget):
        return given
    if given is None and said.function is not None:
        given = named_function(said.function, servers.folder)
    if not isinstance(given, ModelSpec | None):
        return function_target(said.name, given, config.limits)
    return target_spec(
        said.name, said.as_model(), servers, config.run, system=said.system, model=given
    )


def _selection(
    config: Config, folder: Path, targets: Iterable[TargetSpec], dataset: QuerySet | None
) -> Selection:
    """Return the queries that a run asks, and skip recorded responses to any others."""
    recorded = {each.name: each for each in targets if isinstance(each, RecordedTarget)}
    questions = find_queries(
        dataset or config.dataset,
        folder,
        recorded,
        {target.name: target.join for target in config.targets if target.join is not None},
    )
    scenarios = None
    if config.scenarios is not None:
        scenarios = frozenset(questions.taxonomy.resolve(name).id for name in config.scenarios)
    return Selection.of(questions, scenarios, config.limit, _earlier(config.run))


def _earlier(said: RunConfig) -> Earlier | None:
    """Return what the run selected before, None where no case of it is finished."""
    directory = resolve_path(Path(), said.directory) / said.name
    if not is_begun(directory):
        return None
    try:
        with closing(RecordReader(directory)) as reader:
            return Earlier.of(reader.meta) if reader.counts()[0] else None
    except RecordError:  # whoever opens it says what is wrong
        return None


def _conditions(config: Config, targets: Iterable[TargetSpec]) -> tuple[Condition, ...]:
    images = (image_variant(name).name for name in config.images)
    conditions = conditions_of(images, config.sound, config.voices or ())
    for target in targets:
        if isinstance(target, RecordedTarget) and conditions != (Condition(),):
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


def _planned(
    selection: Selection,
    conditions: Sequence[Condition],
    targets: Sequence[TargetSpec],
    epochs: int,
) -> Plan:
    """Count the cases of a run in which every target is asked every query."""
    kinds, puts = selection.kinds, Counter[tuple[str, str, Intent]]()
    for query, number in kinds:
        for condition in conditions:
            if applies(condition, query):
                puts[condition.name, query.scenario, query.intent] += number
    for condition in conditions:
        if (condition.voice or condition.image == NAIVE) and not any(
            name == condition.name for name, *_ in puts
        ):
            raise ConfigurationError(_lacking(condition, kinds))
    if not puts:
        raise ConfigurationError(
            "no query has what `images:` or `sound:` would change: add `original` or `given`"
        )
    return Plan.of(
        PlannedCases(target.name, *kind, cases * epochs)
        for target in targets
        for kind, cases in puts.items()
    )


def _lacking(condition: Condition, kinds: Iterable[tuple[Query, int]]) -> str:
    """Return that no query has what a condition sends, and which there are."""
    known = sorted({name for query, _ in kinds for name in query.others if name != NAIVE})
    if condition.voice and condition.voice not in known:
        there = (
            f"it has {', '.join(known)}" if known else "it has one recording of a query, or none"
        )
        return (
            f"no query of the set has a recording by the voice {quoted(condition.voice)}: {there}; "
            "say so in `voices:`, or name them with the set's `voices`"
        )
    return (
        "no query of the set has a first drawing beside its picture: take `naive` out of "
        "`images:`, or name the drawings with the set's `naive`"
    )
