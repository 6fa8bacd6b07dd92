"""How a run's config is read from YAML and the command line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..datasets import ConfigurationError
from ..datasets._nearest import did_you_mean, quoted
from ._config_shape import (
    Config,
    JurorConfig,
    JuryConfig,
    LimitsConfig,
    ModelConfig,
    PriceConfig,
    ProtocolConfig,
    RunConfig,
    TargetConfig,
)
from ._yaml import Document, Step


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
