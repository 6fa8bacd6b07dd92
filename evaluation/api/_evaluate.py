"""A whole run from Python: the same run as that of a config that says the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...assembly.config import Config, as_config
from ...assembly.jury import jury_keys
from ...common import ConfigurationError
from ...common.text import quoted
from ...datasets import Dataset, LoadedSet, Parts, Query, QueryList
from ...deliberation import Jury, JurySpec
from ..engine import run_plan
from ..plan import Provided, RunPlan, set_up
from ._dataset import Asked
from ._progress import shown
from ._result import Result
from ._targets import Source, Targets, TargetSpec

if TYPE_CHECKING:
    import pandas as pd

    Questions = (
        str
        | Path
        | Mapping[str, object]
        | Dataset
        | LoadedSet
        | QueryList
        | Iterable[Query | Mapping[str, object]]
        | pd.DataFrame
    )
    Target = Source | TargetSpec | Mapping[str, object]


async def evaluate(
    dataset: "Questions",
    *,
    targets: "Target | Sequence[Target]",
    jury: Jury | Mapping[str, object],
    name: str = "run",
    directory: str | Path = "runs",
    map: Mapping[str, str] | None = None,
    categories: str | Path | None = None,
    scenarios: Sequence[str] | None = None,
    limit: int | None = None,
    images: Sequence[str] = ("original",),
    sound: Sequence[Parts] = ("given",),
    voices: Sequence[str] | None = None,
    epochs: int = 1,
    max_tokens: int = 1024,
    truncated: Literal["judge", "leave_out"] = "leave_out",
    seed: int = 7,
    limits: Mapping[str, object] | None = None,
    cache: str | Path | None = None,
    audit_talk: int = 0,
    retry_failed: bool = False,
    otel: bool = False,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> Result:
    """Put a dataset to targets, let a jury judge each response, and keep it all in a record.

    The same call resumes what was stopped, or what `safejury run` began with a config that says
    the same: nothing is asked twice. More targets, queries, epochs or conditions are added to it.

    Args:
        dataset: `mini`, the path of a query file or a set, `LOADER:PATH`, a list of queries or
            of dictionaries with the keys of a query file, or a table: a data frame, or a list
            of dictionaries with `map`.
        targets: What is under test, one or several: models, async functions (of a `Query`, or of
            its text where the parameter is annotated `str`), `Path`s of files of responses, what
            `target` returns, or dictionaries with the keys of a target in a config.
        jury: Who judges: a `Jury`, or a dictionary with the keys of `jury` in a config.
        name: Name of the run.
        directory: Where runs are kept; the run's directory is `directory/name`.
        map: Which column of a table is what, such as `{"text": "prompt"}`.
        categories: Which scenarios a set's own categories are: a file, or a loader's name.
        scenarios: Scenarios to ask about; all unless given.
        limit: Ask only this many queries, spread evenly over the set.
        images: Variants of the pictures, each a condition of its own.
        sound: What of a query with sound is sent, each a condition of its own.
        voices: Whose recordings are sent, each a condition of its own; the set's one unless given.
        epochs: How often each query is put.
        max_tokens: Cap on the tokens of a response.
        truncated: Whether responses that the cap cut short are judged.
        seed: Seed of all models.
        limits: What it may take, with the keys of `limits` in a config: `{"max_cost_usd": 5}`.
        cache: A file that keeps answers between runs.
        audit_talk: On how many of the discussed cases jurors vote twice more, without the talk.
        retry_failed: Retry cases that lost a response or a ballot to failed calls.
        otel: Whether OpenTelemetry records it, by providers that are set or `OTEL_*` variables.
        engine: What examines the cases: this process, or workers on a Ray cluster.
        address: Where the cluster is, as `HOST:PORT`; the one of this machine unless given.
        workers: How many workers there are; one for each CPU of the cluster unless given.
        progress: Whether progress is shown; at a terminal and in a notebook unless given.

    Returns:
        The figures and the cases. `stopped` says why the budget stopped it, if it did.

    Raises:
        ConfigurationError: Something given cannot be used, or a model never answered.
        OutageError: An endpoint stayed down; the same call resumes the run.
        RecordError: The directory holds a run of another jury, or of other judged queries.
    """
    asked = {"scenarios": scenarios, "limit": limit, "images": images, "sound": sound}
    asked |= {"voices": voices}
    options = {"name": name, "directory": directory, "cache": cache, "audit_talk": audit_talk}
    options |= {"seed": seed, "epochs": epochs, "max_tokens": max_tokens, "truncated": truncated}
    options |= _placing(engine, address, workers)
    said = {**asked, "limits": limits or {}, "run": options, "telemetry": {"otel": otel}}
    plan = _plan(Asked.of(dataset, map, categories), Targets.of(targets), jury, said)
    return await _run(plan, progress, retry_failed=retry_failed)


async def _run(plan: RunPlan, progress: bool | None, *, retry_failed: bool) -> Result:
    with shown(plan, progress) as observer:
        outcome = await run_plan(plan, observer, retry_failed=retry_failed)
    return Result(plan.directory, stopped=outcome.stopped)


def _placing(engine: str, address: str | None, workers: int | None) -> dict[str, object]:
    """Return what a config says of where cases are examined."""
    if engine == "local" and not (address is None and workers is None):
        raise ConfigurationError("evaluate: address and workers are for engine='ray': add it")
    return {"engine": engine, "address": address, "workers": workers}


def _plan(
    asked: Asked, targets: Targets, jury: Jury | Mapping[str, object], said: Mapping[str, object]
) -> RunPlan:
    """Return the plan of a config that says the same, with objects where it cannot.

    Args:
        asked: The dataset.
        targets: What is under test.
        jury: Who judges.
        said: All other keys of the config.
    """
    spec = _spec(jury)
    keys = {
        **said,
        "dataset": asked.said,
        "targets": targets.keys,
        "jury": jury if spec is None else jury_keys(spec),
    }
    config = as_config(keys, Config, "evaluate")
    provided = Provided(
        targets=targets.provided,
        jury=None if spec is None else replace(spec, seed=config.run.seed),
        dataset=asked.provided,
    )
    return set_up(config, Path(), provided)


def _spec(jury: object) -> JurySpec | None:
    """Return the jury as plain data, None where a config's keys describe it."""
    if isinstance(jury, Jury):
        if jury.spec is None:
            raise ConfigurationError(
                "evaluate: the jury was made of agents: describe it with Jury.of(...)"
            )
        return jury.spec
    if isinstance(jury, Mapping):
        return None
    raise ConfigurationError(
        f"evaluate: the jury is {quoted(repr(jury))}: give one from sj.Jury.of(...), or a dict "
        "with the keys of `jury` in a config"
    )
