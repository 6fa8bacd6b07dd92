"""Configs from options of the command line, for those who write none."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...assembly import Config, load_config
from ...assembly.config import (
    NAME,
    JuryConfig,
    RunConfig,
    RunLimitsConfig,
    TargetConfig,
    refused_option,
)
from ...assembly.jury import jury_of_models
from ...common import ConfigurationError
from ...common.text import plain_name, quoted
from ...evaluation.plan import with_absolute_path
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED


@dataclass(frozen=True, slots=True)
class JuryOptions:
    """The jury that options describe.

    Attributes:
        models: Names of models, one for each juror, or one for all; none for the embedded one.
        url: Where they are reached.
        api_key_env: Name of the environment variable that holds their key.
    """

    models: tuple[str, ...] = ()
    url: str | None = None
    api_key_env: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given."""
        said = {"--jurors": self.models, "--url": self.url, "--api-key-env": self.api_key_env}
        return tuple(option for option, value in said.items() if value)

    def jury(self) -> tuple[JuryConfig, RunLimitsConfig, RunConfig]:
        """Return who judges, and what a run with them may take.

        Raises:
            ConfigurationError: There is no such jury.
        """
        if self.models:
            seated = jury_of_models(self.models, self.url, self.api_key_env)
            return seated, RunLimitsConfig(), RunConfig()
        if self.given:
            raise ConfigurationError("--url and --api-key-env need --jurors: name a model there")
        return EMBEDDED_JURY, RunLimitsConfig(concurrency=8), RunConfig(seed=EMBEDDED_SEED)


@dataclass(frozen=True, slots=True)
class Placing:
    """Where cases are examined; None leaves it as the config says.

    Attributes:
        engine: `local` or `ray`.
        address: Where the cluster is.
        workers: How many workers there are.
    """

    engine: str | None = None
    address: str | None = None
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What options change of a run; None and nothing leave it as it is.

    Attributes:
        dataset: The set of queries, as seen from here.
        limit: At most so many queries.
        scenarios: Only queries of these.
        name: The run's name.
        directory: Folder that holds the runs.
        audit_talk: On how many discussed cases the jurors vote again without the talk.
        otel: Whether the run is recorded by OpenTelemetry, whatever the config says.
        placing: Where its cases are examined.
    """

    dataset: str | None = None
    limit: int | None = None
    scenarios: tuple[str, ...] = ()
    name: str | None = None
    directory: str | None = None
    audit_talk: int | None = None
    otel: bool = False
    placing: Placing = Placing()

    def applied(self, config: Config) -> Config:
        """Return a config with the changes.

        Raises:
            ConfigurationError: One of them cannot be.
        """
        dataset = None if self.dataset is None else with_absolute_path(self.dataset)
        scenarios = list(self.scenarios) or None
        name = None if self.name is None else checked_name(self.name)
        changes = _but_none(dataset=dataset, limit=self.limit, scenarios=scenarios)
        run = _but_none(name=name, directory=self.directory, audit_talk=self.audit_talk)
        run |= _but_none(**asdict(self.placing))
        if (run.get("engine") or config.run.engine) != "ray" and (
            self.placing.address or self.placing.workers
        ):
            raise ConfigurationError("--address and --workers are for --engine ray: add it")
        if self.otel:
            changes["telemetry"] = config.telemetry.model_copy(update={"otel": True})
        return config.model_copy(update={**changes, "run": config.run.model_copy(update=run)})


def configured(path: Path, changes: Sequence[str], options: RunOptions) -> Config:
    """Return a config with what the command line changes of it."""
    return options.applied(load_config(path, changes))


def config_of_target(
    model: str, url: str | None, api_key_env: str | None, jury: JuryOptions, options: RunOptions
) -> Config:
    """Return the config of a run of one target.

    Args:
        model: The target: its name at `url`, or `provider/model`.
        url: Its OpenAI-compatible address.
        api_key_env: Name of the environment variable that holds its key.
        jury: Who judges.
        options: What to ask, and where results go; the run is named after the model unless
            it says otherwise.

    Raises:
        ConfigurationError: The target or the jury cannot be as described.
    """
    seats, limits, run = jury.jury()
    name = plain_name(model.rpartition("/")[2]) or "target"
    try:
        target = TargetConfig(name=name, model=model, base_url=url, api_key_env=api_key_env)
    except ValidationError as error:
        refused = str(refused_option(error, model="--target-model"))
        raise ConfigurationError(refused.replace("--url", "--target-url")) from None
    run = run.model_copy(update={"name": name})
    return options.applied(Config(targets=[target], jury=seats, limits=limits, run=run))


def checked_name(name: str) -> str:
    """Return the name of a run.

    Raises:
        ConfigurationError: No run can be named so.
    """
    if not re.fullmatch(NAME, name):
        raise ConfigurationError(
            f"--name {quoted(name)}: use letters, digits, dots, dashes and underscores"
        )
    return name


def _but_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
