"""How a run's config is read, and the keys that it names."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from ...common import ConfigurationError
from ...common.files import read_text_file, resolve_path
from ...models import redactor
from ._part import VARIABLE
from ._read import read_config
from ._shape import Config, SystemFile


def load_config(path: Path, changes: Sequence[str] = ()) -> Config:
    """Read a run's config and apply changes from the command line.

    Args:
        path: The YAML file.
        changes: Settings such as `limits.concurrency=8` or
            `jury.jurors.0.persona=sceptic`; the value is read as YAML.

    Raises:
        ConfigurationError: One line with file, line and what to do.
    """
    needs = "a config needs the keys targets and jury; `safejury init` writes one to start from."
    return read_config(path, changes, Config, needs)


def read_system(said: str | SystemFile, folder: Path) -> str:
    """Return a target's system prompt.

    Args:
        said: The prompt, or the file that holds it.
        folder: Where its relative path starts.

    Raises:
        ConfigurationError: The file cannot be read, or is empty.
    """
    if isinstance(said, str):
        return said
    path = resolve_path(folder, said.file)
    text = read_text_file(path, "system prompt", "a text file that a model can read").strip()
    if not text:
        raise ConfigurationError(f"system prompt {str(path)!r} is empty: take `system:` out")
    return text


def check_keys(config: BaseModel) -> None:
    """Check that all environment variables are set that a config names for keys.

    Raises:
        ConfigurationError: Some are not; it names all of them.
    """
    named = dict.fromkeys(_variables(config))
    missing = [one for one in named if not os.environ.get(one[0], "").strip()]
    if not missing:
        return
    names, settings = (list(dict.fromkeys(column)) for column in zip(*missing, strict=True))
    if len(names) == 1:
        raise _not_set(names[0], settings[0])
    raise ConfigurationError(
        f"the environment variables {', '.join(names[:-1])} and {names[-1]} are not set: export "
        f"them, or change {' and '.join(settings)}."
    )


def _variables(config: BaseModel) -> Iterator[tuple[str, str]]:
    """Yield the variables that hold keys, each with the setting that names it."""
    for key, value in config:
        if key == "api_key_env" and value is not None:
            yield str(value), key
        elif key == "headers" and isinstance(value, dict):
            headers = cast(dict[str, str], value)
            yield from ((name, f"request.headers.{header}") for header, name in headers.items())
        parts = cast(object, value)
        for part in cast(list[object], parts) if isinstance(parts, list) else [parts]:
            if isinstance(part, BaseModel):
                yield from _variables(part)


def _not_set(name: str, setting: str) -> ConfigurationError:
    return ConfigurationError(
        f"the environment variable {name} is not set: export it, or change {setting}."
    )


def key_from_environment(name: str | None, setting: str = "api_key_env") -> str | None:
    """Return the secret that an environment variable holds, None if none is named.

    Args:
        name: The variable's.
        setting: The config's key that names it, for errors.

    Raises:
        ConfigurationError: The variable is not set, or what it holds cannot be sent.
    """
    if name is None:
        return None
    if re.fullmatch(VARIABLE, name) is None:
        # Not shown: it may be the key itself.
        raise ConfigurationError(f"{setting} must be the name of a variable, not the key.")
    key = os.environ.get(name, "").strip()
    if not key:
        raise _not_set(name, setting)
    if not key.isprintable():
        raise ConfigurationError(
            f"the environment variable {name} holds a line break or a control character, "
            "which no key has: export it anew."
        )
    redactor.register(key)  # before anything is said of a run that uses it
    return key
