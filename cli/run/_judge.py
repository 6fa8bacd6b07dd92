"""What `safejury judge` does: a jury for responses that another tool recorded."""

import re
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from ...agents import bundled_personas
from ...assembly import Config, load_config
from ...assembly.config import (
    NAME,
    IntentName,
    JurorConfig,
    JuryConfig,
    ModelConfig,
    RunConfig,
    RunLimitsConfig,
    SetConfig,
    TargetConfig,
    refused_option,
)
from ...common import ConfigurationError, SafejuryError
from ...common.text import encodable, plain_name, quoted
from ...datasets import Intent
from ...evaluation import set_up
from ...evaluation.metrics import Thresholds
from ...evaluation.plan import (
    FROM_FILES,
    categories_seen_from_here,
    open_recorded,
    seen_from_here,
    set_seen_from_here,
)
from ...targets import JoinBy
from ..console import named_values
from ._embedded_jury import EMBEDDED_JURY, EMBEDDED_SEED
from ._run import run_and_report

_INTENTS: dict[Intent, IntentName] = {Intent.HARMFUL: "harmful", Intent.BENIGN: "benign"}
_OPTIONS = {
    "another run.name": "another --name",
    "another run.directory": "another run.directory in a --config",
    "check the target's `responses:`": "check its path and permissions",
    "take the questions from the file with `dataset: responses`": "leave --dataset out",
    "--format or `format:`": "--format",
    "(map model=COLUMN)": "(--map model=COLUMN)",
    " (`intent_words:` in a config)": "",
    "(--model, `model:`)": "(--model)",
    " (`join:` of a target)": "",
}
"""Keys in messages, and the options that stand for them."""
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
        models: The models of the file whose responses are meant; none means all.
        intent: Of all questions, `harmful` or `benign`; None for what the file says.
        intent_words: Settings such as `benign=unharmful,safe`.
        join: What says which query of the dataset a response answers, `id` or `text`; None
            for what matches all.
        dataset: Where the questions come from, None for the file.
        pictures: The folder in which the pictures lie that the file names, None for its own.
        dataset_mapping: Columns of that set, such as `text=prompt`.
        dataset_settings: Settings of that set, such as `split=test`.
        categories: Which scenarios the questions' own categories are: a file or a loader's
            name; None for what the set or the file's format has.
        name: Name of the run and the target, None for the file's.
        limit: Most queries to judge.
        truncated: `judge` or `leave_out` for responses that a cap cut short; None for
            what the config says, else to leave them out.
        changes: Settings of the config.
        rubric: A Markdown file that the jury judges by, None for what the config says.
    """

    file: Path
    config: Path | None = None
    jurors: tuple[str, ...] = ()
    url: str | None = None
    api_key_env: str | None = None
    format: str | None = None
    mapping: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    intent: Intent | None = None
    intent_words: tuple[str, ...] = ()
    dataset: str | None = None
    dataset_mapping: tuple[str, ...] = ()
    dataset_settings: tuple[str, ...] = ()
    categories: str | None = None
    join: JoinBy | None = None
    pictures: Path | None = None
    name: str | None = None
    limit: int | None = None
    truncated: str | None = None
    changes: tuple[str, ...] = ()
    rubric: Path | None = None

    def command(self) -> str:
        """Return the command line that asks for this."""
        options = (
            ("--config", [self.config]),
            ("--jurors", self.jurors),
            ("--url", [self.url]),
            ("--api-key-env", [self.api_key_env]),
            ("--format", [self.format]),
            ("--map", self.mapping),
            ("--model", self.models),
            ("--intent", [self.intent]),
            ("--intent-word", self.intent_words),
            ("--dataset", [self.dataset]),
            ("--dataset-map", self.dataset_mapping),
            ("--dataset-set", self.dataset_settings),
            ("--categories", [self.categories]),
            ("--join", [self.join]),
            ("--pictures", [self.pictures]),
            ("--name", [self.name]),
            ("--limit", [self.limit]),
            ("--truncated", [self.truncated]),
            ("--rubric", [self.rubric]),
            ("--set", self.changes),
        )
        given = (
            (option, str(value))
            for option, values in options
            for value in values
            if value is not None
        )
        return shlex.join(["safejury", "judge", str(self.file), *chain.from_iterable(given)])


def judge_file(judging: Judging, *, wanted: Thresholds, retry_failed: bool) -> int:
    """Judge a file of responses, show the report, and return the exit code.

    Raises:
        ConfigurationError: The file, the jury or an option cannot be used.
    """
    if not judging.file.exists():
        raise ConfigurationError(f"{judging.file}: does not exist: name a file of responses")
    with _in_options():
        jury, limits, run = _jury(judging)
        if judging.rubric is not None:
            jury = jury.model_copy(update={"rubric": str(judging.rubric.resolve())})
        name = _name(judging)
        config = Config(
            dataset=_dataset(judging),
            limit=judging.limit,
            targets=[_target(judging, name)],
            jury=jury,
            limits=limits,
            run=run.model_copy(
                update={"name": name, "truncated": judging.truncated or run.truncated}
            ),
        )
        folder = Path() if judging.config is None else judging.config.parent
        config, recorded = open_recorded(
            config, folder, models=judging.models, place=judging.file.resolve()
        )
        epochs = max(target.epochs for target in recorded.values())
        run = config.run.model_copy(update={"epochs": epochs})
        return run_and_report(
            set_up(config.model_copy(update={"run": run}), folder, recorded),
            again=judging.command(),
            wanted=wanted,
            retry_failed=retry_failed,
        )


@contextmanager
def _in_options() -> Generator[None]:
    """Name options in errors, where they name keys of a config that nobody wrote."""
    try:
        yield
    except SafejuryError as error:
        said = str(error)
        for key, option in _OPTIONS.items():
            said = said.replace(key, option)
        error.args = (said,)
        raise


def _target(judging: Judging, name: str) -> TargetConfig:
    mapping = named_values("--map", judging.mapping, "WHAT=PATH, such as response=output.text")
    if judging.dataset is not None and (judging.intent or judging.intent_words):
        option = "--intent" if judging.intent else "--intent-word"
        raise ConfigurationError(
            f"{option}: the --dataset says what its queries are meant for: leave one of them out"
        )
    if judging.intent and judging.intent_words:
        raise ConfigurationError("--intent is that of all questions: leave --intent-word out")
    if judging.join is not None and judging.dataset is None:
        raise ConfigurationError(
            "--join says how responses find their queries in a --dataset: name one, or leave it out"
        )
    return TargetConfig(
        name=name,
        responses=encodable(str(judging.file.resolve())),
        format=judging.format,
        map=mapping,
        categories=None
        if judging.dataset is not None
        else categories_seen_from_here(judging.categories),
        intent=None if judging.intent is None else _INTENTS[judging.intent],
        intent_words=_words(judging.intent_words),
        join=judging.join,
        pictures=judging.pictures and encodable(str(judging.pictures.resolve())),
    )


def _words(given: tuple[str, ...]) -> dict[IntentName, list[str | bool | int | float]] | None:
    """Return the words of an intent; the option may be repeated."""
    words: dict[IntentName, list[str | bool | int | float]] = {}
    for each in given:
        intent, equals, said = each.partition("=")
        if intent not in ("harmful", "benign") or not equals or not said:
            raise ConfigurationError(
                f"--intent-word {quoted(each)}: write it as benign=unharmful,safe,0 or harmful=WORD"
            )
        words.setdefault(intent, []).extend(said.split(","))
    return words or None


def _jury(judging: Judging) -> tuple[JuryConfig, RunLimitsConfig, RunConfig]:
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
        return _jury_of(judging), RunLimitsConfig(), RunConfig()
    if judging.url or judging.api_key_env:
        raise ConfigurationError("--url and --api-key-env need --jurors: name a model there")
    return EMBEDDED_JURY, RunLimitsConfig(concurrency=8), RunConfig(seed=EMBEDDED_SEED)


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


def _dataset(judging: Judging) -> str | SetConfig:
    """Return what the config says of it; paths are given as seen from here."""
    mapping = named_values(
        "--dataset-map", judging.dataset_mapping, "WHAT=COLUMN, such as text=prompt"
    )
    settings = named_values(
        "--dataset-set", judging.dataset_settings, "NAME=VALUE, such as split=test"
    )
    if judging.dataset is None:
        if mapping or settings:
            option = "--dataset-map" if mapping else "--dataset-set"
            raise ConfigurationError(f"{option} says how a set is read: name it with --dataset")
        return FROM_FILES
    if not mapping and not settings and judging.categories is None:
        return seen_from_here(judging.dataset)
    said = SetConfig(
        path=judging.dataset, map=mapping, settings=settings, categories=judging.categories
    )
    return set_seen_from_here(said)
