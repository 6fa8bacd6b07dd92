"""How a config of any shape is read from YAML and the command line, and what is wrong with it."""

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ...common import ConfigurationError
from ...common.files import Step, YamlDocument
from ...common.text import did_you_mean, quoted
from ._words import in_words

Shape = TypeVar("Shape", bound=BaseModel)
_BRANCHES = ("literal[", "constrained-str")
"""How Pydantic calls the plain branches of a union."""
_Sections = dict[tuple[str, ...], type[BaseModel]]


def read_config(
    path: Path,
    changes: Sequence[str],
    shape: type[Shape],
    needs: str,
    *,
    renamed: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Shape:
    """Read a config and apply changes from the command line.

    Args:
        path: The YAML file.
        changes: Settings such as `limits.concurrency=8` or
            `jury.jurors.0.persona=sceptic`; the value is read as YAML.
        shape: What the config must be like.
        needs: Said of a file that is no mapping: which keys it needs.
        renamed: Old keys that are still read, such as `set.licence`, and their new names.
        warn: Is given a message for each old key.

    Raises:
        ConfigurationError: One line with file, line and what to do.
    """
    document = _read(path)
    data = document.data
    if not isinstance(data, dict):
        raise ConfigurationError(f"{document.place(())}: {needs}")
    settings = cast(dict[str, object], data)
    changed = [_change(settings, change) for change in changes]
    for old, new in (renamed or {}).items():
        if _rename(settings, old.split("."), new.split(".")[-1]) and warn is not None:
            place = document.place(old.split("."))
            warn(f"{place}: the key {old} is now called {new}; rename it in the config")
    try:
        return shape.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError(_Explainer(document, changed, shape).explain(error)) from None


def as_config(
    data: Mapping[str, object], shape: type[Shape], where: str, changes: Sequence[str] = ()
) -> Shape:
    """Return a config that a program describes.

    Args:
        data: Its keys; tuples stand for lists, and paths for text.
        shape: What it must be like.
        where: What an error begins with, such as the function that was called.
        changes: Settings from the command line, as of `read_config`.

    Raises:
        ConfigurationError: One line with the key and what to do.
    """
    settings = cast(dict[str, object], _as_yaml(data))
    changed = [_change(settings, change) for change in changes]
    try:
        return shape.model_validate(settings)
    except ValidationError as error:
        raise ConfigurationError(_Explainer(_Call(where), changed, shape).explain(error)) from None


def _as_yaml(value: object) -> object:
    """Return a value as YAML would have it: dictionaries, lists, and paths as text."""
    if isinstance(value, Mapping):
        keys = cast(Mapping[object, object], value)
        return {key: _as_yaml(part) for key, part in keys.items()}
    if isinstance(value, list | tuple):
        return [_as_yaml(part) for part in cast(Sequence[object], value)]
    return str(value) if isinstance(value, Path) else value


class _Document(Protocol):
    """Where the parts of a config stand."""

    def place(self, steps: Sequence[Step]) -> str:
        """Return where a part stands, in words."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a function, which has no lines."""

    name: str

    def place(self, steps: Sequence[Step]) -> str:
        return self.name


def _read(path: Path) -> YamlDocument:
    try:
        return YamlDocument(path, path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: there is no such file: `safejury init` writes a config to start from."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text.") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}).") from None


def _rename(data: object, old: Sequence[str], new: str) -> bool:
    """Rename a key at the end of a path; return whether it is there and the new one is not."""
    for step in old[:-1]:
        data = cast(dict[str, object], data).get(step) if isinstance(data, dict) else None
    if not isinstance(data, dict) or old[-1] not in data or new in data:
        return False
    mapping = cast(dict[str, object], data)
    mapping[new] = mapping.pop(old[-1])
    return True


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


class _Explainer:
    """Says in one line what is wrong with a config.

    Args:
        document: The file.
        changed: Paths of the settings from the command line.
        shape: What the config must be like.
    """

    def __init__(
        self, document: _Document, changed: Sequence[tuple[Step, ...]], shape: type[BaseModel]
    ) -> None:
        self._document = document
        self._changed = changed
        self._shape = shape
        self._sections: _Sections = {(): shape, **dict(_sections(shape, ()))}

    def explain(self, error: ValidationError) -> str:
        """Return the line."""
        first = _most_telling(error.errors(include_url=False))
        steps = self._steps(first["loc"])
        by_flag = any(
            steps[: len(path)] == path
            or (first["type"] == "extra_forbidden" and path[: len(steps)] == steps)
            for path in self._changed
        )
        place = f"--set {'.'.join(map(str, steps))}" if by_flag else self._document.place(steps)
        where = ".".join(map(str, steps))
        subject = place if by_flag else f"{place}: {where or 'config'}"
        if first["type"] == "extra_forbidden":
            return f"{place}: unknown key {quoted(steps[-1])}{self._hint(steps)}."
        if first["type"] == "missing":
            return f"{place}: the key {where!r} is missing."
        if first["type"] == "too_short":
            return f"{subject} is empty: name at least one."
        if steps[-1:] == ("api_key_env",) or steps[-2:-1] == ("headers",):
            # Not shown: it may be the secret itself.
            what = "key" if steps[-1] == "api_key_env" else "value"
            return f"{subject}: give the name of an environment variable, not the {what}."
        if first["type"] == "model_type":
            return f"{subject} needs keys of its own: {', '.join(self._keys(steps))}."
        colon = ":" if first["type"] == "value_error" else ""
        return f"{subject}{colon} {in_words(first)}."

    def _hint(self, steps: tuple[Step, ...]) -> str:
        """Return where an unknown key may belong."""
        key, known = str(steps[-1]), self._keys(steps[:-1])
        if near := did_you_mean(key, known):
            return near
        homes = {
            section: model for section, model in self._sections.items() if key in model.model_fields
        }
        models = set(homes.values())
        if len(models) == 1 and all(homes):
            place = ".".join(min(homes, key=len)) if len(homes) == 1 else min(homes, key=len)[-1]
            return f": it belongs under {place}"
        return f"; known are {', '.join(known)}"

    def _keys(self, steps: Sequence[Step]) -> list[str]:
        named = tuple(step for step in steps if isinstance(step, str))
        return list(self._sections.get(named, self._shape).model_fields)

    def _steps(self, place: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the steps without the names that Pydantic gives to a union's branches."""
        models = {model.__name__ for model in self._sections.values()}
        if place[-1:] in (("str",), ("int",), ("float",), ("[key]",)):
            place = place[:-1]
        return tuple(
            step
            for step in place
            if not (isinstance(step, str) and (step in models or step.startswith(_BRANCHES)))
        )


def _sections(
    shape: type[BaseModel], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield the parts of a shape that have keys of their own, by the names that lead to them."""
    for name, field in shape.model_fields.items():
        for model in _models(field.annotation):
            yield (*path, name), model
            yield from _sections(model, (*path, name))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _models(inner)


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    # An unknown key explains a missing one. Of a union's errors those of the branch
    # that was meant count, and a mapping is not meant to be a name.
    unknown = (e for e in errors if e["type"] == "extra_forbidden")
    meant = (
        e
        for e in errors
        if not (e["type"] in ("literal_error", "string_type") and isinstance(e["input"], dict))
    )
    return next(unknown, None) or next(meant, None) or errors[0]
