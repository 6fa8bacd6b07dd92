"""What `safejury judge` does: a jury for responses that another tool recorded."""

import re
import shlex
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from ..agents import bundled_personas
from ..datasets import ConfigurationError
from ..datasets._encodable import encodable
from ..datasets._nearest import quoted
from ..targets import RecordedTarget
from ._commands import run_and_report
from ._config import load_config
from ._config_shape import (
    NAME,
    Config,
    JurorConfig,
    JuryConfig,
    LimitsConfig,
    ModelConfig,
    RunConfig,
    TargetConfig,
)
from ._config_words import refused_option
from ._console import named_values
from ._datasets import seen_from_here
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED
from ._names import plain_name
from ._recorded_files import FROM_FILES
from ._setup import set_up

_FIRST_PERSONAS = ("clinician", "security_engineer", "sceptic")


@dataclass(frozen=True, slots=True)
class Judging:
    """What was asked for on the command line.

    Attributes:
        file: The responses.
        config: Where the jury comes from, None for `jurors` or the embedded model.
        jurors: Names of models, one for each juror, or one for all.
        url: Where they are reached.
        api_key_env: Name of the environment variable that holds their key.
        format: Name of the file's format, None to tell it from the content.
        mapping: Settings such as `response=output.text`.
        dataset: Where the questions come from, None for the file.
        name: Name of the run and the target, None for the file's.
        limit: Most queries to judge.
        changes: Settings of the config.
    """

    file: Path
    config: Path | None = None
    jurors: tuple[str, ...] = ()
    url: str | None = None
    api_key_env: str | None = None
    format: str | None = None
    mapping: tuple[str, ...] = ()
    dataset: str | None = None
    name: str | None = None
    limit: int | None = None
    changes: tuple[str, ...] = ()

    def command(self) -> str:
        """Return the command line that asks for this."""
        options = (
            ("--config", [self.config]),
            ("--jurors", self.jurors),
            ("--url", [self.url]),
            ("--api-key-env", [self.api_key_env]),
            ("--format", [self.format]),
            ("--map", self.mapping),
            ("--dataset", [self.dataset]),
            ("--name", [self.name]),
            ("--limit", [self.limit]),
            ("--set", self.changes),
        )
        given = (
            (option, str(value))
            for option, values in options
            for value in values
            if value is not None
        )
        return shlex.join(["safejury", "judge", str(self.file), *chain.from_iterable(given)])


def judge_file(judging: Judging, *, min_coverage: float, retry_failed: bool) -> int:
    """Judge a file of responses, show the report, and return the exit code.

    Raises:
        ConfigurationError: The file, the jury or an option cannot be used.
    """
    if not judging.file.exists():
        raise ConfigurationError(f"{judging.file}: does not exist: name a file of responses")
    jury, limits, run = _jury(judging)
    name = _name(judging)
    mapping = named_values("--map", judging.mapping, "WHAT=PATH, such as response=output.text")
    target = RecordedTarget(name, judging.file, format=judging.format, mapping=mapping)
    config = Config(
        dataset=_dataset(judging.dataset),
        limit=judging.limit,
        targets=[
            TargetConfig(
                name=name,
                responses=encodable(str(judging.file.resolve())),
                format=judging.format,
                map=mapping,
            )
        ],
        jury=jury,
        limits=limits,
        run=run.model_copy(update={"name": name, "epochs": target.epochs}),
    )
    folder = Path() if judging.config is None else judging.config.parent
    return run_and_report(
        set_up(config, folder, {name: target}),
        again=judging.command(),
        min_coverage=min_coverage,
        retry_failed=retry_failed,
    )


def _jury(judging: Judging) -> tuple[JuryConfig, LimitsConfig, RunConfig]:
    """Return who judges and what a run may take."""
    if judging.config is not None:
        if judging.jurors or judging.url or judging.api_key_env:
            raise ConfigurationError(
                "--config names the jury already: leave out --jurors, --url and --api-key-env"
            )
        # The config's own targets are not asked.
        instead = "targets=[{name: judged, responses: judged}]"
        read = load_config(judging.config, [*judging.changes, instead])
        return read.jury, read.limits, read.run
    if judging.changes:
        raise ConfigurationError("--set changes a config: name it with --config")
    if judging.jurors:
        return _jury_of(judging), LimitsConfig(), RunConfig()
    if judging.url or judging.api_key_env:
        raise ConfigurationError("--url and --api-key-env need --jurors: name a model there")
    return EMBEDDED_JURY, LimitsConfig(concurrency=8), RunConfig(seed=EMBEDDED_SEED)


def _jury_of(judging: Judging) -> JuryConfig:
    """Return a jury of some models; a lone one is seated three times."""
    names = [persona.name for persona in bundled_personas()]
    personas = [*_FIRST_PERSONAS, *(name for name in names if name not in _FIRST_PERSONAS)]
    models = judging.jurors * 3 if len(judging.jurors) == 1 else judging.jurors
    if len(models) > len(personas):
        raise ConfigurationError(
            f"there are {len(personas)} personas for {len(models)} --jurors: seat a jury as "
            "large as that in a --config"
        )
    url, key = judging.url, judging.api_key_env
    try:
        return JuryConfig(
            jurors=[
                JurorConfig(persona=persona, model=model, base_url=url, api_key_env=key)
                for persona, model in zip(personas, models, strict=False)
            ],
            foreperson=ModelConfig(model=models[0], base_url=url, api_key_env=key),
        )
    except ValidationError as error:
        raise refused_option(error, model="--jurors") from None


def _name(judging: Judging) -> str:
    if judging.name is None:
        return plain_name(judging.file.stem) or "judged"
    if not re.fullmatch(NAME, judging.name):
        raise ConfigurationError(
            f"--name {quoted(judging.name)}: use letters, digits, dots, dashes and underscores"
        )
    return judging.name


def _dataset(name: str | None) -> str:
    """Return what the config calls it; a path is given as seen from here."""
    return FROM_FILES if name is None else seen_from_here(name)
