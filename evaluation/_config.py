"""The shape of a run's config, and how it is read from YAML and the command line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, cast

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from ..agents import HUMAN
from ..datasets import ConfigurationError
from ..datasets._nearest import did_you_mean, quoted
from ._yaml import Document, Step

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
SeatName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PriceConfig(_Part):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)


class _Reached(_Part):
    """How a model is reached, whoever uses it."""

    base_url: Text | None = None
    """An OpenAI-compatible address."""
    api_key_env: Variable | None = None
    """Name of the environment variable that holds the key; never the key."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    timeout: float = Field(default=120.0, gt=0)
    """Seconds for one call."""
    images: bool = True
    """Whether the model takes pictures."""
    audio: bool = False
    """Whether the model takes sound."""
    json_schema: Literal["auto", "never"] = "auto"
    """`never` asks for JSON in words from the start."""
    price: PriceConfig | None = None


class ModelConfig(_Reached):
    """A model: a name, and where it is reached."""

    model: Text
    """`provider/model` for LiteLLM, `embedded/smollm2`, or the name at `base_url`."""


class TargetConfig(_Reached):
    """A target: a model with a name, or a file of recorded responses."""

    name: Name
    responses: Text | None = None
    """JSONL with lines `{"query_id", "response"}`, relative to the config."""
    model: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.model is None) == (self.responses is None):
            raise ValueError("a target has either a model or a file of responses")
        if self.responses is not None and (self.base_url or self.api_key_env):
            raise ValueError("a target with recorded responses has no base_url and no api_key_env")
        return self

    def as_model(self) -> ModelConfig:
        """Return what is said of the model."""
        return ModelConfig.model_validate(
            self.model_dump(exclude={"name", "responses"}, exclude_unset=True)
        )


class JurorConfig(_Reached):
    """A juror: a persona and a model, or a person."""

    persona: Text
    """A bundled persona, a path relative to the config, or `human`."""
    name: SeatName | None = None
    """The seat's name; the persona's unless given."""
    model: Text | None = None

    @property
    def is_human(self) -> bool:
        """Whether the juror is the person at the terminal."""
        return self.persona == HUMAN

    def as_model(self, default: str | None = None) -> ModelConfig:
        """Return what is said of the model; `default` is the persona's own model.

        Raises:
            ConfigurationError: Neither the juror nor its persona names a model.
        """
        said = self.model_dump(exclude={"name", "persona"}, exclude_unset=True)
        if not said.get("model") and default is None:
            raise ConfigurationError(
                f"the juror {self.persona!r} has no model: give it `model:`, and `base_url:` "
                "for a server of your own"
            )
        return ModelConfig.model_validate({"model": default, **said})


class ProtocolConfig(_Part):
    """A protocol: a preset with settings of its own."""

    preset: Literal["vote", "contested", "safebench"] = "contested"
    talk: Literal["never", "contested", "always"] | None = None
    rounds: int | None = Field(default=None, ge=1, le=10)
    rule: Text | None = None
    k: int | None = Field(default=None, ge=1)
    tie: Literal["unsafe", "safe", "no_verdict"] | None = None
    stop: Literal["all", "curtailed"] | None = None
    summary: Literal["never", "discussed", "always"] | None = None
    jurors: int | None = Field(default=None, ge=1)


class JuryConfig(_Part):
    """Who judges, and how."""

    jurors: list[JurorConfig] = Field(min_length=1)
    protocol: Literal["vote", "contested", "safebench"] | ProtocolConfig = "contested"
    foreperson: ModelConfig | None = None
    max_tokens: int = Field(default=512, ge=16)
    """Cap on the tokens of a ballot."""


class LimitsConfig(_Part):
    """What a run may take."""

    concurrency: int = Field(default=32, ge=1, le=10_000)
    """Most calls at a time to one endpoint; twice as many cases are under way."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most calls a minute to one endpoint."""
    max_tokens_total: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, gt=0)
    attempts: int = Field(default=5, ge=1, le=20)
    """Most tries of one call."""


class RunConfig(_Part):
    """Name and place of a run, and what makes it repeatable."""

    name: Name = "run"
    directory: Text = "runs"
    """Relative to the current directory."""
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    epochs: int = Field(default=1, ge=1)
    max_tokens: int = Field(default=1024, ge=1)
    """Cap on the tokens of a response, the same for all targets."""
    cache: Text | None = None
    """A file that keeps answers between runs; none unless named."""


class Config(_Part):
    """All of a run's config."""

    dataset: Text = "mini"
    """A bundled set, or a JSONL file relative to the config."""
    scenarios: list[Text] | None = Field(default=None, min_length=1)
    """Scenario ids to ask about; all unless given."""
    limit: int | None = Field(default=None, ge=1)
    """Ask only this many queries, spread evenly over the set."""
    targets: list[TargetConfig] = Field(min_length=1)
    jury: JuryConfig
    limits: LimitsConfig = LimitsConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        _refuse_twice("target", [target.name.casefold() for target in self.targets])
        return self


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what}s are named {twice[0]!r}: give each its own name")


def load_config(path: Path, changes: Sequence[str] = ()) -> Config:
    """Read a config and apply changes from the command line.

    Args:
        path: The YAML file.
        changes: Settings such as `limits.concurrency=8` or
            `jury.jurors.0.persona=sceptic`; the value is read as YAML.

    Raises:
        ConfigurationError: One line with file, line and what to do.
    """
    document = Document.read(path)
    data = document.data
    if not isinstance(data, dict):
        raise ConfigurationError(
            f"{document.place(())}: a config needs the keys targets and jury; "
            "`safejury init` writes one to start from."
        )
    settings = cast(dict[str, object], data)
    changed = [_change(settings, change) for change in changes]
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError(_explain(document, changed, error)) from None


def _change(data: dict[str, object], change: str) -> tuple[Step, ...]:
    """Apply one `path=value` to the data and return the path."""
    path, equals, text = change.partition("=")
    steps = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    try:
        value: object = yaml.safe_load(text)
    except yaml.YAMLError:
        equals = ""
        value = None
    if not equals or not path:
        raise ConfigurationError(f"--set {quoted(change)}: write it as path=value.")
    place: object = data
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        last = following is None
        if isinstance(place, dict):
            mapping = cast(dict[Step, object], place)
            if last:
                mapping[step] = value
            place = mapping.setdefault(step, {})
        elif isinstance(place, list) and isinstance(step, int):
            items = cast(list[object], place)
            if not 0 <= step < len(items):
                raise ConfigurationError(f"--set {quoted(change)}: there is no item {step}.")
            if last:
                items[step] = value
            place = items[step]
        else:
            raise ConfigurationError(f"--set {quoted(change)}: {step!r} is not in the config.")
    return steps


def _explain(
    document: Document, changed: Sequence[tuple[Step, ...]], error: ValidationError
) -> str:
    first = _most_telling(error.errors(include_url=False))
    steps = _steps(first["loc"])
    by_flag = any(
        steps[: len(path)] == path
        or (first["type"] == "extra_forbidden" and path[: len(steps)] == steps)
        for path in changed
    )
    place = f"--set {'.'.join(map(str, steps))}" if by_flag else document.place(steps)
    where = ".".join(map(str, steps))
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown key {quoted(steps[-1])}{_hint(steps)}."
    if first["type"] == "missing":
        return f"{place}: the key {where!r} is missing."
    if first["type"] == "too_short":
        return f"{place}: {where} is empty: name at least one."
    if steps[-1:] == ("api_key_env",):
        # Not shown: it may be the key itself.
        return f"{place}: {where}: give the name of an environment variable, not the key."
    if first["type"] == "model_type":
        return f"{place}: {where} needs keys of its own: {', '.join(_keys(steps))}."
    message = first["msg"].removeprefix("Value error, ")
    given = first["input"]
    shown = "" if isinstance(given, dict | list | BaseModel) else f", not {quoted(given)}"
    return f"{place}: {where or 'config'}: {message}{shown}."


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    # An unknown key explains a missing one. Of a union's errors those of the branch
    # that was meant count, and a mapping is not meant to be a preset's name.
    unknown = (e for e in errors if e["type"] == "extra_forbidden")
    meant = (
        e for e in errors if not (e["type"] == "literal_error" and isinstance(e["input"], dict))
    )
    return next(unknown, None) or next(meant, None) or errors[0]


def _hint(steps: tuple[Step, ...]) -> str:
    """Return where an unknown key may belong."""
    key, known = str(steps[-1]), _keys(steps[:-1])
    if near := did_you_mean(key, known):
        return near
    homes = [section for section, model in _SECTIONS.items() if key in model.model_fields]
    if len(homes) == 1 and homes[0]:
        return f": it belongs under {'.'.join(homes[0])}"
    return f"; known are {', '.join(known)}"


_UNION_BRANCHES = {"ProtocolConfig", "literal['vote','contested','safebench']"}


def _steps(place: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step for step in place if step not in _UNION_BRANCHES)


_SECTIONS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Config,
    ("targets",): TargetConfig,
    ("jury",): JuryConfig,
    ("jury", "jurors"): JurorConfig,
    ("jury", "protocol"): ProtocolConfig,
    ("jury", "foreperson"): ModelConfig,
    ("limits",): LimitsConfig,
    ("run",): RunConfig,
}


def _keys(steps: Sequence[Step]) -> list[str]:
    named = tuple(step for step in steps if isinstance(step, str))
    section = PriceConfig if named[-1:] == ("price",) else _SECTIONS.get(named, Config)
    return list(section.model_fields)


def key_from_environment(name: str | None) -> str | None:
    """Return the key that an environment variable holds, None if none is named.

    Raises:
        ConfigurationError: The variable is not set.
    """
    if name is None:
        return None
    key = os.environ.get(name)
    if not key:
        raise ConfigurationError(
            f"the environment variable {name} is not set: export it, or change api_key_env."
        )
    return key
